using System.Collections.Concurrent;

namespace Helix.Server.Accounts;

/// <summary>After some wrong passwords of one account or from one address the next try must wait, each time longer.</summary>
sealed class Throttle
{
    const int Free = 5;
    const int Most = 10_000;
    static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    readonly ConcurrentDictionary<string, (int Failed, DateTimeOffset Until)> _failed = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How long to wait; zero when the next try is free.</summary>
    public TimeSpan Wait(DateTimeOffset now, params ReadOnlySpan<string> who)
    {
        var wait = TimeSpan.Zero;
        foreach (var name in who)
            if (_failed.TryGetValue(name, out var failed) && failed.Until - now > wait)
                wait = failed.Until - now;
        return wait;
    }

    public void Failed(DateTimeOffset now, params ReadOnlySpan<string> who)
    {
        if (_failed.Count > Most)
            foreach (var (name, old) in _failed.ToArray())
                if (old.Until < now)
                    _failed.TryRemove(name, out _);
        foreach (var name in who)
            _failed.AddOrUpdate(name, _ => (1, now), (_, old) => (old.Failed + 1, now + Pause(old.Failed + 1)));
    }

    public void Succeeded(string account) => _failed.TryRemove(account, out _);

    static TimeSpan Pause(int failed)
    {
        if (failed < Free)
            return TimeSpan.Zero;
        var pause = First * Math.Pow(2, Math.Min(failed - Free, 20));
        return pause < Longest ? pause : Longest;
    }
}
