using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>All that can be done with runs, for CLI, web and tests. One per process; it owns nothing but the store's connection.</summary>
public sealed class Engine(StepCatalog catalog, JournalStore store, TimeProvider time, EngineSettings settings)
{
    public StepCatalog Catalog { get; } = catalog;
    public JournalStore Store { get; } = store;
    public TimeProvider Time { get; } = time;
    public EngineSettings Settings { get; } = settings;

    /// <summary>Registers a run of this plan and takes its lease and locks. Nothing has been done yet.</summary>
    /// <exception cref="RunbookException">The plan has errors, or the mode does not fit the environment.</exception>
    /// <exception cref="HeldException">A target is held by another run.</exception>
    public string Start(Plan plan, StartRequest request) => throw new NotImplementedException($"{plan}{request}");

    /// <summary>Drives a run until it ends, waits, or is interrupted. Takes the lease first.</summary>
    /// <exception cref="HeldException">Another driver is alive.</exception>
    public Task<DriveResult> Drive(string run, DriveSettings drive) => throw new NotImplementedException($"{run}{drive}");

    /// <summary>The plan of a run as it was pinned (not the files of today).</summary>
    public Plan PlanOf(RunState state) => throw new NotImplementedException($"{state}");

    public RunState State(string run) => RunState.Of(run, Store.Read(run));

    // ---- people ----

    /// <summary>Answers a question (or, early, an approval by its path). Checks who may, how strong the identity is, the time and the form; a refusal is recorded.</summary>
    public DecisionResult Decide(string run, Person by, Decided decision) => throw new NotImplementedException($"{run}{by}{decision}");
    public void Pause(string run, Person by, string? reason) => throw new NotImplementedException($"{run}{by}{reason}");

    /// <summary>Asks the run to end: a driver that is alive does it; else the next <see cref="Drive"/> runs rescue and finally.</summary>
    public void Cancel(string run, Person by, string reason) => throw new NotImplementedException($"{run}{by}{reason}");
    public void Handover(string run, Person by, string? reason) => throw new NotImplementedException($"{run}{by}{reason}");

    /// <summary>Ends the driver on this host if there is one, and takes the lease by force on the next <see cref="Drive"/>.</summary>
    public void TakeOver(string run, Person by, string reason) => throw new NotImplementedException($"{run}{by}{reason}");
    public void Note(string run, Person by, string text) => throw new NotImplementedException($"{run}{by}{text}");
    public void Attach(string run, Person by, string file) => throw new NotImplementedException($"{run}{by}{file}");

    /// <summary>Acknowledges the residue of a run that ended.</summary>
    public void Close(string run, Person by, string reason) => throw new NotImplementedException($"{run}{by}{reason}");

    /// <summary>What a reopen would keep, run again, and need approval for. Changes nothing.</summary>
    public ReopenPreview PreviewReopen(string run, string to) => throw new NotImplementedException($"{run}{to}");

    /// <summary>Goes back to a step of a run that ended; the next <see cref="Drive"/> goes on from there.</summary>
    public void Reopen(string run, Person by, string to, string reason, JsonObject inputs) => throw new NotImplementedException($"{run}{by}{to}{reason}{inputs}");

    /// <summary>The typed name of a protected environment, once per plan.</summary>
    public void ConfirmDestruction(string run, Person by, string typedName) => throw new NotImplementedException($"{run}{by}{typedName}");
}

/// <summary>Folders and clocks of the engine on this machine.</summary>
public sealed record EngineSettings
{
    /// <summary>Holds the store, and a folder for each run with its work, safe and pid files.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Taken when the disk of the first store is lost.</summary>
    public string? SecondStore { get; init; }
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A lease whose heartbeat stood still for this long, as seen by the taker, may be taken.</summary>
    public TimeSpan LeaseExpires { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a driver looks for answers of people.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromMilliseconds(200);
}

public sealed record StartRequest
{
    public required Person Operator { get; init; }

    /// <summary>terminal, web, schedule, unattended or api.</summary>
    public required string Trigger { get; init; }
    public required bool Attended { get; init; }
    public DateTimeOffset? OccurredAt { get; init; }
    public DateTimeOffset? DeclaredAt { get; init; }
    public string? Incident { get; init; }
    public string Comms { get; init; } = "on";
    public IReadOnlyList<string> Participants { get; init; } = [];

    /// <summary>A drill on a protected environment was announced and is approved by a gate.</summary>
    public bool Exercise { get; init; }
}

/// <summary>How a driver behaves and whom it tells.</summary>
public sealed record DriveSettings
{
    /// <summary>Stay and wait when people are asked (a terminal, a server); else end with <see cref="DriveEnd.Waiting"/>.</summary>
    public bool StayWhileWaiting { get; init; }

    /// <summary>First Ctrl-C: running steps are interrupted and the run is suspended.</summary>
    public CancellationToken Interrupt { get; init; }

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
            _ => Failed,
        },
    };
}

/// <summary>A run, or a target it needs, is held by another. Exit code 11.</summary>
public sealed class HeldException(string message, string? hint = null) : Exception(message)
{
    public string? Hint { get; } = hint;
}
