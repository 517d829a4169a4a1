using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

public sealed record VaultUnsealOptions
{
    [Description("The servers to unseal, one after the other; each node of a cluster has a seal of its own.")]
    [TargetName("vault")]
    [Example("[vault]")]
    [MinLength(1)]
    public required IReadOnlyList<string> Targets { get; init; }

    [Description("Key shares that are kept somewhere; taken in this order until enough are given.")]
    [Example("[\"file:/run/shares/alice\", \"file:/run/shares/bob\"]")]
    public IReadOnlyList<Secret> Shares { get; init; } = [];

    [Description("How long to wait until an unsealed Vault serves.")]
    public Duration Within { get; init; } = new(TimeSpan.FromMinutes(2));
}

public sealed record VaultUnsealOutputs
{
    /// <summary>State of each target.</summary>
    public required IReadOnlyDictionary<string, VaultState> States { get; init; }

    /// <summary>Those that were sealed before.</summary>
    public required IReadOnlyList<string> Unsealed { get; init; }
}

[Step("vault.unseal", "Unseals Vault with key shares of several people, which are kept nowhere.")]
sealed class VaultUnseal : Step<VaultUnsealOptions, VaultUnsealOutputs>
{
    public override IEnumerable<TargetEffect> Effects(VaultUnsealOptions options) => options.Targets.Select(TargetEffect.Changes);

    public override async Task<StepPlan> Plan(VaultUnsealOptions options, PlanContext context)
    {
        var lines = new List<string>();
        foreach (var name in options.Targets)
        {
            using var http = new VaultHttp(context.Target<VaultTarget>(name), context);
            var seal = await VaultSeal.Read(http);
            lines.Add(seal.Sealed ? $"unseal {http.Name}: {seal.Threshold} of {seal.Shares} shares are needed" : $"{http.Name} is not sealed");
        }
        return new() { Lines = lines };
    }

    public override async Task<VaultUnsealOutputs> Run(VaultUnsealOptions options, StepContext context)
    {
        var shares = new KeyShares(options, context);
        var (states, unsealed) = (new Dictionary<string, VaultState>(), new List<string>());
        foreach (var name in options.Targets)
        {
            using var http = new VaultHttp(context.Target<VaultTarget>(name), context);
            if (await new Unsealing(http, shares, context).Run())
                unsealed.Add(name);
            states[name] = (await Serving.Wait(http, options.Within.Value, context)).State;
        }
        return new() { States = states, Unsealed = unsealed };
    }

    public override async Task<ProbeResult<VaultUnsealOutputs>> Probe(VaultUnsealOptions options, StepContext context)
    {
        var states = new Dictionary<string, VaultState>();
        foreach (var name in options.Targets)
        {
            using var http = new VaultHttp(context.Target<VaultTarget>(name), context);
            states[name] = (await VaultHealth.Read(http)).State;
        }
        return states.Values.Any(s => s is VaultState.Sealed or VaultState.Uninitialised)
            ? ProbeResult<VaultUnsealOutputs>.NotDone("it is still sealed; shares may be given again")
            : ProbeResult<VaultUnsealOutputs>.Done(new() { States = states, Unsealed = [] }, "nothing is sealed");
    }
}

/// <summary>The shares of one step, in order. They live as long as the step does.</summary>
sealed class KeyShares(VaultUnsealOptions options, StepContext context)
{
    readonly List<string> _given = [];

    /// <summary>The share with this number, from 0; null when there are no more.</summary>
    public async Task<string?> At(int number)
    {
        while (_given.Count <= number && _given.Count < options.Shares.Count)
            _given.Add((await context.Reveal(options.Shares[_given.Count])).Trim());
        return number < _given.Count ? _given[number] : null;
    }
}
