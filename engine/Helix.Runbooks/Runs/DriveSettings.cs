using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Runs;

/// <summary>How a driver behaves and whom it tells.</summary>
public sealed record DriveSettings
{
    /// <summary>Stay and wait when people are asked (a terminal, a server); else end with <see cref="DriveEnd.Waiting"/>.</summary>
    public bool StayWhileWaiting { get; init; }

    /// <summary>First Ctrl-C: running steps are interrupted and the run is suspended.</summary>
    public CancellationToken Interrupt { get; init; }

    /// <summary>What the record says of an interruption.</summary>
    public string InterruptReason { get; init; } = "interrupted";

    /// <summary>Asked between steps: why the run is to be let go now, for another machine to go on with it.</summary>
    public Func<string?>? LetGo { get; init; }

    /// <summary>The lease as it stood still before the eyes of whoever asks for this drive, long enough to be taken.</summary>
    public LeaseState? StoodStill { get; init; }

    /// <summary>Second Ctrl-C: children are killed now.</summary>
    public CancellationToken Kill { get; init; }

    /// <summary>After every change, from the driver's thread. The state is valid during the call only.</summary>
    public Action<RunState>? Changed { get; init; }

    /// <summary>Every line of a step, masked.</summary>
    public Action<LogLine>? Logged { get; init; }

    /// <summary>Path, done, total, unit.</summary>
    public Action<string, double, double?, string>? Progressed { get; init; }
}

public enum DriveEnd { Ended, Waiting, Suspended, Interrupted, LeaseLost, StoreLost }

public sealed record DriveResult(DriveEnd End, RunState State)
{
    /// <summary>What was lost, when the lease or the store was.</summary>
    public string? Why { get; init; }

    /// <summary>As in the table of exit codes.</summary>
    public int ExitCode => ExitCodes.Of(End, State);
}

public sealed record DecisionResult(bool Accepted, string Message, RunState State);

public sealed record ReopenPreview(IReadOnlyList<string> Kept, IReadOnlyList<string> RunAgain, IReadOnlyList<string> NeedApproval, IReadOnlyList<string> Stale);

/// <summary>Exit codes of the command line; the one place that knows them.</summary>
public static class ExitCodes
{
    public const int Recovered = 0;
    public const int Failed = 1;
    public const int Wrong = 2;
    public const int ObjectiveMissed = 3;
    public const int Waiting = 4;
    public const int Cancelled = 5;
    public const int Held = 11;
    public const int Interrupted = 130;

    public static int Of(DriveEnd end, RunState state) => end switch
    {
        DriveEnd.Waiting => Waiting,
        DriveEnd.LeaseLost => Held,
        DriveEnd.Interrupted or DriveEnd.Suspended => Interrupted,
        DriveEnd.StoreLost => Failed,
        _ => state.Ended?.Outcome switch
        {
            Outcome.Succeeded => state.Ended.ObjectivesMet == false ? ObjectiveMissed : Recovered,
            Outcome.Cancelled or Outcome.Rejected => Cancelled,
            // The pre-flight refused: nothing was done.
            Outcome.Failed when state.Steps.Count == 0 => Wrong,
            _ => Failed,
        },
    };
}

/// <summary>A run, or a target it needs, is held by another. Exit code 11.</summary>
public sealed class HeldException(string message, string? hint = null) : Exception(message)
{
    public string? Hint { get; } = hint;
}
