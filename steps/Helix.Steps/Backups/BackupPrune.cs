using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

public sealed record BackupPruneOptions : Retention
{
    [Description("Where the backups are.")]
    [TargetName("s3", "directory")]
    public required string Target { get; init; }

    [Description("The series: the start of the keys, ending with '/'.")]
    [Example("redis/")]
    [Fixed]
    [MinLength(1, ErrorMessage = BackupKey.PrefixWords), RegularExpression(BackupKey.PrefixForm, ErrorMessage = BackupKey.PrefixWords)]
    public required string Prefix { get; init; }

    [Description("Rejected and partial ones, and those that a restore found bad, go after this.")]
    public Duration RejectedAfter { get; init; } = new(TimeSpan.FromDays(30));

    [Description("An open upload for which nothing came for so long is taken for abandoned and thrown away; any other stops the step.")]
    public Duration AbandonedAfter { get; init; } = new(TimeSpan.FromDays(1));

    [Description("Remove nothing at all when it would be more than this.")]
    [Range(1, 100_000)]
    public int MaxRemoved { get; init; } = 100;
}

public sealed record BackupPruneOutputs
{
    public required int Kept { get; init; }
    public required int Removed { get; init; }

    /// <summary>Should have gone, and the store holds them: key and until when.</summary>
    public required IReadOnlyList<string> Held { get; init; }

    /// <summary>In the store; what a versioned bucket only hides is not counted.</summary>
    public required long FreedBytes { get; init; }
}

[Step("backup.prune", "Removes backups that no rule keeps, after showing which and why.", OptionsAreApproval = true)]
sealed class BackupPrune : Step<BackupPruneOptions, BackupPruneOutputs>
{
    public override IEnumerable<TargetEffect> Effects(BackupPruneOptions options) =>
        [TargetEffect.Destroys(options.Target, $"backups below {options.Prefix} that no rule keeps")];

    public override async Task<StepPlan> Plan(BackupPruneOptions options, PlanContext context)
    {
        await using var store = await context.Target<BackupTarget>(options.Target).Open(context);
        var plan = await PrunePlan.Make(store, options, context.Time.GetUtcNow(), context.Cancelled);
        return new() { Lines = plan.Table, Warnings = plan.Refusal is { } why ? [why] : [] };
    }

    public override Task<ProbeResult<BackupPruneOutputs>> Probe(BackupPruneOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<BackupPruneOutputs>.NotDone("what was begun is ended, and the rest is planned anew"));

    public override async Task<BackupPruneOutputs> Run(BackupPruneOptions options, StepContext context)
    {
        await using var store = await context.Target<BackupTarget>(options.Target).Open(context);
        await FinishInterrupted(store, context);
        await EndAbandoned(store, options, context);
        var plan = await PrunePlan.Make(store, options, context.Time.GetUtcNow(), context.Cancelled);
        foreach (var line in plan.Table)
            context.Log(line);
        if (plan.Refusal is { } why)
            throw StepFailedException.Conflict($"Nothing was removed below {options.Prefix}: {why}", "Look at the table above, and mend that first.");
        await context.Save("remove", new JsonArray([.. plan.Remove.Select(e => JsonValue.Create(e.Key))]));
        return await Remove(store, plan, context);
    }

    static async Task<BackupPruneOutputs> Remove(BackupStore store, PrunePlan plan, StepContext context)
    {
        var held = new List<string>();
        var (removed, freed) = (0, 0L);
        foreach (var entry in plan.Remove)
        {
            if (await store.HeldBy(entry.Key, context.Cancelled) is { } hold)
            {
                held.Add($"{entry.Key}: {hold}");
                context.Log($"WARNING: {entry.Key} is kept by its {hold}");
                continue;
            }
            // The object first: a manifest without its object is taken by nobody, an object without its manifest would lie here for ever.
            var how = await store.Delete(entry.Key, context.Cancelled);
            await store.Delete(BackupKey.Manifest(entry.Key), context.Cancelled);
            context.Log(how == Deletion.Hidden ? $"{entry.Key} hidden by a delete marker; its bytes stay until the bucket's lifecycle takes them" : $"{entry.Key} removed");
            freed += how == Deletion.Removed ? entry.StoredSize ?? 0 : 0;
            context.Progress(++removed, plan.Remove.Count, "backups");
        }
        return new() { Kept = plan.Keep.Count + held.Count, Removed = removed, Held = held, FreedBytes = freed };
    }

    /// <summary>An attempt that was killed between object and manifest left a manifest that tells of nothing.</summary>
    static async Task FinishInterrupted(BackupStore store, StepContext context)
    {
        foreach (var key in (context.Saved("remove") as JsonArray ?? []).Select(k => (string)k!))
            if (await store.Stat(key, context.Cancelled) is null)
                await store.Delete(BackupKey.Manifest(key), context.Cancelled);
    }

    static async Task EndAbandoned(BackupStore store, BackupPruneOptions options, StepContext context)
    {
        BackupKey.CheckPrefix(options.Prefix);
        var now = context.Time.GetUtcNow();
        foreach (var upload in await store.OpenUploads(options.Prefix, context.Cancelled))
        {
            if (await PrunePlan.IsUnderWay(store, upload, options, now, context.Cancelled))
                throw StepFailedException.Conflict($"Nothing was removed below {options.Prefix}: {PrunePlan.UnderWay(upload)}", $"Wait for its end, or resume or close its run. After {options.AbandonedAfter} it counts as abandoned.");
            await store.Abort(upload, context.Cancelled);
            context.Log($"the upload of {upload.Key}, open since {upload.Since:u}, was thrown away");
        }
    }
}
