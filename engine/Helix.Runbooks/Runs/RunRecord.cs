using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>A run under way: its store, its lease and its state, kept in step. Safe for several threads.</summary>
sealed class RunRecord(JournalStore store, Lease lease, IReadOnlyList<JournalEntry> entries, Masker masker, CancellationToken lost)
{
    readonly List<JournalEntry> _entries = [.. entries];
    readonly RunState _state = RunState.Of(lease.Run, entries);
    readonly Lock _lock = new();
    long _version = -1;

    public Lease Lease { get; } = lease;
    public JournalStore Store => store;

    /// <summary>All that is known of the run, for when the store cannot even be read any more.</summary>
    public IReadOnlyList<JournalEntry> Entries => _entries;

    Exception? _broken;

    /// <summary>Set when the lease or the store is lost: nothing may be done any more.</summary>
    public Exception? Broken => _broken ?? (lost.IsCancellationRequested ? Lost() : null);

    public T Read<T>(Func<RunState, T> read)
    {
        lock (_lock)
            return read(_state);
    }

    /// <summary>Durable when this returns. Nothing that was resolved from a reference gets into the journal, whoever put it into an event.</summary>
    public void Append(params IReadOnlyList<RunEvent> events)
    {
        lock (_lock)
        {
            try
            {
                IReadOnlyList<RunEvent> masked = [.. events.Select(e => EventMask.Of(e, masker))];
                TakeIn(WhenBack(() => store.Append(Lease, _state.LastSequence, masked)));
            }
            catch (Exception e) when (e is LeaseLostException or StoreLostException)
            {
                _broken ??= e;
                throw;
            }
        }
    }

    /// <summary>Takes in what people wrote since. True when there was something.</summary>
    public bool Refresh()
    {
        lock (_lock)
        {
            try
            {
                var version = store.DataVersion();
                if (version == _version)
                    return false;
                _version = version;
                var before = _state.LastSequence;
                Apply(store.Read(Lease.Run, before));
                return _state.LastSequence != before;
            }
            catch (StoreLostException e) when (e.MayComeBack)
            {
                // Nothing new is known, and nothing starts: that would be appended before.
                if (!lost.IsCancellationRequested)
                    return false;
                // It was away for longer than the lease holds, and that is what ended the drive.
                _broken ??= Lost();
                throw _broken;
            }
            catch (Exception e) when (e is LeaseLostException or StoreLostException)
            {
                _broken ??= e;
                throw;
            }
        }
    }

    public static RunRecord Of(JournalStore store, Lease lease, Masker masker, CancellationToken lost) =>
        new(store, lease, WhenBack(() => store.Read(lease.Run), () => new HeldException(LostBy(lease).Message), lost), masker, lost);

    /// <summary>A store that is away is waited for as long as the lease holds: nothing is begun that it would not know of.</summary>
    public T WhenBack<T>(Func<T> work) => WhenBack(work, Lost, lost);

    static T WhenBack<T>(Func<T> work, Func<Exception> gone, CancellationToken lost)
    {
        while (true)
        {
            if (lost.IsCancellationRequested)
                throw gone();
            try
            {
                return work();
            }
            catch (StoreLostException e) when (e.MayComeBack)
            {
                lost.WaitHandle.WaitOne(Again);
            }
        }
    }

    static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);

    /// <summary>Lines that cannot be stored are lost: a step does not end for that, but the run does before its next effect.</summary>
    public void Log(IReadOnlyList<LogLine> lines)
    {
        try
        {
            WhenBack(() =>
            {
                store.Log(Lease.Run, lines);
                return true;
            });
        }
        catch (Exception e) when (e is LeaseLostException or StoreLostException)
        {
            Break(e);
        }
    }

    /// <summary>A process that was stopped and goes on must not act on what it knew before (rule 3): its heartbeat may not have had its turn yet.</summary>
    public void CheckLease()
    {
        if (Broken is LeaseLostException lost)
            throw lost;
        try
        {
            if (WhenBack(() => store.ReadLease(Lease.Run)) is { } held && held.Epoch == Lease.Epoch && !held.Released)
                return;
        }
        catch (StoreLostException e)
        {
            // What has begun shall come to its end.
            Break(e);
            return;
        }
        Break(Lost());
        throw Lost();
    }

    void Break(Exception e)
    {
        lock (_lock)
            _broken ??= e;
    }

    LeaseLostException Lost() => LostBy(Lease);
    static LeaseLostException LostBy(Lease lease) => new(lease.Run, lease.Epoch);

    void TakeIn(IReadOnlyList<JournalEntry> written)
    {
        if (written.Count == 0)
            return;
        // People may have written between our last look and this append.
        Apply(written[0].Sequence == _state.LastSequence + 1 ? written : store.Read(Lease.Run, _state.LastSequence));
    }

    void Apply(IReadOnlyList<JournalEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry.Epoch > Lease.Epoch)
                throw Lost();
            _state.Apply(entry);
            _entries.Add(entry);
        }
    }
}
