namespace Helix.Server.Triggers;

/// <summary>So many calls of one hook in a minute; more must wait.</summary>
sealed class HookPace
{
    const int Most = 120;
    static readonly TimeSpan Span = TimeSpan.FromMinutes(1);

    readonly Lock _lock = new();
    readonly Dictionary<string, Queue<DateTimeOffset>> _calls = [];

    public bool Takes(string hook, DateTimeOffset now, out TimeSpan wait)
    {
        lock (_lock)
        {
            // Names that nobody has fill no memory.
            if (_calls.Count > 1000)
                _calls.Clear();
            if (!_calls.TryGetValue(hook, out var calls))
                _calls[hook] = calls = new();
            while (calls.TryPeek(out var old) && old <= now - Span)
                calls.Dequeue();
            wait = calls.Count < Most ? TimeSpan.Zero : calls.Peek() + Span - now;
            if (wait > TimeSpan.Zero)
                return false;
            calls.Enqueue(now);
            return true;
        }
    }
}
