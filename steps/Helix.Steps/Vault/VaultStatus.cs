using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

public sealed record VaultStatusOptions
{
    [Description("The Vault to look at.")]
    [TargetName("vault")]
    public required string Target { get; init; }

    [Description("The states that are right; in another one the step fails. Default: any.")]
    [Example("[active, standby]")]
    public IReadOnlyList<VaultState> Expect { get; init; } = [];
}

public sealed record VaultStatusOutputs
{
    public required VaultState State { get; init; }
    public required bool Sealed { get; init; }
    public required bool Initialised { get; init; }
    public required string Version { get; init; }

    /// <summary>Empty while it is sealed.</summary>
    public required string ClusterId { get; init; }

    /// <summary>So many shares open it.</summary>
    public required int Threshold { get; init; }

    /// <summary>So many there are.</summary>
    public required int Shares { get; init; }

    /// <summary>So many were given since it was sealed.</summary>
    public required int Progress { get; init; }

    /// <summary>shamir, or the outside service that opens it.</summary>
    public required string Seal { get; init; }
}

[Step("vault.status", "Says whether a Vault is active, standby, sealed or not initialised.")]
sealed class VaultStatus : Step<VaultStatusOptions, VaultStatusOutputs>
{
    public override IEnumerable<TargetEffect> Effects(VaultStatusOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<VaultStatusOutputs> Run(VaultStatusOptions options, StepContext context)
    {
        using var http = new VaultHttp(context.Target<VaultTarget>(options.Target), context);
        var health = await VaultHealth.Read(http);
        context.Log($"{http.Name}: {health}");
        return options.Expect.Count == 0 || options.Expect.Contains(health.State)
            ? Outputs(health, await VaultSeal.Read(http))
            : throw StepFailedException.Conflict($"{http.Name} is {VaultHealth.Words(health.State)}, and should be {string.Join(" or ", options.Expect.Select(VaultHealth.Words))}.", HintFor(health.State));
    }

    public override Task<ProbeResult<VaultStatusOutputs>> Probe(VaultStatusOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<VaultStatusOutputs>.NotDone("it only looks"));

    static VaultStatusOutputs Outputs(VaultHealth health, VaultSeal seal) => new()
    {
        State = health.State,
        Sealed = seal.Sealed,
        Initialised = health.State != VaultState.Uninitialised,
        Version = health.Version,
        ClusterId = health.ClusterId ?? "",
        Threshold = seal.Threshold,
        Shares = seal.Shares,
        Progress = seal.Progress,
        Seal = seal.Type,
    };

    static string? HintFor(VaultState state) => state switch
    {
        VaultState.Sealed => "Unseal it: vault.unseal.",
        VaultState.Uninitialised => "It is new and empty: vault.init, or restore a snapshot into it after that.",
        _ => null,
    };
}
