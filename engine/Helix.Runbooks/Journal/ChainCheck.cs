namespace Helix.Runbooks.Journal;

/// <summary>Goes along a record and names the first entry that does not fit.</summary>
sealed class ChainCheck(string run, string? head)
{
    readonly List<string> _faults = [];
    string _lastAt = "";
    long _epoch;
    bool _headSeen = head is null;

    public IReadOnlyList<string> Faults => _faults;
    public bool Sound => _faults.Count == 0;
    public long Last { get; private set; }
    public string Head { get; private set; } = Chain.Root(run);

    public void Take(RawEntry entry)
    {
        if (!Sound)
            return; // after the first break nothing more can be said
        if (entry.Sequence != Last + 1)
            Fault($"Entry {Last + 1} of run {run} is missing (the next one there is {entry.Sequence}).");
        else if (Chain.HashOf(Head, entry) != entry.Hash)
            Fault($"Entry {entry.Sequence} of run {run} ({entry.At}) was changed: its hash does not fit.");
        else if (string.CompareOrdinal(entry.At, _lastAt) < 0)
            Fault($"Entry {entry.Sequence} of run {run} has an earlier time than the one before.");
        else if (entry.Epoch > 0 && entry.Epoch < _epoch)
            Fault($"Entry {entry.Sequence} of run {run} was written by the driver of epoch {entry.Epoch} after epoch {_epoch} had begun.");
        if (!Sound)
            return;
        (Last, Head, _lastAt, _epoch) = (entry.Sequence, entry.Hash, entry.At, Math.Max(_epoch, entry.Epoch));
        _headSeen |= Head == head;
    }

    public void End()
    {
        if (Sound && Last == 0)
            Fault($"The record of run {run} is empty.");
        if (Sound && !_headSeen)
            Fault($"The record of run {run} never had the head {head}: it was written anew, its end was cut off, or the head is that of another run.");
    }

    public void Fault(string words) => _faults.Add(words);
}
