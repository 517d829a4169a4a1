using System.Text.Json;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>A run under way: its store, its lease and its state, kept in step. Safe for several threads.</summary>
sealed class RunRecord(JournalStore store, Lease lease, RunState state, Masker masker, CancellationToken lost)
{
    readonly Lock _lock = new();
    long _version = -1;

    public Lease Lease { get; } = lease;
    public JournalStore Store => store;

    Exception? _broken;

    /// <summary>Set when the lease or the store is lost: nothing may be done any more.</summary>
    public Exception? Broken => _broken ?? (lost.IsCancellationRequested ? Lost() : null);

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
                    throw Lost();
                TakeIn(store.Append(Lease, [.. events.Select(Masked)]));
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
            var version = store.DataVersion();
            if (version == _version)
                return false;
            _version = version;
            var before = state.LastSequence;
            foreach (var entry in store.Read(Lease.Run, before))
                state.Apply(entry);
            return state.LastSequence != before;
        }
    }

    LeaseLostException Lost() => new(Lease.Run, Lease.Epoch, Lease.Epoch + 1);

    /// <summary>Nothing that was resolved from a reference gets into the journal, whoever put it into an event.</summary>
    RunEvent Masked(RunEvent e)
    {
        if (masker.Longest == 0)
            return e;
        var text = JsonSerializer.Serialize(e, StepJson.Options);
        var masked = masker.Mask(text);
        return masked == text ? e : JsonSerializer.Deserialize<RunEvent>(masked, StepJson.Options)!;
    }

    void TakeIn(IReadOnlyList<JournalEntry> written)
    {
        if (written.Count == 0)
            return;
        // People may have written between our last look and this append.
        var entries = written[0].Sequence == state.LastSequence + 1 ? written : store.Read(Lease.Run, state.LastSequence);
        foreach (var entry in entries)
            state.Apply(entry);
    }
}
