namespace Helix.Server.Accounts;

/// <summary>After some wrong passwords the next try must wait, each time longer: soon for one account from one address, later for an address, last for an account, so that nobody locks out another easily. All servers of a store count together.</summary>
sealed class Throttle(AccountStore accounts)
{
    static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    /// <summary>How long to wait; zero when the next try is free.</summary>
    public TimeSpan Wait(DateTimeOffset now, string account, string? address)
    {
        var wait = TimeSpan.Zero;
        foreach (var (key, _) in Keys(account, address))
            if (accounts.WaitsUntil(key) is { } until && until - now > wait)
                wait = until - now;
        return wait;
    }

    public void Failed(DateTimeOffset now, string account, string? address)
    {
        foreach (var (key, free) in Keys(account, address))
            accounts.CountFailed(key, failed => now + Pause(failed - free));
    }

    public void Succeeded(string account, string? address)
    {
        foreach (var (key, _) in Keys(account, address).Where(k => !k.Key.StartsWith("from ", StringComparison.Ordinal)))
            accounts.ForgetFailed(key);
    }

    static IEnumerable<(string Key, int Free)> Keys(string account, string? address)
    {
        account = account.ToLowerInvariant();
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
