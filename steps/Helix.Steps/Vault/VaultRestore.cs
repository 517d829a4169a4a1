using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

public sealed record VaultRestoreOptions
{
    [Description("The Vault to overwrite. It must be initialised and unsealed.")]
    [TargetName("vault")]
    public required string Target { get; init; }

    [Description("The snapshot.")]
    [Example("\"{{ steps.fetch.file }}\"")]
    public required string From { get; init; }

    [Description("The id of the cluster that the snapshot came from, as its manifest says. An approval before this step names it.")]
    [Example("\"{{ steps.fetch.origin }}\"")]
    public required string Origin { get; init; }

    [Description("Take a snapshot of another cluster. After that the unseal keys and the tokens of that cluster apply, and those of the target are worth nothing.")]
    [Fixed]
    public bool Force { get; init; }

    [Description("How long to wait until it answers again.")]
    public Duration Within { get; init; } = new(TimeSpan.FromMinutes(2));
}

public sealed record VaultRestoreOutputs
{
    /// <summary>sealed after a forced restore of another cluster's snapshot.</summary>
    public required VaultState State { get; init; }
    public required bool Sealed { get; init; }

    /// <summary>The cluster whose unseal keys and tokens apply from now on.</summary>
    public required string KeysOf { get; init; }

    /// <summary>They are other ones than before.</summary>
    public required bool KeysChanged { get; init; }

    /// <summary>So many shares of those keys are needed, while it is sealed.</summary>
    public required int Threshold { get; init; }
    public string? Warning { get; init; }
}

[Step("vault.restore", "Replaces everything in a Vault by a snapshot; says whose keys apply after that.", Repeatable = false)]
sealed class VaultRestore : Step<VaultRestoreOptions, VaultRestoreOutputs>
{
    const string SentKey = "sent", DoneKey = "done";

    public override IEnumerable<TargetEffect> Effects(VaultRestoreOptions options) =>
        [TargetEffect.Destroys(options.Target, "every secret, policy and token in it") with { LoadsFrom = "from" }];

    public override async Task<StepPlan> Plan(VaultRestoreOptions options, PlanContext context)
    {
        using var http = new VaultHttp(context.Target<VaultTarget>(options.Target), context);
        var health = await VaultHealth.Read(http);
        return new()
        {
            Lines = [$"replace everything in {http.Name} ({health}, cluster {health.ClusterId ?? "unknown"}) by {options.From}"],
            Warnings = options.Force ? ["forced: if the snapshot is of another cluster, that cluster's unseal keys and tokens apply after it"] : [],
        };
    }

    public override async Task<VaultRestoreOutputs> Run(VaultRestoreOptions options, StepContext context)
    {
        var path = context.FullPath(options.From);
        if (!File.Exists(path))
            throw StepFailedException.Missing($"There is no snapshot {path}.");
        var snapshot = await SnapshotFile.Read(path, context.Cancelled);
        await using var session = new VaultSession(context.Target<VaultTarget>(options.Target), context);
        var before = await VaultHealth.Read(session.Http);
        CheckOrigin(options, before, session.Name);
        await context.Save(SentKey, before.ClusterId!);
        await Send(session, path, options.Force);
        await context.Save(DoneKey, snapshot.Index);
        return await After(session.Http, options, before.ClusterId!, context);
    }

    public override async Task<ProbeResult<VaultRestoreOutputs>> Probe(VaultRestoreOptions options, StepContext context)
    {
        if (context.Saved(SentKey)?.GetValue<string>() is not { } before)
            return ProbeResult<VaultRestoreOutputs>.NotDone("nothing was sent");
        if (context.Saved(DoneKey) is null)
            return ProbeResult<VaultRestoreOutputs>.Unknown("the snapshot was being sent, and whether Vault took it is not known");
        using var http = new VaultHttp(context.Target<VaultTarget>(options.Target), context);
        return ProbeResult<VaultRestoreOutputs>.Done(await After(http, options, before, context), "Vault had taken the snapshot");
    }

    /// <summary>Another cluster's snapshot brings that cluster's keys (VLT-02): never without being asked for by name.</summary>
    static void CheckOrigin(VaultRestoreOptions options, VaultHealth before, string name)
    {
        if (before is not { State: VaultState.Active or VaultState.Standby, ClusterId: { } here })
            throw StepFailedException.Conflict($"{name} is {VaultHealth.Words(before.State)}; a snapshot is restored into one that is initialised and unsealed.", "vault.init and vault.unseal come first; its keys of now are only needed until the restore.");
        if (options.Origin.Length == 0)
            throw StepFailedException.InvalidData($"Nobody knows which cluster the snapshot {options.From} came from.", "Its manifest should say so; give `origin` the id of the cluster whose unseal keys you have.");
        if (options.Origin != here && !options.Force)
            throw StepFailedException.Conflict($"The snapshot came from cluster {options.Origin}, and {name} is cluster {here}: its unseal keys and tokens would be replaced by those of {options.Origin}.",
                "If that is meant and you have those keys, say `force: true`, and let the approval name the origin.");
    }

    static async Task Send(VaultSession session, string path, bool force)
    {
        var to = force ? "sys/storage/raft/snapshot-force" : "sys/storage/raft/snapshot";
        try
        {
            var answer = await session.Allowed(to, async token =>
            {
                await using var file = File.OpenRead(path);
                return await session.Http.Put(to, file, token);
            });
            if (!answer.Ok)
                throw StepFailedException.Missing($"{session.Name} takes no snapshots: it does not use integrated storage.");
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.InvalidData && e.Message.Contains("unseal keys", StringComparison.OrdinalIgnoreCase))
        {
            throw StepFailedException.Conflict($"{session.Name} says that the snapshot belongs to other unseal keys than its own.", "Only `force: true` takes it, and then those other keys apply.");
        }
    }

    static async Task<VaultRestoreOutputs> After(VaultHttp http, VaultRestoreOptions options, string before, StepContext context)
    {
        var changed = options.Origin != before;
        var health = await Answers(http, options.Within.Value, context);
        var seal = await VaultSeal.Read(http);
        return new()
        {
            State = health.State,
            Sealed = seal.Sealed,
            KeysOf = options.Origin,
            KeysChanged = changed,
            Threshold = seal.Threshold,
            Warning = changed ? $"The unseal keys and tokens of cluster {options.Origin} apply to {http.Name} now; those of {before} are worth nothing there." : null,
        };
    }

    /// <summary>While it loads the snapshot it may answer nothing, or badly.</summary>
    static async Task<VaultHealth> Answers(VaultHttp http, TimeSpan within, StepContext context)
    {
        for (var end = context.Time.GetUtcNow() + within; ;)
        {
            try
            {
                return await VaultHealth.Read(http);
            }
            catch (StepFailedException e) when (e.Failure == FailureClass.Transient && context.Time.GetUtcNow() < end)
            {
                await context.Delay(TimeSpan.FromMilliseconds(500));
            }
        }
    }
}
