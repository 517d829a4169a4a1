using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

public enum StepStatus
{
    /// <summary>Not yet started in this round, or to be started again.</summary>
    Pending,
    Running,
    /// <summary>Failed, another attempt follows at <see cref="StepState.RetryAt"/>.</summary>
    Retrying,
    /// <summary>For a person or a time.</summary>
    Waiting,
    /// <summary>Started, result unknown: a crash or an interruption.</summary>
    InDoubt,
    Succeeded,
    Skipped,
    Failed,

    /// <summary>Only as <see cref="StepState.Shown"/>: it failed for what comes after it, because it was stopped.</summary>
    Interrupted,
    /// <summary>The run ended before it did.</summary>
    Cancelled,
}

public enum RunStatus { Running, Waiting, Suspended, Succeeded, Failed, Cancelled, Rejected }

/// <summary>One try of one step.</summary>
public sealed record Attempt(int Number, int Round, DateTimeOffset Start)
{
    /// <summary>Who began it: on that host its processes run, if they do.</summary>
    public Driver? Driver { get; init; }
    public DateTimeOffset? End { get; init; }

    /// <summary>succeeded, failed, interrupted, in-doubt, by hand, probe.</summary>
    public string? Result { get; init; }
    public FailureClass? Failure { get; init; }
    public string? Message { get; init; }
    public string? Hint { get; init; }
}

/// <summary>What is known of a step in the current round.</summary>
public sealed class StepState(string path)
{
    public string Path { get; } = path;
    public StepStatus Status { get; internal set; }

    /// <summary>A person or a cancel ended it, and no failure of its own.</summary>
    public bool Stopped { get; internal set; }

    /// <summary>As people are told: what was stopped counts as failed for the steps after it, and is called interrupted.</summary>
    public StepStatus Shown => Status == StepStatus.Failed && Stopped ? StepStatus.Interrupted : Status;
    public string Uses { get; internal set; } = "";
    public JsonObject? With { get; internal set; }
    public IReadOnlyList<TargetEffect> Effects { get; internal set; } = [];
    public JsonObject? Outputs { get; internal set; }
    public IReadOnlyList<LocalFile> Files { get; internal set; } = [];
    public List<Attempt> Attempts { get; } = [];
    public Dictionary<string, JsonNode> Saved { get; } = [];
    public DateTimeOffset? StartedAt { get; internal set; }
    public DateTimeOffset? EndedAt { get; internal set; }

    /// <summary>The first attempt since a person, or a look after a crash, let it begin anew.</summary>
    public DateTimeOffset? TryingSince { get; internal set; }

    /// <summary>How long a machine worked on it up to now, all attempts of the round together; the rest of its time it waited.</summary>
    public TimeSpan Machine { get; internal set; }
    public DateTimeOffset? RetryAt { get; internal set; }
    public DateTimeOffset? WaitUntil { get; internal set; }
    public FailureClass? Failure { get; internal set; }
    public string? Message { get; internal set; }
    public string? Hint { get; internal set; }
    /// <summary>The destruction gate that refused the last attempt.</summary>
    public string? Gate { get; internal set; }

    /// <summary>Failed attempts since the step began anew; retries are counted by it.</summary>
    public int FailedTries { get; internal set; }
    public string? Warning { get; internal set; }
    public string? SkipReason { get; internal set; }

    /// <summary>How success is known when not by running: probe, by hand.</summary>
    public string? Source { get; internal set; }

    /// <summary>The open or last question about it.</summary>
    public string? Question { get; internal set; }
    public ProbeVerdict? Probe { get; internal set; }

    /// <summary>Options that a person changed for the next attempt.</summary>
    public JsonObject? ChangedWith { get; internal set; }

    /// <summary>The options of the next attempt, where they are known: those of the first with a person's changes on top.</summary>
    public JsonObject? NextWith => With is null && ChangedWith is null ? null : Changed(With ?? [], ChangedWith);

    /// <summary>Options with a person's changes on top.</summary>
    public static JsonObject Changed(JsonObject options, JsonObject? changes)
    {
        var changed = (JsonObject)options.DeepClone();
        foreach (var (name, value) in changes ?? [])
            changed[name] = value?.DeepClone();
        return changed;
    }

    public bool Started => StartedAt is not null;
}

public enum QuestionStatus { Open, Approved, Rejected, Expired, Closed }

/// <summary>A question to people and what they answered.</summary>
public sealed class Question(QuestionAsked asked, DateTimeOffset at, int round = 1)
{
    public QuestionAsked Asked { get; } = asked;
    public string Id => Asked.Question;

    /// <summary>The round in which it was asked.</summary>
    public int Round { get; } = round;
    public DateTimeOffset At { get; } = at;
    public QuestionStatus Status { get; internal set; } = QuestionStatus.Open;
    public List<Answer> Answers { get; } = [];
    public List<string> Escalated { get; } = [];
    public DateTimeOffset? EndedAt { get; internal set; }
    public string? EndReason { get; internal set; }
}

