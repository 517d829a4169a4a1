using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Runs;

/// <summary>Takes the masked lines of the steps, shows them at once and stores them in batches.</summary>
sealed class LogSink(RunRecord record, TimeProvider time, Action<LogLine>? shown)
{
    const int Batch = 256;
    readonly Lock _lock = new();
    List<LogLine> _waiting = [];

    public void Write(string path, int attempt, string stream, string text)
    {
        var line = new LogLine(0, time.GetUtcNow(), path, attempt, stream, text);
        List<LogLine>? full = null;
        lock (_lock)
        {
            _waiting.Add(line);
            if (_waiting.Count >= Batch)
                (full, _waiting) = (_waiting, []);
        }
        shown?.Invoke(line);
        if (full is not null)
            record.Log(full);
    }

    public void Flush()
    {
        List<LogLine> rest;
        lock (_lock)
            (rest, _waiting) = (_waiting, []);
        if (rest.Count > 0)
            record.Log(rest);
    }
}
