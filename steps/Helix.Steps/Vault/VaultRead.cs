using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

public sealed record VaultReadOptions
{
    [Description("The Vault.")]
    [TargetName("vault")]
    public required string Target { get; init; }

    [Description("Mount and path, as `vault kv get` takes it; `data/` is added where the mount needs it.")]
    [Example("secret/helix")]
    public required string Path { get; init; }

    [Description("The fields that must be there and not empty. Steps that need a value name it as vault:target/path#field.")]
    [Example("[neo4j_password, redis_password]")]
    [MinLength(1)]
    public required IReadOnlyList<string> Fields { get; init; }

    [Description("The version; default: the newest.")]
    [Range(1, 1_000_000)]
    public int? Version { get; init; }
}

public sealed record VaultReadOutputs
{
    /// <summary>The names of all fields.</summary>
    public required IReadOnlyList<string> Fields { get; init; }

    /// <summary>0 on a mount of version 1.</summary>
    public required int Version { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public required int MountVersion { get; init; }

    /// <summary>How later steps refer to each required field; never its value.</summary>
    public required IReadOnlyDictionary<string, string> References { get; init; }
}

[Step("vault.read", "Checks that a secret is there with the fields that later steps need; values stay in Vault.")]
sealed class VaultRead : Step<VaultReadOptions, VaultReadOutputs>
{
    public override IEnumerable<TargetEffect> Effects(VaultReadOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<VaultReadOutputs> Run(VaultReadOptions options, StepContext context)
    {
        await using var session = new VaultSession(context.Target<VaultTarget>(options.Target), context);
        var secret = await KvSecret.Read(session, options.Path, options.Version);
        foreach (var field in options.Fields)
            context.Hide(secret.Field(field));
        context.Log($"{secret.Name}: {string.Join(", ", options.Fields)} {(secret.Version > 0 ? $"in version {secret.Version}" : "there")}");
        return new()
        {
            Fields = [.. secret.Data.Select(d => d.Key)],
            Version = secret.Version,
            CreatedAt = secret.Created,
            MountVersion = secret.Place.Version,
            References = options.Fields.ToDictionary(f => f, f => $"vault:{options.Target}/{options.Path.Trim('/')}#{f}"),
        };
    }

    public override Task<ProbeResult<VaultReadOutputs>> Probe(VaultReadOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<VaultReadOutputs>.NotDone("it only looks"));
}
