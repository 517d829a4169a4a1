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

    [Description("Who is asked for their shares while the step waits: accounts, or group:NAME. Each hands theirs over with `helix secret RUN share`; it goes to the driver alone.")]
    [Example("[group:key_holders]")]
    public IReadOnlyList<string> Holders { get; init; } = [];

    [Description("How long to wait for each holder.")]
    public Duration AskFor { get; init; } = new(TimeSpan.FromMinutes(30));

    [Description("How long to wait, once all are unsealed, until each serves.")]
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
        }
        // Only now: the nodes of a cluster find no leader before most of them are open.
        foreach (var name in options.Targets)
        {
            using var http = new VaultHttp(context.Target<VaultTarget>(name), context);
            states[name] = (await Serving.Wait(http, options.Within.Value, context)).State;
        }
        return new() { States = states, Unsealed = unsealed };
    }

    public override async Task<ProbeResult<VaultUnsealOutputs>> Probe(VaultUnsealOptions options, StepContext context)
    {
        var (states, serve) = (new Dictionary<string, VaultState>(), true);
        foreach (var name in options.Targets)
        {
            using var http = new VaultHttp(context.Target<VaultTarget>(name), context);
            var health = await VaultHealth.Read(http);
            states[name] = health.State;
            serve &= await Serving.Does(http, health);
        }
        return states.Values.Any(s => s is VaultState.Sealed or VaultState.Uninitialised)
            ? ProbeResult<VaultUnsealOutputs>.NotDone("it is still sealed; shares may be given again")
            : serve ? ProbeResult<VaultUnsealOutputs>.Done(new() { States = states, Unsealed = [] }, "nothing is sealed, and all serve")
            : ProbeResult<VaultUnsealOutputs>.NotDone("nothing is sealed, and not all serve yet");
    }
}

/// <summary>The shares of one step, in order: those that are kept somewhere, then those that people give. They live as long as the step does.</summary>
sealed class KeyShares(VaultUnsealOptions options, StepContext context)
{
    readonly List<string> _given = [];
    readonly List<string> _givers = [];
    int _looked;

    /// <summary>The share with this number, from 0; null when there are no more.</summary>
    public async Task<string?> At(int number, string what)
    {
        while (_given.Count <= number && await Next(what) is { } share)
            _given.Add(share.Trim());
        return number < _given.Count ? _given[number] : null;
    }

    async Task<string?> Next(string what)
    {
        while (_looked < options.Shares.Count)
            if (await Kept(options.Shares[_looked++]) is { } share)
                return share;
        if (options.Holders.Count == 0)
            return null;
        var given = await context.AskSecret(new SecretRequest { Name = "share", Message = what, From = options.Holders, NotAgain = _givers, Within = options.AskFor.Value });
        _givers.Add(given.By);
        return given.Value;
    }

    /// <summary>Where holders can be asked, a reference that leads nowhere is no fault.</summary>
    async Task<string?> Kept(Secret share)
    {
        try
        {
            return await context.Reveal(share);
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled && options.Holders.Count > 0)
        {
            context.Log($"{e.Message} The holders are asked.");
            return null;
        }
    }
}
