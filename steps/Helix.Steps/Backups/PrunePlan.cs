using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>What a prune would keep and remove, and why.</summary>
public sealed record PrunePlan
{
    public required IReadOnlyList<BackupEntry> Keep { get; init; }
    public required IReadOnlyList<BackupEntry> Remove { get; init; }

    /// <summary>One line for each backup.</summary>
    public required IReadOnlyList<string> Table { get; init; }

    /// <summary>Why nothing may be removed at all.</summary>
    public string? Refusal { get; init; }

    /// <exception cref="StepFailedException">The listing is not complete.</exception>
    public static async Task<PrunePlan> Make(BackupStore store, BackupPruneOptions options, PlanContext context)
    {
        var entries = await new BackupSeries(store, options.Prefix).List(context.Cancelled);
        return Of(entries, options, context.Time.GetUtcNow());
    }

    public static PrunePlan Of(IReadOnlyList<BackupEntry> entries, BackupPruneOptions options, DateTimeOffset now)
    {
        if (options.SaysNothing)
            throw new RunbookException("backup.prune has no rule: not one of keepHourly to keepYearly is given.", "Say what to keep, as keepDaily: 14.");
        var complete = entries.Where(e => e.State == BackupState.Complete).ToList();
        var reasons = options.Reasons([.. complete.Select(e => e.Manifest!)]);
        var verdicts = entries.Select(e => (Entry: e, Why: WhyKept(e, reasons, options, now))).ToList();
        var remove = verdicts.Where(v => v.Why is null).Select(v => v.Entry).ToList();
        return new()
        {
            Keep = [.. verdicts.Where(v => v.Why is not null).Select(v => v.Entry)],
            Remove = remove,
            Table = [.. verdicts.Select(v => Line(v.Entry, v.Why))],
            Refusal = WhyNothing(entries, complete, remove, options),
        };
    }

    /// <returns>Null when it may go.</returns>
    static string? WhyKept(BackupEntry entry, IReadOnlyDictionary<string, IReadOnlyList<string>> reasons, BackupPruneOptions options, DateTimeOffset now) => entry.State switch
    {
        BackupState.Complete => reasons[entry.Key] is { Count: > 0 } why ? string.Join(", ", why) : null,
        BackupState.Rejected => now - entry.Manifest!.Rejected!.At < options.RejectedAfter ? $"{entry.Problem}; not yet {options.RejectedAfter} ago" : null,
        BackupState.Partial => now - entry.Manifest!.RecoveryPoint < options.RejectedAfter ? $"{entry.Problem}; not yet {options.RejectedAfter} old" : null,
        // Somebody must look at these; what has no manifest was perhaps never made by this tool.
        _ => $"left alone: {entry.Problem}",
    };

    static string? WhyNothing(IReadOnlyList<BackupEntry> entries, List<BackupEntry> complete, List<BackupEntry> remove, BackupPruneOptions options)
    {
        if (remove.Count > options.MaxRemoved)
            return $"{remove.Count} backups would go, and maxRemoved is {options.MaxRemoved}.";
        if (complete.Count == 0)
            return remove.Count == 0 ? null : "there is no complete backup.";
        var newest = complete[0].Manifest!.RecoveryPoint;
        return entries.FirstOrDefault(e => e.State is BackupState.Partial or BackupState.Damaged && e.Manifest?.RecoveryPoint > newest) is { } bad && remove.Count > 0
            ? $"{bad.Key} came after the newest complete one, and {bad.Problem}."
            : null;
    }

    static string Line(BackupEntry entry, string? why) =>
        $"{(why is null ? "remove" : "keep  ")}  {entry.Manifest?.RecoveryPoint.UtcDateTime.ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture) ?? "unknown time    "}  {ByteSize.Words(entry.StoredSize ?? 0),10}  {entry.Key}  {why ?? "no rule keeps it"}";
}
