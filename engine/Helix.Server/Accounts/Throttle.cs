using System.Collections.Concurrent;

namespace Helix.Server.Accounts;

/// <summary>After some wrong passwords the next try must wait, each time longer: soon for one account from one address, later for an address, last for an account, so that nobody locks out another easily.</summary>
sealed class Throttle
{
    const int Most = 10_000;
    static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    readonly ConcurrentDictionary<string, (int Failed, DateTimeOffset Until)> _failed = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How long to wait; zero when the next try is free.</summary>
    public TimeSpan Wait(DateTimeOffset now, string account, string? address)
    {
        var wait = TimeSpan.Zero;
        foreach (var (key, _) in Keys(account, address))
            if (_failed.TryGetValue(key, out var failed) && failed.Until - now > wait)
                wait = failed.Until - now;
        return wait;
    }

    public void Failed(DateTimeOffset now, string account, string? address)
    {
        if (_failed.Count > Most)
            foreach (var (name, old) in _failed.ToArray())
                if (old.Until < now)
                    _failed.TryRemove(name, out _);
        foreach (var (key, free) in Keys(account, address))
            _failed.AddOrUpdate(key, _ => (1, now), (_, old) => (old.Failed + 1, now + Pause(old.Failed + 1 - free)));
    }

    public void Succeeded(string account, string? address)
    {
        foreach (var (key, _) in Keys(account, address).Where(k => !k.Key.StartsWith("from ", StringComparison.Ordinal)))
            _failed.TryRemove(key, out _);
    }

    static IEnumerable<(string Key, int Free)> Keys(string account, string? address)
    {
        yield return ($"{account} from {address}", 5);
        yield return ($"to {account}", 50);
        if (address is not null)
            yield return ($"from {address}", 20);
    }

    static TimeSpan Pause(int failed)
    {
        if (failed < 0)
            return TimeSpan.Zero;
        var pause = First * Math.Pow(2, Math.Min(failed, 20));
        return pause < Longest ? pause : Longest;
    }
}
