namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    /// <summary>Runs whose last entry is not older than this, in the order in which they changed.</summary>
    public IReadOnlyList<RunChange> ChangedSince(DateTimeOffset moment) => Look(database => database.All(
        "SELECT run, events, last_at FROM runs WHERE last_at >= ?1 ORDER BY last_at", r => new RunChange(r.GetString(0), r.GetInt64(1), Chain.Time(r.GetString(2))), Chain.Text(moment)));

    /// <summary>How many entries the runs have whose last entry is not older than this: another number when one was added since.</summary>
    public long EntriesSince(DateTimeOffset moment) => Look(database => database.Number("SELECT CAST(sum(events) AS BIGINT) FROM runs WHERE last_at >= ?1", Chain.Text(moment)));

    /// <summary>When something was last added to any run, and how many leases are held: while nobody holds one and nothing is added, nothing happens to runs.</summary>
    public (string Newest, long Held) Standing() => Look(database =>
        (database.One("SELECT max(last_at) FROM runs", r => r.IsDBNull(0) ? "" : r.GetString(0)) ?? "", database.Number("SELECT count(*) FROM leases WHERE released = 0")));

    /// <summary>All open runs, newest first.</summary>
    public IReadOnlyList<OpenRun> OpenRuns() => Look(database => database.All("""
        SELECT r.run, r.events, l.driver, l.epoch, l.beat FROM runs r LEFT JOIN leases l ON l.number = r.number AND l.released = 0
        WHERE r.ended_at IS NULL OR r.waits_for IS NOT NULL ORDER BY r.number DESC
        """, r => new OpenRun(r.GetString(0), r.GetInt64(1), r.IsDBNull(2) ? null : new LeaseState(r.GetString(0), r.GetInt64(3), ReadDriver(r, 2), r.GetInt64(4), Released: false))));
}

/// <param name="Events">So many entries its record has.</param>
public sealed record RunChange(string Run, long Events, DateTimeOffset LastAt);

/// <summary>A run that has not ended, or in which an answer by break-glass is not ratified: as little of it as thousands of them need.</summary>
/// <param name="Lease">Who has it; null when it is free.</param>
public sealed record OpenRun(string Run, long Events, LeaseState? Lease)
{
    /// <summary>The driver did not release its lease, and its process is no more (told only on its own host).</summary>
    public bool DriverGone => Lease is { } lease && DriverIdentity.IsGone(lease.Driver);
}
