using System.Text.Json;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    const int Chunk = 1000;

    /// <summary>Checks the chain of a run, and against a head kept elsewhere if one is given. Empty: sound.</summary>
    public IReadOnlyList<string> Verify(string run, string? head = null)
    {
        var check = new ChainCheck(run, head);
        if (Look(database => database.All("SELECT head, events FROM runs WHERE run = ?1", r => (r.GetString(0), r.GetInt64(1)), run)) is not [var (registered, events)])
            throw NoRun(run);
        // Of a run under way there may be more by now than the register said.
        var then = "";
        foreach (var raw in Raw(run))
        {
            check.Take(raw);
            then = raw.Sequence == events ? raw.Hash : then;
        }
        check.End();
        if (check.Sound && check.Last < events)
            check.Fault($"Run {run} has {check.Last} entries where the register says {events}: the end was cut off.");
        else if (check.Sound && then != registered)
            check.Fault($"Run {run} does not end with the hash that the register has.");
        if (check.Sound)
            CheckBytes(run, check);
        return check.Faults;
    }

    /// <summary>Checks that every run ever started is still there with its first entry, and the register's chain itself. Empty: sound.</summary>
    public IReadOnlyList<string> VerifyRegister(string? head = null)
    {
        var rows = Look(database => database.All("""
            SELECT g.number, g.run, g.first, g.hash, e.hash FROM register g
            LEFT JOIN runs r ON r.number = g.number AND r.run = g.run LEFT JOIN events e ON e.number = r.number AND e.sequence = 1 ORDER BY g.number
            """, r => (Number: r.GetInt64(0), Run: r.GetString(1), First: r.GetString(2), Hash: r.GetString(3), Found: r.IsDBNull(4) ? null : r.GetString(4))));
        var faults = new List<string>();
        var (previous, next, seen) = (Chain.Hash("helix-register"), 1L, head is null);
        foreach (var row in rows)
        {
            if (row.Number != next || row.Hash != RegisterHash(previous, row.Number, row.Run, row.First))
            {
                faults.Add($"The register is broken at number {next} (found: {row.Number}, run {row.Run}): a run was removed or changed.");
                break;
            }
            if (row.Found != row.First)
                faults.Add($"Run {row.Run} was started, and its {(row.Found is null ? "record is missing" : "first entry is another now")}.");
            (previous, next, seen) = (row.Hash, next + 1, seen || row.Hash == head);
        }
        var strays = Look(database => database.All("SELECT run FROM runs WHERE run NOT IN (SELECT run FROM register) ORDER BY number", r => r.GetString(0)));
        faults.AddRange(strays.Select(run => $"Run {run} is not in the register."));
        if (faults.Count == 0 && !seen)
            faults.Add($"The register never had the head {head}: it was written anew or cut off.");
        return faults;
    }

    /// <summary>All entries as JSON lines.</summary>
    public void Export(string run, TextWriter to)
    {
        foreach (var raw in Raw(run))
            to.Write(RecordLine.Of(run, raw) + "\n");
    }

    /// <summary>Copies the record, what it names, lease and locks of a run to another store, for a driver that goes on there.</summary>
    /// <remarks>The other store may have the beginning of the same record already. Logs stay behind.</remarks>
    /// <exception cref="RunbookException">The record is broken, or the other store has a different one of this name.</exception>
    public void CopyRun(string run, JournalStore to)
    {
        var lease = ReadLease(run);
        to.Accept(run, [.. Raw(run)], lease, Locks().Where(l => l.Run == run));
        foreach (var sha256 in BytesNamedBy(Read(run)))
            if (Kept(sha256) is { } bytes)
                to.Keep(bytes);
    }

    /// <summary>The same from memory, for when the first store cannot even be read any more.</summary>
    public void Accept(Lease lease, IReadOnlyList<JournalEntry> entries) => Accept(
        lease.Run,
        entries.Select(e => new RawEntry(e.Sequence, Chain.Text(e.At), e.Epoch, e.By is null ? null : JsonSerializer.Serialize(e.By, Chain.Options),
            JsonSerializer.Serialize(e.Event, Chain.Options), e.Hash)).ToList(),
        new LeaseState(lease.Run, lease.Epoch, lease.Driver, 0, Released: false), []);

    void Accept(string run, List<RawEntry> entries, LeaseState? lease, IEnumerable<HeldLock> locks)
    {
        var check = new ChainCheck(run, head: null);
        entries.ForEach(check.Take);
        check.End();
        if (!check.Sound)
            throw new RunbookException($"Run {run} is not copied to {StorePath}: {check.Faults[0]}");
        Write(() =>
        {
            Alone(Room.Register);
            var row = IsRegistered(run) ? Row(run) : Begin(run, entries[0]);
            if (row.Events > 0 && (row.Events > entries.Count || entries[(int)row.Events - 1].Hash != row.Head))
                throw new RunbookException($"The store {StorePath} has another record of run {run}.");
            foreach (var raw in entries.Skip((int)row.Events))
            {
                Insert(row.Number, raw);
                var entry = raw.Read(run);
                row.Apply(entry);
                RecordDuration(row, entry);
            }
            Save(row);
            if (lease is not null)
                _durable.Run(NewLease, row.Number, lease.Epoch, DriverText(lease.Driver), lease.Beat, lease.Released);
            foreach (var held in locks)
                _durable.Run("INSERT INTO locks (identity, run, target, shared, since) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                    held.Identity, run, held.Target, held.Shared, Chain.Text(held.Since));
            return true;
        });
    }

    RegisterRow Begin(string run, RawEntry first)
    {
        var entry = first.Read(run);
        var row = RegisterRow.Begin(NextNumber(), run, (RunStarted)entry.Event, entry.At);
        InsertRow(row);
        Register(row.Number, run, first.Hash);
        return row;
    }

    void CheckBytes(string run, ChainCheck check)
    {
        foreach (var sha256 in BytesNamedBy(Read(run)))
            if (Kept(sha256) is { } bytes && Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)) != sha256)
                check.Fault($"The bytes that run {run} keeps as {sha256} are others now.");
    }

    static IEnumerable<string> BytesNamedBy(IReadOnlyList<JournalEntry> entries) => entries.SelectMany(e => e.Event switch
    {
        RunStarted started => started.Pinned.Values,
        RunbookReplaced replaced => replaced.Pinned.Values,
        FileAttached attached => [attached.Sha256],
        _ => Enumerable.Empty<string>(),
    }).Distinct();

    /// <summary>In chunks, so that no long reader keeps the log of the database from being reused.</summary>
    IEnumerable<RawEntry> Raw(string run)
    {
        var number = Look(database => NumberOf(database, run));
        long after = 0;
        while (true)
        {
            var chunk = Look(database => Entries(database, number, after, Chunk));
            foreach (var raw in chunk)
                yield return raw;
            if (chunk.Count < Chunk)
                yield break;
            after = chunk[^1].Sequence;
        }
    }
}
