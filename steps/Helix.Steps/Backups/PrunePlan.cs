using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>What a prune would keep and remove, and why.</summary>
public sealed record PrunePlan
{
    public required IReadOnlyList<BackupEntry> Keep { get; init; }
    public required IReadOnlyList<BackupEntry> Remove { get; init; }

    /// <summary>Of those that would go, what the store itself holds, by key, and why.</summary>
    public IReadOnlyDictionary<string, string> Held { get; init; } = new Dictionary<string, string>();

    /// <summary>One line for each backup.</summary>
    public required IReadOnlyList<string> Table { get; init; }

    /// <summary>Why nothing may be removed at all.</summary>
    public string? Refusal { get; init; }

    /// <exception cref="StepFailedException">The listing is not complete.</exception>
    public static async Task<PrunePlan> Make(BackupStore store, BackupPruneOptions options, DateTimeOffset now, CancellationToken cancelled)
    {
        var plan = Of(await new BackupSeries(store, options.Prefix).List(cancelled), options, now);
        var (ended, live) = (new List<OpenUpload>(), new List<OpenUpload>());
        foreach (var upload in await store.OpenUploads(options.Prefix, cancelled))
            (await IsUnderWay(store, upload, options, now, cancelled) ? live : ended).Add(upload);
        var held = new Dictionary<string, string>();
        foreach (var entry in plan.Refusal is null ? plan.Remove : [])
            if (await store.HeldBy(entry.Key, cancelled) is { } hold)
                held[entry.Key] = hold;
        return plan with
        {
            Held = held,
            Table = [.. plan.Table, .. held.Select(h => $"held    {h.Key}: {h.Value}"), .. ended.Select(u => $"ended   the upload of {u.Key}, open since {u.Since:u}")],
            Refusal = plan.Refusal ?? (live.Count > 0 ? UnderWay(live[0]) : null),
        };
    }

    /// <summary>Of an upload that has not ended: somebody goes on with it.</summary>
    internal static async Task<bool> IsUnderWay(BackupStore store, OpenUpload upload, BackupPruneOptions options, DateTimeOffset now, CancellationToken cancelled) =>
        now - upload.Since < options.AbandonedAfter || now - await store.LastMoved(upload, cancelled) < options.AbandonedAfter;

    internal static string UnderWay(OpenUpload upload) => $"an upload of {upload.Key} is under way since {upload.Since:u}.";

    public static PrunePlan Of(IReadOnlyList<BackupEntry> entries, BackupPruneOptions options, DateTimeOffset now)
    {
        if (options.SaysNothing)
            throw new RunbookException("backup.prune has no rule: not one of keepHourly to keepYearly is given.", "Say what to keep, as keepDaily: 14.");
        var complete = entries.Where(e => e.State == BackupState.Complete).ToList();
        var manifests = complete.Select(e => e.Manifest!).ToList();
        var reasons = options.Reasons(manifests);
        var verdicts = entries.Select(e => (Entry: e, Why: IsLeftover(e) ? WhyLeft(e, manifests, options, now) : WhyKept(e, reasons, options, now))).ToList();
        var remove = verdicts.Where(v => v.Why is null).Select(v => v.Entry).ToList();
        return new()
        {
            Keep = [.. verdicts.Where(v => v.Why is not null).Select(v => v.Entry)],
            Remove = remove,
            Table = [.. verdicts.Select(v => Line(v.Entry, v.Why))],
            Refusal = WhyNothing(entries, complete, remove, options),
        };
    }

    /// <summary>What a prune that was cut off left: the object is gone, the manifest not yet.</summary>
    static bool IsLeftover(BackupEntry entry) => entry is { State: BackupState.Damaged, StoredSize: null, Manifest: { } m } && m.Key == entry.Key;

    /// <returns>Null when no rule would keep it if it were whole; else its object is missed.</returns>
    static string? WhyLeft(BackupEntry entry, List<BackupManifest> complete, BackupPruneOptions options, DateTimeOffset now) =>
        entry.Manifest!.FoundBad ? WhyBad(entry, options, now) :
        options.Reasons([.. complete.Append(entry.Manifest!).OrderByDescending(m => m.RecoveryPoint)])[entry.Key].Count == 0 ? null : $"left alone: {entry.Problem}";

    /// <summary>Somebody may want to see why it was found bad.</summary>
    static string? WhyBad(BackupEntry entry, BackupPruneOptions options, DateTimeOffset now) =>
        now - entry.Manifest!.Proofs[^1].At < options.RejectedAfter ? $"{entry.Problem}; not yet {options.RejectedAfter} ago" : null;

    /// <returns>Null when it may go.</returns>
    static string? WhyKept(BackupEntry entry, IReadOnlyDictionary<string, IReadOnlyList<string>> reasons, BackupPruneOptions options, DateTimeOffset now) => entry.State switch
    {
        BackupState.Complete => reasons[entry.Key] is { Count: > 0 } why ? string.Join(", ", why) : null,
        BackupState.Rejected => now - entry.Manifest!.Rejected!.At < options.RejectedAfter ? $"{entry.Problem}; not yet {options.RejectedAfter} ago" : null,
        BackupState.Partial => now - entry.Manifest!.RecoveryPoint < options.RejectedAfter ? $"{entry.Problem}; not yet {options.RejectedAfter} old" : null,
        BackupState.FoundBad => WhyBad(entry, options, now),
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
