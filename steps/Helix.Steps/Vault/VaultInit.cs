using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Vault;

public sealed record VaultInitOptions
{
    [Description("The new Vault.")]
    [TargetName("vault")]
    public required string Target { get; init; }

    [Description("Who gets a share, and the file with their PGP public key. Vault itself encrypts each share to its holder: nobody else ever sees it.")]
    [Example("{ alice: keys/alice.asc, bob: keys/bob.asc, carol: keys/carol.asc }")]
    [MinLength(1)]
    public required IReadOnlyDictionary<string, string> Recipients { get; init; }

    [Description("So many shares open it.")]
    [Range(1, 255)]
    [Example("2")]
    public required int Threshold { get; init; }

    [Description("The recipient to whom the first root token is encrypted.")]
    [Example("alice")]
    public required string RootTokenFor { get; init; }

    [Description("The folder for the encrypted shares, one file for each recipient.")]
    [Example("\"{{ run.safe }}/vault-keys\"")]
    public required string To { get; init; }
}

public sealed record VaultInitOutputs
{
    public required string Folder { get; init; }

    /// <summary>The encrypted share of each recipient, in base64: `base64 -d FILE | gpg -d`.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }
    public required string RootTokenFile { get; init; }
    public required int Threshold { get; init; }
    public required int Shares { get; init; }
}

[Step("vault.init", "Initialises a new Vault; each key share is encrypted to its holder by Vault itself.", Repeatable = false)]
sealed class VaultInit : Step<VaultInitOptions, VaultInitOutputs>
{
    public override IEnumerable<TargetEffect> Effects(VaultInitOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(VaultInitOptions options, PlanContext context)
    {
        Keys(options, context);
        return Task.FromResult(new StepPlan { Lines = [$"initialise {options.Target}: {options.Threshold} of {options.Recipients.Count} shares open it, held by {string.Join(", ", options.Recipients.Keys)}"] });
    }

    public override async Task<VaultInitOutputs> Run(VaultInitOptions options, StepContext context)
    {
        var keys = Keys(options, context);
        using var http = new VaultHttp(context.Target<VaultTarget>(options.Target), context);
        if (await Initialised(http))
            throw StepFailedException.Conflict($"{http.Name} is initialised already.", "Its keys are those of its first day; to replace them use `vault operator rekey`.");
        var outputs = Outputs(options, context);
        Reserve(outputs);
        var form = (await VaultSeal.Read(http)).Type == "shamir" ? "secret" : "recovery";
        var answer = await http.Send(HttpMethod.Put, "sys/init", new JsonObject
        {
            [$"{form}_shares"] = keys.Count,
            [$"{form}_threshold"] = options.Threshold,
            [form == "secret" ? "pgp_keys" : "recovery_pgp_keys"] = new JsonArray([.. keys.Values.Select(k => JsonValue.Create(k))]),
            ["root_token_pgp_key"] = keys[options.RootTokenFor],
        });
        if (!answer.Ok || answer.Body is not { } body)
            throw StepFailedException.InvalidData($"{http.Name} refused to be initialised: {answer.Errors}.");
        Keep(outputs, keys.Keys, body[form == "secret" ? "keys_base64" : "recovery_keys_base64"], body["root_token"]);
        context.Log($"{http.Name} is initialised; the encrypted shares are in {outputs.Folder}");
        return outputs;
    }

    public override async Task<ProbeResult<VaultInitOutputs>> Probe(VaultInitOptions options, StepContext context)
    {
        using var http = new VaultHttp(context.Target<VaultTarget>(options.Target), context);
        if (!await Initialised(http))
            return ProbeResult<VaultInitOutputs>.NotDone("it is not initialised");
        var outputs = Outputs(options, context);
        return outputs.Files.Values.Append(outputs.RootTokenFile).All(f => File.Exists(f) && new FileInfo(f).Length > 0)
            ? ProbeResult<VaultInitOutputs>.Done(outputs, "it is initialised and the encrypted shares are there")
            : ProbeResult<VaultInitOutputs>.Unknown("it is initialised, and the shares were not written down: they are lost. Empty its storage and begin again");
    }

    static async Task<bool> Initialised(VaultHttp http) =>
        await http.Send(HttpMethod.Get, "sys/init") is { Ok: true, Body: { } body } && body["initialized"] is { } yes
            ? (bool)yes
            : throw StepFailedException.Transient($"{http.Name} does not say whether it is initialised.");

    static Dictionary<string, string> Keys(VaultInitOptions options, PlanContext context)
    {
        if (options.Threshold > options.Recipients.Count)
            throw new RunbookException($"{options.Threshold} shares cannot open a Vault that has {options.Recipients.Count}.");
        if (!options.Recipients.ContainsKey(options.RootTokenFor))
            throw new RunbookException($"The root token is for {options.RootTokenFor}, who is no recipient.", $"Recipients: {string.Join(", ", options.Recipients.Keys)}.");
        // The second share would replace the first, and no share comes twice.
        if (options.Recipients.Keys.GroupBy(Plain, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } same)
            throw new RunbookException($"The shares of {string.Join(" and ", same)} would have the same file, share-{same.Key}.pgp.b64.",
                "Name them so that they differ in letters (a to z) or digits; every other sign becomes '-'.");
        return options.Recipients.ToDictionary(r => r.Key, r => PgpKey.Read(context.FullPath(r.Value)));
    }

    static VaultInitOutputs Outputs(VaultInitOptions options, StepContext context)
    {
        var folder = context.FullPath(options.To);
        return new()
        {
            Folder = folder,
            Files = options.Recipients.Keys.ToDictionary(n => n, n => Path.Combine(folder, $"share-{Plain(n)}.pgp.b64")),
            RootTokenFile = Path.Combine(folder, $"root-token-{Plain(options.RootTokenFor)}.pgp.b64"),
            Threshold = options.Threshold,
            Shares = options.Recipients.Count,
        };
    }

    static string Plain(string name) => new([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);

    /// <summary>The shares come once and never again: their files are there before Vault is asked, and those of another Vault stay as they are.</summary>
    static void Reserve(VaultInitOutputs outputs)
    {
        Durable.CreateFolder(outputs.Folder);
        List<string> files = [.. outputs.Files.Values, outputs.RootTokenFile];
        if (files.FirstOrDefault(f => File.Exists(f) && new FileInfo(f).Length > 0) is { } kept)
            throw StepFailedException.Conflict($"{kept} holds a share already; it may be all that opens another Vault.", "Name another folder, or move what is in this one to a safe place.");
        foreach (var file in files)
        {
            // An attempt that was cut off left it empty.
            File.Delete(file);
            new FileStream(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }).Dispose();
        }
    }

    static void Keep(VaultInitOutputs outputs, IEnumerable<string> names, JsonNode? shares, JsonNode? root)
    {
        var list = (shares as JsonArray)?.Select(s => s!.ToString()).ToList() ?? [];
        foreach (var (name, share) in names.Zip(list))
            Write(outputs.Files[name], share);
        Write(outputs.RootTokenFile, root?.ToString() ?? "");
        Durable.SyncFolder(outputs.Folder);
        if (list.Count != outputs.Shares)
            throw StepFailedException.InvalidData($"Vault gave {list.Count} shares instead of {outputs.Shares}; what came is in {outputs.Folder}.");
    }

    static void Write(string path, string text)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
        file.Write(Encoding.ASCII.GetBytes(text + "\n"));
        file.Flush(flushToDisk: true);
    }
}
