using System.Data.Common;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    const string HeldLocks = """
        SELECT k.identity, k.target, k.shared, k.run, k.since, r.runbook, r.operator, r.status, r.ended_at, l.driver, l.released
        FROM locks k LEFT JOIN runs r ON r.run = k.run LEFT JOIN leases l ON l.number = r.number
        """;

    /// <summary>All or none, in sorted order. Empty when taken; else who holds what.</summary>
    /// <remarks>A run may ask again; what it holds exclusively stays so. They are released with the event that ends the run.</remarks>
    public IReadOnlyList<HeldLock> TakeLocks(string run, IReadOnlyList<PlannedLock> requests) => WriteTogether(() => LockAll(run, requests));

    /// <summary>What would be in the way of taking them now.</summary>
    public IReadOnlyList<HeldLock> InTheWay(string run, IReadOnlyList<PlannedLock> requests) => Look(database => InTheWay(database, run, Strictest(requests)));

    List<HeldLock> LockAll(string run, IReadOnlyList<PlannedLock> requests)
    {
        Alone(Room.Locks);
        var wanted = Strictest(requests);
        if (InTheWay(_durable, run, wanted) is { Count: > 0 } inTheWay)
            return inTheWay;
        var now = Chain.Text(_time.GetUtcNow());
        foreach (var held in wanted)
            _durable.Run("""
                INSERT INTO locks (identity, run, target, shared, since) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT (identity, run) DO UPDATE SET shared = locks.shared * excluded.shared
                """, held.Identity, run, held.Target, held.Shared, now);
        return [];
    }

    /// <summary>One target may be asked for twice; the stricter wish counts.</summary>
    static List<PlannedLock> Strictest(IReadOnlyList<PlannedLock> requests) =>
        [.. requests.GroupBy(r => r.Identity, StringComparer.Ordinal).Select(g => g.OrderBy(r => r.Shared).First()).OrderBy(r => r.Identity, StringComparer.Ordinal)];

    static List<HeldLock> InTheWay(Database database, string run, List<PlannedLock> wanted) => [.. wanted.SelectMany(w => database.All(
        HeldLocks + " WHERE k.identity = ?1 AND k.run <> ?2 AND (k.shared = 0 OR ?3 = 0) ORDER BY k.since, k.run", ReadLock, w.Identity, run, w.Shared))];

    public void ReleaseLocks(string run) => WriteTogether(() => RemoveLocks(run));

    public IReadOnlyList<HeldLock> Locks() => Look(database => database.All(HeldLocks + " ORDER BY k.identity, k.since, k.run", ReadLock));

    /// <summary>Breaks one lock, for all that share it; the reason goes into the record of each run that held it.</summary>
    /// <exception cref="RunbookException">Nobody holds it, or there is no reason.</exception>
    public void BreakLock(string identity, Person by, string reason)
    {
        if (string.IsNullOrWhiteSpace(reason))
            throw new RunbookException($"The lock '{identity}' is broken only with a reason.", "--reason says why; it goes into the record of the run that held it.");
        Write(() =>
        {
            Alone(Room.Locks);
            var holders = _durable.All("SELECT run FROM locks WHERE identity = ?1 ORDER BY run", r => r.GetString(0), identity);
            if (holders.Count == 0)
                throw new RunbookException($"Nobody holds a lock '{identity}'.", "`helix locks list` shows what is held.");
            foreach (var run in holders.Where(IsRegistered))
                Add(Row(run), epoch: 0, by, [new LockBroken(identity, reason)]);
            return _durable.Run("DELETE FROM locks WHERE identity = ?1", identity);
        });
    }

    int RemoveLocks(string run) => _durable.Run("DELETE FROM locks WHERE run = ?1", run);

    // Locks may be taken before the run is registered; a crash in between leaves one without a record to write into.
    bool IsRegistered(string run) => _durable.Number("SELECT count(*) FROM runs WHERE run = ?1", run) > 0;

    static HeldLock ReadLock(DbDataReader r)
    {
        var driver = r.IsDBNull(9) || r.GetInt64(10) != 0 ? null : ReadDriver(r, 9);
        var gone = driver is not null && r.IsDBNull(8) && DriverIdentity.IsGone(driver);
        var status = r.IsDBNull(7) ? null : r.GetString(7);
        return new HeldLock(r.GetString(0), r.GetString(1), r.GetInt64(2) != 0, r.GetString(3), r.IsDBNull(5) ? "" : r.GetString(5), Chain.Time(r.GetString(4)))
        {
            Operator = r.IsDBNull(6) ? null : r.GetString(6),
            Status = status == "running" && (gone || driver is null) ? "suspended" : status,
            Driver = driver,
            DriverGone = gone,
        };
    }
}