public sealed record Answer(Person By, DateTimeOffset At, Decided Decision);

/// <summary>A line of the timeline: from when to when something took time.</summary>
public sealed record Span(string Path, SpanKind Kind, int Round, int Attempt, DateTimeOffset Start, DateTimeOffset? End);

public enum SpanKind { Machine, WaitingForPeople, WaitingForTime, Retry, Suspended }

/// <summary>The fold over the events of a run. Nothing else remembers anything about it.</summary>
public sealed partial class RunState
{
    public string Run { get; }
    public RunStarted Started { get; private set; } = null!;
    public DateTimeOffset StartedAt { get; private set; }
    public RunStatus Status { get; private set; } = RunStatus.Running;
    public RunEnded? Ended { get; private set; }
    public DateTimeOffset? EndedAt { get; private set; }
    public int Round { get; private set; } = 1;

    /// <summary>Secrets that steps wait for now, by their ask.</summary>
    public Dictionary<string, SecretAsked> SecretsAsked { get; } = [];

    /// <summary>Resolved inputs of the current round.</summary>
    public JsonObject Inputs { get; private set; } = [];

    /// <summary>Current round, by path.</summary>
    public Dictionary<string, StepState> Steps { get; } = [];

    /// <summary>Steps of earlier rounds that were started anew since.</summary>
    public List<StepState> Earlier { get; } = [];
    public Dictionary<string, JsonArray> Lists { get; } = [];

    /// <summary>Blocks that were entered: when, and with which inputs (sub-runbooks).</summary>
    public Dictionary<string, (DateTimeOffset At, JsonObject? Inputs)> Entered { get; } = [];
    public Dictionary<string, Question> Questions { get; } = [];

    /// <summary>Answers given before their gate was reached, by path of the approval.</summary>
    public Dictionary<string, List<Answer>> Early { get; } = [];
    public Dictionary<string, Residue> Residue { get; } = [];
    public List<Span> Spans { get; } = [];
    public List<Remark> Remarks { get; } = [];
    public IReadOnlyList<Finding> Preflight { get; private set; } = [];
    public List<DestructionConfirmed> Confirmed { get; } = [];

    /// <summary>Of this round: a reason for one situation is none for the next.</summary>
    public List<GateOverridden> Overrides { get; } = [];

    /// <summary>The last round that began with other inputs.</summary>
    public int InputsOfRound { get; private set; } = 1;

    /// <summary>Answers by break-glass, by question, that nobody has ratified yet.</summary>
    public Dictionary<string, Answer> Unratified { get; } = [];
    public (Person By, DateTimeOffset At, string Reason)? Cancel { get; private set; }
    public bool PauseAsked { get; private set; }
    public bool HandoverAsked { get; private set; }

    /// <summary>Somebody wants it to go on, and nobody has taken it since.</summary>
    public bool ResumeAsked { get; private set; }

    /// <summary>Why the last driver let the run go; null while one drives it.</summary>
    public string? SuspendedBecause { get; private set; }

    /// <summary>The reason of <see cref="LoseDriver"/>.</summary>
    public const string DriverIsGone = "its driver is gone";
    public bool Closed { get; private set; }

    /// <summary>The store in which the run went on when this one was lost.</summary>
    public string? MovedTo { get; private set; }
    public string PlanHash { get; private set; } = "";
    public IReadOnlyDictionary<string, string> Pinned { get; private set; } = new Dictionary<string, string>();

    /// <summary>The last commit of the text that the run follows now, and who wrote it.</summary>
    public string? GitCommit { get; private set; }
    public string? GitAuthor { get; private set; }
    public Driver? Driver { get; private set; }
    public long Epoch { get; private set; }
    public ForecastMissed? Forecast { get; private set; }
    public DateTimeOffset LastAt { get; private set; }
    public long LastSequence { get; private set; }
    public string Head { get; private set; } = "";

    public RunState(string run) => Run = run;

    public static RunState Of(string run, IEnumerable<JournalEntry> entries)
    {
        var state = new RunState(run);
        foreach (var entry in entries)
            state.Apply(entry);
        return state;
    }

    public StepState? Step(string path) => Steps.GetValueOrDefault(path);
    public StepStatus StatusOf(string path) => Step(path)?.Status ?? StepStatus.Pending;
    public IEnumerable<Question> OpenQuestions => Questions.Values.Where(q => q.Status == QuestionStatus.Open);
}

/// <summary>A note, an attachment, a refusal, a broken lock: something for the record beside the steps.</summary>
public sealed record Remark(DateTimeOffset At, Person? By, string Kind, string Text);
