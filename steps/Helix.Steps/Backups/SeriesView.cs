using System.Text.Json.Nodes;

namespace Helix.Steps.Backups;

/// <summary>A series as every list shows it: how old each backup is, and what would be lost if somebody recovered this minute.</summary>
/// <param name="Entries">Newest recovery point first.</param>
/// <param name="Objective">What may be lost; null: nobody said.</param>
public sealed record SeriesView(IReadOnlyList<BackupEntry> Entries, DateTimeOffset Now, TimeSpan? Objective)
{
    /// <summary>With the newest complete one; null: everything would be lost.</summary>
    public TimeSpan? Loss => Now - Complete.Max(m => (DateTimeOffset?)m.RecoveryPoint);
    public TimeSpan? LossProven => Now - Complete.Where(m => m.Proven).Max(m => (DateTimeOffset?)m.RecoveryPoint);
    public bool IsBeyond => Objective is { } most && (Loss is null || Loss > most);

    public TimeSpan? AgeOf(BackupEntry entry) => Now - entry.Manifest?.RecoveryPoint;

    /// <param name="entry">How one of them is shown.</param>
    public JsonObject ToJson(Func<BackupEntry, JsonObject> entry) => new()
    {
        ["backups"] = new JsonArray([.. Entries.Select(entry)]),
        ["rpoNowSeconds"] = Loss?.TotalSeconds,
        ["rpoNowProvenSeconds"] = LossProven?.TotalSeconds,
        ["rpoSeconds"] = Objective?.TotalSeconds,
        ["beyondObjective"] = IsBeyond,
    };

    IEnumerable<BackupManifest> Complete => Entries.Where(e => e.State == BackupState.Complete).Select(e => e.Manifest!);
}
