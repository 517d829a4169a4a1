using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

public sealed record VaultRotateOptions
{
    [Description("The Vault that holds the secrets, in a key-value store of version 2.")]
    [TargetName("vault")]
    public required string Target { get; init; }

    [Description("What is rotated, in this order.")]
    [Example("[{ path: secret/helix, field: redis_password, generate: { length: 40 } }]")]
    [MinLength(1)]
    public required IReadOnlyList<RotatedSecret> Secrets { get; init; }

    [Description("Destroy the old versions in the end, when every dependant has been told and checked.")]
    public bool DestroyOld { get; init; } = true;
}

public sealed record RotatedSecret
{
    [Description("Mount and path, as `vault kv get` takes it.")]
    [Example("secret/helix")]
    public required string Path { get; init; }

    [Description("The field; the others of the secret stay as they are.")]
    [Example("redis_password")]
    public required string Field { get; init; }

    [Description("Make the new value at random.")]
    public GeneratedValue? Generate { get; init; }

    [Description("Instead: a command that prints the new value. HELIX_OLD_VALUE holds the old one.")]
    [Example("[new-api-key, --service, mcp]")]
    public IReadOnlyList<string> Command { get; init; } = [];

    [Description("A command that tells a dependant: the values are in HELIX_NEW_VALUE and HELIX_OLD_VALUE. It may be run again.")]
    [Example("[sh, -c, \"redis-cli config set requirepass $HELIX_NEW_VALUE\"]")]
    public IReadOnlyList<string> Tell { get; init; } = [];

    [Description("Targets that read the secret when they start: they are restarted after that.")]
    [TargetName]
    [Fixed]
    public IReadOnlyList<string> Restart { get; init; } = [];

    [Description("A command that ends with 0 when the new value in HELIX_NEW_VALUE is in use.")]
    [Example("[check-login, --user, helix]")]
    public IReadOnlyList<string> Check { get; init; } = [];
}

public sealed record GeneratedValue
{
    [Description("So many characters.")]
    [Range(16, 4096)]
    public int Length { get; init; } = 32;

    [Description("The characters to choose from.")]
    [MinLength(10)]
    public string Characters { get; init; } = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
}

public sealed record VaultRotateOutputs
{
    /// <summary>path#field → the version that holds the new value.</summary>
    public required IReadOnlyDictionary<string, int> Versions { get; init; }

    /// <summary>The old versions are gone.</summary>
    public required bool OldDestroyed { get; init; }
}

[Step("vault.rotate", "Gives secrets new values, tells who depends on them, checks, and destroys the old ones last.")]
sealed class VaultRotate : Step<VaultRotateOptions, VaultRotateOutputs>
{
    public override IEnumerable<TargetEffect> Effects(VaultRotateOptions options) =>
        [TargetEffect.Changes(options.Target), .. options.Secrets.SelectMany(s => s.Restart).Distinct().Select(TargetEffect.Interrupts)];

    public override Task<StepPlan> Plan(VaultRotateOptions options, PlanContext context)
    {
        Check(options);
        return Task.FromResult(new StepPlan { Lines = [.. options.Secrets.Select(Line)] });
    }

    public override async Task<VaultRotateOutputs> Run(VaultRotateOptions options, StepContext context)
    {
        Check(options);
        await using var session = new VaultSession(context.Target<VaultTarget>(options.Target), context);
        var rotations = options.Secrets.Select((s, i) => new Rotation(session, s, i, context)).ToList();
        foreach (var rotation in rotations)
            await rotation.Renew();
        if (options.DestroyOld)
            foreach (var rotation in rotations)
                await rotation.DestroyOld();
        return new() { Versions = rotations.ToDictionary(r => r.Name, r => r.Version), OldDestroyed = options.DestroyOld };
    }

    public override Task<ProbeResult<VaultRotateOutputs>> Probe(VaultRotateOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<VaultRotateOutputs>.NotDone("a rotation goes on where it was: what was written, told and destroyed is on record"));

    static void Check(VaultRotateOptions options)
    {
        foreach (var secret in options.Secrets)
            if (secret.Generate is null == (secret.Command.Count == 0))
                throw new RunbookException($"How is the new value of {secret.Path}#{secret.Field} made?", "Give either `generate` or `command`.");
        if (options.Secrets.GroupBy(s => $"{s.Path.Trim('/')}#{s.Field}").FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
            throw new RunbookException($"{twice.Key} is rotated twice in one step.");
    }

    static string Line(RotatedSecret secret)
    {
        var how = secret.Generate is { } g ? $"{g.Length} random characters" : $"what {secret.Command[0]} prints";
        var told = secret.Tell.Count > 0 ? $", told by {secret.Tell[0]}" : "";
        return $"new value for {secret.Path}#{secret.Field}: {how}{told}{(secret.Restart.Count > 0 ? $", restart {string.Join(", ", secret.Restart)}" : "")}";
    }
}
