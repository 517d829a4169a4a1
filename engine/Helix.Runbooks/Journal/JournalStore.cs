using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

/// <summary>The journal of all runs in one SQLite file (WAL, <c>synchronous=FULL</c>): events, leases, locks, pinned bytes, logs.</summary>
/// <remarks>Every append takes the head of the run's chain in one transaction and is on disk when the call returns.</remarks>
public sealed partial class JournalStore : IDisposable
{
    /// <summary>Opens or creates the store.</summary>
    /// <exception cref="RunbookException">The file is no store of this tool, is of a newer version, or cannot be read.</exception>
    public static JournalStore Open(string path, TimeProvider time) => throw new NotImplementedException(path + time);

    public string StorePath => throw new NotImplementedException();

    // ---- events ----

    /// <summary>Registers a run with its first event, and takes the lease for the driver in the same transaction.</summary>
    public Lease Create(string run, RunStarted started, Driver driver) => throw new NotImplementedException();

    /// <summary>Appends as the driver. All in one transaction.</summary>
    /// <exception cref="LeaseLostException">The lease has a newer epoch.</exception>
    /// <exception cref="StoreLostException">The store cannot be written (disk full, read-only, vanished).</exception>
    public IReadOnlyList<JournalEntry> Append(Lease lease, params IReadOnlyList<RunEvent> events) => throw new NotImplementedException();

    /// <summary>Appends as a person; needs no lease. <paramref name="guard"/> sees the entries so far inside the transaction and may refuse by returning other events (as decision-refused) or none.</summary>
    public IReadOnlyList<JournalEntry> Append(string run, Person by, Func<IReadOnlyList<JournalEntry>, IReadOnlyList<RunEvent>> guard) => throw new NotImplementedException();

    /// <summary>Entries after a sequence number.</summary>
    public IReadOnlyList<JournalEntry> Read(string run, long after = 0) => throw new NotImplementedException();

    /// <summary>Changes when another connection wrote (SQLite <c>data_version</c>); cheap to poll.</summary>
    public long DataVersion() => throw new NotImplementedException();

    // ---- lease ----

    /// <summary>Takes the lease with the next epoch if it is free or released; else says who holds it.</summary>
    public (Lease? Taken, LeaseState Held) TryTake(string run, Driver driver, string reason) => throw new NotImplementedException();

    /// <summary>Takes it from a holder whose heartbeat counter stood still for the taker's own observation, or by force.</summary>
    public Lease Take(string run, Driver driver, string reason, LeaseState observed) => throw new NotImplementedException();

    /// <summary>Moves the heartbeat counter. False when the lease is lost.</summary>
    public bool Beat(Lease lease) => throw new NotImplementedException();
    public void Release(Lease lease) => throw new NotImplementedException();
    public LeaseState? ReadLease(string run) => throw new NotImplementedException();

    // ---- register ----

    /// <summary>Every run ever started, newest first; one indexed query.</summary>
    public IReadOnlyList<RunSummary> Runs(int limit = 100, string? runbook = null, bool openOnly = false) => throw new NotImplementedException();

    /// <summary>The run whose id is this or begins uniquely with this.</summary>
    /// <exception cref="RunbookException">None, or several.</exception>
    public string Resolve(string idOrPrefix) => throw new NotImplementedException();

    /// <summary>Earlier durations of the succeeded attempts of a step, newest first, for the ETA.</summary>
    public IReadOnlyList<TimeSpan> Durations(string runbook, string path, int limit = 20) => throw new NotImplementedException();

    // ---- locks ----

    /// <summary>All or none, in sorted order. Empty when taken; else who holds what.</summary>
    public IReadOnlyList<HeldLock> TakeLocks(string run, IReadOnlyList<LockRequest> requests) => throw new NotImplementedException();
    public void ReleaseLocks(string run) => throw new NotImplementedException();
    public IReadOnlyList<HeldLock> Locks() => throw new NotImplementedException();

    /// <summary>Breaks one lock; the reason goes into the record of the run that held it.</summary>
    public void BreakLock(string identity, Person by, string reason) => throw new NotImplementedException();

    // ---- bytes ----

    /// <summary>Keeps bytes under their SHA-256.</summary>
    public string Keep(byte[] bytes) => throw new NotImplementedException();
    public byte[]? Kept(string sha256) => throw new NotImplementedException();

    // ---- logs (not part of the hash chain; already masked) ----
    public void Log(string run, IReadOnlyList<LogLine> lines) => throw new NotImplementedException();
    public IReadOnlyList<LogLine> Logs(string run, string? path = null, long after = 0, int limit = 10_000) => throw new NotImplementedException();

    // ---- record ----

    /// <summary>Checks the chain of a run, and against a head kept elsewhere if one is given. Empty: sound.</summary>
    public IReadOnlyList<string> Verify(string run, string? head = null) => throw new NotImplementedException();

    /// <summary>All entries as JSON lines.</summary>
    public void Export(string run, TextWriter to) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}

/// <summary>The right to drive a run.</summary>
public sealed record Lease(string Run, long Epoch, Driver Driver);

/// <summary>A lease as stored. <see cref="Beat"/> is a counter, never a time: its age is what the observer saw on its own clock.</summary>
public sealed record LeaseState(string Run, long Epoch, Driver Driver, long Beat, bool Released);

public sealed record LockRequest(string Identity, string Target, bool Shared);
public sealed record HeldLock(string Identity, string Target, bool Shared, string Run, string Runbook, DateTimeOffset Since);

public sealed record LogLine(long Sequence, DateTimeOffset At, string Path, int Attempt, string Stream, string Text);

/// <summary>One row of the register, kept up to date by the appends themselves.</summary>
public sealed record RunSummary
{
    public required string Run { get; init; }
    public required string Runbook { get; init; }
    public required string Environment { get; init; }
    public required string Mode { get; init; }

    /// <summary>running, waiting, suspended, succeeded, failed, cancelled or rejected.</summary>
    public required string Status { get; init; }
    public required string Operator { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public TimeSpan? Rta { get; init; }
    public TimeSpan? Rpa { get; init; }
    public bool? ObjectivesMet { get; init; }
    public string? WaitsFor { get; init; }
    public required string Head { get; init; }
    public required long Events { get; init; }
}

/// <summary>Another driver has a newer epoch: stop at once.</summary>
public sealed class LeaseLostException(string run, long epoch, long newer)
    : Exception($"The lease of run {run} with epoch {epoch} is lost: epoch {newer} holds it.");

/// <summary>The store cannot be written. The run parks before its next effect.</summary>
public sealed class StoreLostException(string what, Exception inner) : Exception(what, inner);
