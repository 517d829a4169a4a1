using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Runs;

/// <summary>A run under way: its store, its lease and its state, kept in step. Safe for several threads.</summary>
sealed class RunRecord(JournalStore store, Lease lease, RunState state, CancellationToken lost)
{
    readonly Lock _lock = new();
    long _version = -1;
    JournalStore _store = store;

    public Lease Lease { get; } = lease;
    public JournalStore Store => _store;

    /// <summary>Set when an append failed for good: nothing may be done any more.</summary>
    public Exception? Broken { get; private set; }

    public T Read<T>(Func<RunState, T> read)
    {
        lock (_lock)
            return read(state);
    }

    /// <summary>Durable when this returns.</summary>
    public void Append(params IReadOnlyList<RunEvent> events)
    {
        lock (_lock)
        {
            try
            {
                if (lost.IsCancellationRequested)
                    throw new LeaseLostException(Lease.Run, Lease.Epoch, Lease.Epoch + 1);
                TakeIn(_store.Append(Lease, events));
            }
            catch (Exception e) when (e is LeaseLostException or StoreLostException)
            {
                Broken ??= e;
                throw;
            }
        }
    }

    /// <summary>Takes in what people wrote since. True when there was something.</summary>
    public bool Refresh()
    {
        lock (_lock)
        {
            var version = _store.DataVersion();
            if (version == _version)
                return false;
            _version = version;
            var before = state.LastSequence;
            foreach (var entry in _store.Read(Lease.Run, before))
                state.Apply(entry);
            return state.LastSequence != before;
        }
    }

    /// <summary>Goes on with another store that already holds the run.</summary>
    public void MoveTo(JournalStore other)
    {
        lock (_lock)
            (_store, Broken) = (other, null);
    }

    void TakeIn(IReadOnlyList<JournalEntry> written)
    {
        if (written.Count == 0)
            return;
        // People may have written between our last look and this append.
        var entries = written[0].Sequence == state.LastSequence + 1 ? written : _store.Read(Lease.Run, state.LastSequence);
        foreach (var entry in entries)
            state.Apply(entry);
    }
}
