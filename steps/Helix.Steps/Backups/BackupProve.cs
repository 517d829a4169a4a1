using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

public sealed record BackupProveOptions
{
    [Description("Where the backup is.")]
    [TargetName("s3", "directory")]
    public required string Target { get; init; }

    [Description("The key of the backup that was restored.")]
    [Example("\"{{ steps.fetch.key }}\"")]
    public required string Backup { get; init; }

    [Description("The restore was checked and is good. False: it was bad, and no selector takes it any more, only its key.")]
    public bool Passed { get; init; } = true;

    [Description("The throw-away target that it was restored into.")]
    [TargetName]
    public string? RestoredInto { get; init; }

    [Description("What the restored data counted.")]
    public IReadOnlyDictionary<string, long>? Counts { get; init; }

    [Description("Write no good proof when a count differs by more than so many percent from the proven backup of the same kind and source before it, or, if none is proven, from the one before it. What the source itself allows of a count goes before this.")]
    [Range(1, 1000)]
    public int? MaxCountChange { get; init; }

    [Description("A word for who reads it later.")]
    public string? Note { get; init; }
}

public sealed record BackupProveOutputs
{
    public required string Key { get; init; }
    public required bool Proven { get; init; }
    public required DateTimeOffset At { get; init; }
}

[Step("backup.prove", "Writes into a backup's manifest that a restore of it was checked.")]
sealed class BackupProve : Step<BackupProveOptions, BackupProveOutputs>
{
    const string Expiring = "_expiring";

    public override IEnumerable<TargetEffect> Effects(BackupProveOptions options) => [TargetEffect.Changes(options.Target)];

    public override async Task<BackupProveOutputs> Run(BackupProveOptions options, StepContext context)
    {
        await using var store = await context.Target<BackupTarget>(options.Target).Open(context);
        var series = new BackupSeries(store, BackupSeries.PrefixFor(null, options.Backup));
        var entry = await series.Show(options.Backup, context.Cancelled);
        if (entry.State is BackupState.Rejected or BackupState.Damaged)
            throw StepFailedException.InvalidData($"{options.Backup} takes no proof: {entry.Problem}.");
        if (entry.Manifest is not { } manifest)
            throw StepFailedException.InvalidData($"{options.Backup} takes no proof: it has no manifest.", "If it is a backup: helix backups adopt. Else prove the one that was restored.");
        if (Mine(manifest, context) is { } already)
            return Outputs(manifest, already);
        if (options.Passed)
        {
            CheckCounts(manifest, options);
            CountChange.Check(CountChange.ProvenBefore(await series.List(context.Cancelled), manifest), manifest, options.MaxCountChange, context);
        }
        // As exact as a manifest keeps it, so that it is found there again.
        var at = DateTimeOffset.FromUnixTimeMilliseconds(context.Time.GetUtcNow().ToUnixTimeMilliseconds());
        await context.Save("at", JsonValue.Create(at));
        var proof = new BackupProof
        {
            At = at,
            Passed = options.Passed,
            Run = context.Run.Id,
            Target = options.RestoredInto,
            Note = options.Note,
            Counts = options.Counts,
        };
        return Outputs(await series.Prove(options.Backup, proof, context.Cancelled), proof);
    }

    public override async Task<ProbeResult<BackupProveOutputs>> Probe(BackupProveOptions options, StepContext context)
    {
        await using var store = await context.Target<BackupTarget>(options.Target).Open(context);
        var entry = await new BackupSeries(store, BackupSeries.PrefixFor(null, options.Backup)).Show(options.Backup, context.Cancelled);
        return Mine(entry.Manifest, context) is { } proof
            ? ProbeResult<BackupProveOutputs>.Done(Outputs(entry.Manifest!, proof), "the manifest holds the proof of this step")
            : ProbeResult<BackupProveOutputs>.NotDone("the manifest holds no proof of this step");
    }

    /// <summary>Of this round: a later one may find otherwise.</summary>
    static BackupProof? Mine(BackupManifest? manifest, StepContext context) =>
        context.Saved("at")?.GetValue<DateTimeOffset>() is { } at ? manifest?.Proofs.FirstOrDefault(p => p.Run == context.Run.Id && p.At == at) : null;

    static void CheckCounts(BackupManifest manifest, BackupProveOptions options)
    {
        if (options.Counts is null || manifest.Counts is null)
            return;
        foreach (var (name, count) in manifest.Counts)
            if (options.Counts.GetValueOrDefault(name) is var found && !MayBe(found, name, count, options.Counts, manifest.Counts))
                throw StepFailedException.InvalidData($"The restore of {manifest.Key} has {found} of {name}, and its manifest says {count}.", "This is no proof. Reject the backup, or find out what the restore lost.");
    }

    /// <summary>Keys with a time to live expire meanwhile, a newer version makes some indexes by itself, and a check of the source cannot be counted where nobody asks for it.</summary>
    static bool MayBe(long found, string name, long count, IReadOnlyDictionary<string, long> restored, IReadOnlyDictionary<string, long> manifest) =>
        found == count
        || name.EndsWith(Expiring, StringComparison.Ordinal)
        || (name is "constraints" or "indexes" && found > count)
        || (CountChange.IsCheck(name) && !restored.ContainsKey(name))
        || (found < count && found >= count - manifest.GetValueOrDefault(name + Expiring));

    static BackupProveOutputs Outputs(BackupManifest manifest, BackupProof proof) => new() { Key = manifest.Key, Proven = manifest.Proven, At = proof.At };
}
