using System.Data.Common;
using System.Text.Json;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    /// <summary>Registers a run with its first event, and takes the lease for the driver in the same transaction.</summary>
    /// <remarks>The record begins with run-started (1) and lease-taken (2).</remarks>
    /// <exception cref="RunbookException">There is a run of this name already.</exception>
    public Lease Create(string run, RunStarted started, Driver driver) => Create(run, started, driver, []).Created!;

    /// <summary>The same with its locks, all or none: without them there is no run.</summary>
    /// <returns>Null, and who is in the way.</returns>
    public (Lease? Created, IReadOnlyList<HeldLock> Held) Create(string run, RunStarted started, Driver driver, IReadOnlyList<PlannedLock> locks) => WriteTogether<(Lease?, IReadOnlyList<HeldLock>)>(() =>
    {
        Alone(Room.Register);
        if (_durable.Number("SELECT count(*) FROM register WHERE run = ?1", run) > 0)
            throw new RunbookException($"There is a run {run} in the store already.");
        if (locks.Count > 0 && LockAll(run, locks) is { Count: > 0 } held)
            return (null, held);
        var row = RegisterRow.Begin(NextNumber(), run, started, _time.GetUtcNow());
        InsertRow(row);
        var first = Add(row, epoch: 1, by: null, [started]);
        Register(row.Number, run, first[0].Hash);
        SetLease(row.Number, 1, driver);
        Add(row, epoch: 1, by: null, [new LeaseTaken(driver, "start")]);
        return (new Lease(run, 1, driver), []);
    });

    /// <summary>Appends as the driver. All in one transaction.</summary>
    /// <remarks>After a <see cref="StoreLostException"/> it is not known whether the events are there: read before appending them again.</remarks>
    /// <exception cref="LeaseLostException">The lease has a newer epoch.</exception>
    /// <exception cref="StoreLostException">The store cannot be written (disk full, read-only, vanished).</exception>
    public IReadOnlyList<JournalEntry> Append(Lease lease, params IReadOnlyList<RunEvent> events) => Append(lease, long.MaxValue, events);

    /// <summary>The same, for a driver that may have lost the answer to an append: entries of this lease behind <paramref name="known"/> are those, and are given instead of being appended twice.</summary>
    public IReadOnlyList<JournalEntry> Append(Lease lease, long known, IReadOnlyList<RunEvent> events)
    {
        var added = WriteTogether<IReadOnlyList<JournalEntry>>(() =>
        {
            var row = Row(lease.Run);
            var held = LeaseOf(row)!;
            if (held.Epoch > lease.Epoch)
                throw new LeaseLostException(lease.Run, lease.Epoch, held.Epoch);
            if (held.Epoch < lease.Epoch || held.Released)
                throw new InvalidOperationException($"An append to run {lease.Run} under epoch {lease.Epoch}, which is released or was never taken.");
            if (row.Events > known && Entries(_durable, row.Number, known, long.MaxValue) is var since && since.Any(e => e.Epoch == lease.Epoch))
                return [.. since.Where(e => e.Epoch == lease.Epoch).Select(e => e.Read(lease.Run))];
            var entries = Add(row, lease.Epoch, by: null, events);
            Failpoint.BeforeCommit();
            return entries;
        });
        Failpoint.AfterCommit();
        return added;
    }

    /// <summary>Appends as a person; needs no lease. <paramref name="guard"/> sees the entries so far inside the transaction and may refuse by returning other events (as decision-refused) or none.</summary>
    public IReadOnlyList<JournalEntry> Append(string run, Person by, Func<IReadOnlyList<JournalEntry>, IReadOnlyList<RunEvent>> guard)
    {
        // Entries never change, so the long part is read before the write lock is taken.
        var known = new List<JournalEntry>(Read(run));
        return Write(() =>
        {
            var row = Row(run);
            known.AddRange(Entries(_durable, row.Number, known.Count, long.MaxValue).Select(e => e.Read(run)));
            return Add(row, epoch: 0, by, guard(known));
        });
    }

    /// <summary>Entries after a sequence number.</summary>
    public IReadOnlyList<JournalEntry> Read(string run, long after)
    {
        var raw = Look(database => Entries(database, NumberOf(database, run), after, long.MaxValue));
        return raw.ConvertAll(e => e.Read(run));
    }

    /// <summary>All entries. They never change, so of the run that was read last only those are read that came since.</summary>
    public IReadOnlyList<JournalEntry> Read(string run)
    {
        var last = _lastRead;
        var known = last?.Run == run ? last.Entries : [];
        var since = Read(run, known.Count);
        if (since.Count == 0)
            return known;
        var whole = new WholeRecord(run, [.. known, .. since]);
        _lastRead = whole;
        return whole.Entries;
    }

    sealed record WholeRecord(string Run, IReadOnlyList<JournalEntry> Entries);

    volatile WholeRecord? _lastRead;

    /// <summary>Changes when another connection wrote; cheap to poll.</summary>
    public long DataVersion() => Look(_dialect.Version);

    List<JournalEntry> Add(RegisterRow row, long epoch, Person? by, IReadOnlyList<RunEvent> events)
    {
        var added = new List<JournalEntry>(events.Count);
        foreach (var happened in events)
        {
            var now = _time.GetUtcNow().ToUniversalTime();
            var at = now < row.LastAt ? row.LastAt : now; // a clock that was set back does not reorder the record
            var raw = Chain.Link(row.Head, row.Events + 1, at, epoch, by, happened);
            Insert(row.Number, raw);
            var entry = new JournalEntry { Sequence = raw.Sequence, At = at, Epoch = epoch, By = by, Event = happened, Hash = raw.Hash };
            row.Apply(entry);
            RecordDuration(row, entry);
            if (happened is RunEnded)
                RemoveLocks(row.Run);
            added.Add(entry);
        }
        if (added.Count > 0)
            Save(row);
        return added;
    }

    void Insert(long number, RawEntry e) => _durable.Run(
        "INSERT INTO events (number, sequence, at, epoch, by, event, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        number, e.Sequence, e.At, e.Epoch, e.By, e.Event, e.Hash);

    static List<RawEntry> Entries(Database database, long number, long after, long limit) => database.All(
        "SELECT sequence, at, epoch, by, event, hash FROM events WHERE number = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
        r => new RawEntry(r.GetInt64(0), r.GetString(1), r.GetInt64(2), r.IsDBNull(3) ? null : r.GetString(3), r.GetString(4), r.GetString(5)),
        number, after, limit);

    long NumberOf(Database database, string run)
    {
        var number = database.Number("SELECT number FROM runs WHERE run = ?1", run);
        return number > 0 ? number : throw NoRun(run);
    }

    RunbookException NoRun(string run) => new($"There is no run '{run}' in the store {StorePath}.", "`helix runs` lists them.");

    static string DriverText(Driver driver) => JsonSerializer.Serialize(driver, Chain.Options);
    static Driver ReadDriver(DbDataReader r, int column) => JsonSerializer.Deserialize<Driver>(r.GetString(column), Chain.Options)!;
}
