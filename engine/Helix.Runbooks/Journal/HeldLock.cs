namespace Helix.Runbooks.Journal;

/// <summary>A lock as it is held: what a second run is told.</summary>
public sealed record HeldLock(string Identity, string Target, bool Shared, string Run, string Runbook, DateTimeOffset Since)
{
    /// <summary>Who started the run that holds it, and how that run stands; null when the run is not registered yet.</summary>
    public string? Operator { get; init; }
    public string? Status { get; init; }

    /// <summary>Who has the lease of that run; null when it is free.</summary>
    public Driver? Driver { get; init; }

    /// <summary>The holder's driver is no more, so the lock stays until the run is resumed and ended, or it is broken (WFE-01).</summary>
    public bool DriverGone { get; init; }

    /// <summary>"Target redis is held by run R of 'redis-restore' (started by …, suspended) since …; its driver (host, pid) is gone."</summary>
    public string Words =>
        $"Target {Target} is held{(Shared ? " (shared)" : "")} by run {Run}{(Runbook.Length > 0 ? $" of '{Runbook}'" : "")}"
        + (Operator is null ? "" : $" (started by {Operator}, {Status})") + $" since {Since.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"
        + (DriverGone ? $"; its driver ({Driver!.Host}, pid {Driver.Pid}) is gone." : ".");

    /// <summary>What to do about it.</summary>
    public string Hint => DriverGone || Status is "suspended"
        ? $"`helix resume {Run}` goes on with that run; `helix locks break '{Identity}' --reason …` takes the lock from it."
        : $"`helix show {Run}` shows what it does.";
}
