namespace Helix.Runbooks.Journal;

/// <summary>One row of the register, kept up to date by the appends themselves.</summary>
public sealed record RunSummary
{
    public required string Run { get; init; }
    public required string Runbook { get; init; }
    public required string Environment { get; init; }
    public required string Mode { get; init; }

    /// <summary>running, waiting, suspended, succeeded, failed, cancelled or rejected. A run whose driver is known to be gone is suspended (WFE-01).</summary>
    public required string Status { get; init; }
    public required string Operator { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Of the last event; for a run whose driver is gone, since when nothing happened.</summary>
    public DateTimeOffset LastAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public TimeSpan? Rta { get; init; }
    public TimeSpan? Rpa { get; init; }
    public bool? ObjectivesMet { get; init; }
    public string? WaitsFor { get; init; }

    /// <summary>So many questions people are asked.</summary>
    public int Questions { get; init; }
    public required string Head { get; init; }
    public required long Events { get; init; }

    /// <summary>Who has the lease; null when it is free.</summary>
    public Driver? Driver { get; init; }

    /// <summary>That lease as it stands, for whoever watches it.</summary>
    public LeaseState? Lease { get; init; }

    /// <summary>The driver did not release its lease, and its process is no more (told only on its own host).</summary>
    public bool DriverGone { get; init; }
}
