namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    /// <summary>Runs whose last entry is not older than this, in the order in which they changed.</summary>
    public IReadOnlyList<RunChange> ChangedSince(DateTimeOffset moment) => Look(database => database.All(
        "SELECT run, events, last_at FROM runs WHERE last_at >= ?1 ORDER BY last_at", r => new RunChange(r.GetString(0), r.GetInt64(1), Chain.Time(r.GetString(2))), Chain.Text(moment)));
}

/// <param name="Events">So many entries its record has.</param>
public sealed record RunChange(string Run, long Events, DateTimeOffset LastAt);
