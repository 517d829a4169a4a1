using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Server.Ready;

/// <summary>Could this runbook recover this environment today, and how is that known?</summary>
public sealed record Scenario
{
    public required string Runbook { get; init; }
    public required string Title { get; init; }
    public required string Environment { get; init; }
    public TimeSpan? Rto { get; init; }
    public TimeSpan? Rpo { get; init; }

    /// <summary>Of the backups that it restores; empty for a runbook that restores none.</summary>
    public IReadOnlyList<SeriesNow> Series { get; init; } = [];

    /// <summary>The newest drill or proof by an exercise, of this runbook anywhere.</summary>
    public RunSummary? LastDrill { get; init; }
    public RunSummary? LastLive { get; init; }

    /// <summary>Of its last runs that recovered, oldest first.</summary>
    public IReadOnlyList<TimeSpan> Rtas { get; init; } = [];

    /// <summary>Its text is another than that of its last run that succeeded.</summary>
    public bool Drifted { get; init; }

    /// <summary>What makes it impossible.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>What makes it doubtful.</summary>
    public IReadOnlyList<string> Doubts { get; init; } = [];

    public string Verdict => Faults.Count > 0 ? "not ready" : Doubts.Count > 0 ? "doubtful" : "ready";
}

/// <summary>One series of backups as it stands now.</summary>
public sealed record SeriesNow(string Target, string Prefix)
{
    public DateTimeOffset? Newest { get; init; }
    public string? NewestKey { get; init; }
    public DateTimeOffset? NewestProven { get; init; }
    public int Complete { get; init; }

    /// <summary>Why it could not be read.</summary>
    public string? Unknown { get; init; }
}
