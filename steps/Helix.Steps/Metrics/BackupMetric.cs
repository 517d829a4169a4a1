using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Steps.Metrics;

public enum BackupMeasure
{
    /// <summary>Bytes of one backup before compression: how large the data is.</summary>
    Content,
    /// <summary>Bytes of one backup in the store.</summary>
    Stored,
    /// <summary>Bytes of all of them in the store. It has no history, because old ones are pruned.</summary>
    Total,
    /// <summary>One of the counts of the manifests.</summary>
    Count,
    /// <summary>Hours since the newest recovery point.</summary>
    Age,
}

public sealed record BackupMetric : MetricOrigin
{
    [Description("Where the backups are.")]
    [TargetName("s3", "directory")]
    [Example("backups")]
    public required string Store { get; init; }

    [Description("The series: the start of the keys, ending with '/'.")]
    [Example("neo4j/")]
    [MinLength(1, ErrorMessage = BackupKey.PrefixWords), RegularExpression(BackupKey.PrefixForm, ErrorMessage = BackupKey.PrefixWords)]
    public required string Prefix { get; init; }

    [Description("What is measured of them.")]
    public BackupMeasure Measure { get; init; } = BackupMeasure.Content;

    [Description("For count: its name in the manifests.")]
    [Example("label:Persona")]
    public string? Count { get; init; }

    internal override string? Target => Store;

    internal override async Task<Metric> Read(bool below, StepContext context)
    {
        if (Measure == BackupMeasure.Count == Count is null)
            throw new RunbookException("`count` names what is measured when `measure` is count, and only then.");
        await using var store = await context.Target<BackupTarget>(Store).Open(context);
        var entries = await new BackupSeries(store, Prefix).List(context.Cancelled);
        if (Measure == BackupMeasure.Total)
            return new(entries.Sum(e => e.StoredSize ?? 0));
        var manifests = entries.Where(e => e.State == BackupState.Complete).Select(e => e.Manifest!).OrderBy(m => m.RecoveryPoint).ToList();
        if (manifests.Count == 0)
            throw StepFailedException.Missing($"There is no whole backup below {Prefix} in {Store}.");
        if (Measure == BackupMeasure.Age)
            return new(Math.Round((context.Time.GetUtcNow() - manifests[^1].RecoveryPoint).TotalHours, 2));
        var history = manifests.Select(m => (m.RecoveryPoint, Value: Of(m))).Where(p => p.Value is not null).Select(p => (p.RecoveryPoint, (double)p.Value!)).ToList();
        return history.Count == 0
            ? throw StepFailedException.Missing($"No backup below {Prefix} counted '{Count}'.", $"Counted: {string.Join(", ", manifests[^1].Counts?.Keys ?? [])}.")
            : new(history[^1].Item2) { History = history };
    }

    long? Of(BackupManifest manifest) => Measure switch
    {
        BackupMeasure.Content => manifest.Content.Size,
        BackupMeasure.Stored => manifest.Stored.Size,
        _ => manifest.Counts?.TryGetValue(Count!, out var value) == true ? value : null,
    };
}
