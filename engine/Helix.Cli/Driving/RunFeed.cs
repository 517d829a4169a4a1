using Helix.Runbooks.Journal;

namespace Helix.Cli.Driving;

/// <summary>Follows a run through the store, on a connection of its own: what is shown is what is on disk, whoever drives.</summary>
/// <param name="known">Entries that were read already.</param>
sealed class RunFeed(JournalStore store, string run, IReadOnlyList<JournalEntry> known)
{
    long _seen = -1;
    JournalStore _store = store;

    public string Place => _store.StorePath;

    /// <summary>The run goes on in another store, which has the same entries up to here.</summary>
    public void Follow(JournalStore other) => (_store, _seen) = (other, -1);

    public RunState State { get; } = RunState.Of(run, known);

    /// <summary>The entries since the last look; the state has them already.</summary>
    public IReadOnlyList<JournalEntry> More()
    {
        // Read before the entries: a change in between is seen at the next look.
        var version = _store.DataVersion();
        if (version == _seen)
            return [];
        _seen = version;
        var entries = _store.Read(run, State.LastSequence);
        foreach (var entry in entries)
            State.Apply(entry);
        return entries;
    }
}
