using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

/// <summary>What happened. Events of the driver are written under its epoch, events of people under their <see cref="Person"/>.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(RunStarted), "run-started")]
[JsonDerivedType(typeof(LeaseTaken), "lease-taken")]
[JsonDerivedType(typeof(RunSuspended), "run-suspended")]
[JsonDerivedType(typeof(PreflightDone), "pre-flight-done")]
[JsonDerivedType(typeof(InputResolved), "input-resolved")]
[JsonDerivedType(typeof(BlockEntered), "block-entered")]
[JsonDerivedType(typeof(ListFrozen), "list-frozen")]
[JsonDerivedType(typeof(StepStarted), "step-started")]
[JsonDerivedType(typeof(StepSaved), "step-saved")]
[JsonDerivedType(typeof(StepSucceeded), "step-succeeded")]
[JsonDerivedType(typeof(StepFailed), "step-failed")]
[JsonDerivedType(typeof(StepSkipped), "step-skipped")]
[JsonDerivedType(typeof(StepInterrupted), "step-interrupted")]
[JsonDerivedType(typeof(StepReset), "step-reset")]
[JsonDerivedType(typeof(StepProbed), "step-probed")]
[JsonDerivedType(typeof(QuestionAsked), "question-asked")]
[JsonDerivedType(typeof(QuestionExpired), "question-expired")]
[JsonDerivedType(typeof(QuestionClosed), "question-closed")]
[JsonDerivedType(typeof(WaitStarted), "wait-started")]
[JsonDerivedType(typeof(ResidueLeft), "residue-left")]
[JsonDerivedType(typeof(ResidueTakenBack), "residue-taken-back")]
[JsonDerivedType(typeof(SecretAsked), "secret-asked")]
[JsonDerivedType(typeof(SecretGiven), "secret-given")]
[JsonDerivedType(typeof(SecretRefused), "secret-refused")]
[JsonDerivedType(typeof(SecretUnasked), "secret-unasked")]
[JsonDerivedType(typeof(RoundStarted), "round-started")]
[JsonDerivedType(typeof(ForecastMissed), "forecast-missed")]
[JsonDerivedType(typeof(RunEnded), "run-ended")]
[JsonDerivedType(typeof(Decided), "decided")]
[JsonDerivedType(typeof(DecisionRefused), "decision-refused")]
[JsonDerivedType(typeof(PauseRequested), "pause-requested")]
[JsonDerivedType(typeof(ResumeRequested), "resume-requested")]
[JsonDerivedType(typeof(CancelRequested), "cancel-requested")]
[JsonDerivedType(typeof(HandoverRequested), "handover-requested")]
[JsonDerivedType(typeof(TakenOver), "taken-over")]
[JsonDerivedType(typeof(RunReopened), "run-reopened")]
[JsonDerivedType(typeof(RunbookReplaced), "runbook-replaced")]
[JsonDerivedType(typeof(DestructionConfirmed), "destruction-confirmed")]
[JsonDerivedType(typeof(GateOverridden), "gate-overridden")]
[JsonDerivedType(typeof(NoteAdded), "note-added")]
[JsonDerivedType(typeof(FileAttached), "file-attached")]
[JsonDerivedType(typeof(LockBroken), "lock-broken")]
[JsonDerivedType(typeof(RunClosed), "run-closed")]
[JsonDerivedType(typeof(BreakGlassRatified), "break-glass-ratified")]
[JsonDerivedType(typeof(RunMoved), "run-moved")]
public abstract record RunEvent;

/// <summary>An event as it stands in the journal. <see cref="Hash"/> covers all fields and the hash before.</summary>
public sealed record JournalEntry
{
    /// <summary>From 1, without gaps.</summary>
    public required long Sequence { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>The driver's epoch; 0 for events of people.</summary>
    public required long Epoch { get; init; }

    /// <summary>Who, for events of people.</summary>
    public Person? By { get; init; }
    public required RunEvent Event { get; init; }
    public required string Hash { get; init; }
}

/// <summary>Who drives: enough to find and end its process on the same host (boot id, pid, start time in clock ticks).</summary>
public sealed record Driver(string Host, string BootId, int Pid, long StartTicks, string Account);

// ---- of the driver ----

/// <summary>First event. Everything pinned is named by SHA-256 and kept in the store.</summary>
public sealed record RunStarted : RunEvent
{
    public required string Runbook { get; init; }
    public required string Title { get; init; }
    public required string Environment { get; init; }
    public required string Mode { get; init; }
    public required Person Operator { get; init; }

    /// <summary>terminal, web, schedule, unattended or api.</summary>
    public required string Trigger { get; init; }

    /// <summary>A person is there to answer: a failed step asks. Else it aborts.</summary>
    public required bool Attended { get; init; }

    /// <summary>Input name → resolved value; secrets as references.</summary>
    public required JsonObject Inputs { get; init; }
    public DateTimeOffset? OccurredAt { get; init; }
    public required DateTimeOffset DeclaredAt { get; init; }
    public string? Incident { get; init; }
    public required string PlanHash { get; init; }

    /// <summary>Keys of <see cref="Pinned"/> under which runbook and environment stand.</summary>
    public required string RunbookPath { get; init; }
    public required string EnvironmentPath { get; init; }

    /// <summary>Path as named → SHA-256 of the exact bytes: runbook, sub-runbooks, scripts, environment.</summary>
    public required IReadOnlyDictionary<string, string> Pinned { get; init; }
    public string? GitCommit { get; init; }
    public string? GitAuthor { get; init; }

    /// <summary>Version and digest of engine and tools.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();
    public required string Work { get; init; }
    public required string Safe { get; init; }
    public required string BaseDirectory { get; init; }
    public string Comms { get; init; } = "on";
    public IReadOnlyList<string> Participants { get; init; } = [];

    /// <summary>Labels that a machine must have to drive it.</summary>
    public IReadOnlyDictionary<string, string> Needs { get; init; } = new Dictionary<string, string>();
}

public sealed record LeaseTaken(Driver Driver, string Reason) : RunEvent
{
    /// <summary>How long the driver before held the lease when its last heartbeat came; null when it gave the run away itself.</summary>
    public TimeSpan? DrivenBefore { get; init; }
}

/// <summary>Nobody drives the run from here on, until somebody resumes it.</summary>
public sealed record RunSuspended(string Reason) : RunEvent
{
    /// <summary>The reason when nothing can go on without people.</summary>
    public const string ForPeople = "waiting for people";
}

/// <summary>An input of type backup was resolved, once, to a key.</summary>
public sealed record InputResolved(string Name, string Value) : RunEvent;
public sealed record PreflightDone(IReadOnlyList<Finding> Findings) : RunEvent;

/// <summary>One line of a pre-flight.</summary>
public sealed record Finding(string Subject, FindingKind Kind, string What, string? Hint = null);

public enum FindingKind { Ok, Unknown, Warning, Fault }

/// <summary>The <c>when</c> of a block was true; a sub-runbook's inputs are fixed now.</summary>
public sealed record BlockEntered(string Path, JsonObject? Inputs) : RunEvent;

/// <summary>The list of a forEach, fixed for the rest of its round.</summary>
public sealed record ListFrozen(string Path, JsonArray Items) : RunEvent;

/// <summary>Intent: on disk before the effect begins. <see cref="With"/> holds the resolved options, secrets as references.</summary>
public sealed record StepStarted(string Path, int Attempt, string Uses, JsonObject With, IReadOnlyList<TargetEffect> Effects) : RunEvent;

/// <summary>A step's own durable progress: upload id, finished part, offset.</summary>
public sealed record StepSaved(string Path, string Key, JsonNode Value) : RunEvent;

/// <summary>A checkpoint.</summary>
public sealed record StepSucceeded(string Path, JsonObject Outputs) : RunEvent
{
    /// <summary>How it is known when not by running to the end: "probe" or "by hand".</summary>
    public string? Source { get; init; }

    /// <summary>A remark for the report, as of a partial result that was allowed.</summary>
    public string? Warning { get; init; }

    /// <summary>Files that outputs name, on this host, with SHA-256.</summary>
    public IReadOnlyList<LocalFile> Files { get; init; } = [];
}

public sealed record LocalFile(string Output, string Host, string Path, long Size, string Sha256);

/// <summary>An attempt failed. With <see cref="RetryAt"/> another follows; without, the attempts are used up.</summary>
public sealed record StepFailed(string Path, int Attempt, FailureClass Failure, string Message, string? Hint, DateTimeOffset? RetryAt) : RunEvent
{
    /// <summary>The destruction gate that refused: approval, identity, backup or confirmation.</summary>
    public string? Gate { get; init; }

    /// <summary>It did not fail by itself: a person, a cancel, a sibling's failure or the limit of its block ended it.</summary>
    public bool Stopped { get; init; }
}

public sealed record StepSkipped(string Path, string Reason) : RunEvent;

/// <summary>An attempt was stopped (Ctrl-C, pause, cancel, lost lease, a sibling's failure). What it did is not known.</summary>
public sealed record StepInterrupted(string Path, string Reason) : RunEvent;

/// <summary>The step starts anew, on somebody's word; with other options if they gave some.</summary>
public sealed record StepReset(string Path, string Why, JsonObject? With) : RunEvent;

/// <summary>After a crash: what the probe of a step in doubt saw.</summary>
public sealed record StepProbed(string Path, ProbeVerdict Verdict, string Why) : RunEvent;

public enum QuestionKind { Approval, Manual, FailedStep, InDoubt }

/// <summary>The run waits for people. <see cref="Shown"/> is exactly what they are shown; its hash binds the answers.</summary>
public sealed record QuestionAsked : RunEvent
{
    /// <summary>Unique in the run: path, round and count.</summary>
    public required string Question { get; init; }
    public required string Path { get; init; }
    public required QuestionKind Kind { get; init; }
    public required string Message { get; init; }

    /// <summary>The facts behind the message: options of covered steps, error, what is down.</summary>
    public JsonObject Shown { get; init; } = [];

    /// <summary>Points that are ticked one by one before a manual step counts as done.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Checklist => [.. (Shown["checklist"] as JsonArray ?? []).Select(p => p!.ToString())];

    /// <summary>That a manual step is done is not taken without proof.</summary>
    [JsonIgnore]
    public bool EvidenceRequired => Shown["evidenceRequired"]?.GetValue<bool>() == true;
    public required string ShownHash { get; init; }
    public IReadOnlyList<string> Choices { get; init; } = [];
    public IReadOnlyList<string> Approvers { get; init; } = [];
    public int Minimum { get; init; } = 1;
    public IReadOnlyList<string> OneFromEach { get; init; } = [];
    public bool SelfApproval { get; init; }
    public bool AuthorMayApprove { get; init; } = true;

    /// <summary>Whoever approves must be known at least so surely.</summary>
    public IdentityStrength? Strength { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public string OnExpiry { get; init; } = "park";
    public string? EscalateTo { get; init; }
    public string OnReject { get; init; } = "abort";
    public JsonObject Inputs { get; init; } = [];
}

/// <summary>Recorded by whoever looks first after the deadline.</summary>
public sealed record QuestionExpired(string Question, string Consequence) : RunEvent;

/// <summary>The question needs no answer any more (enough answers, voided, run ended).</summary>
public sealed record QuestionClosed(string Question, string Reason) : RunEvent;

public sealed record WaitStarted(string Path, DateTimeOffset Until) : RunEvent;
public sealed record ResidueLeft(string Path, Residue Residue) : RunEvent;
public sealed record ResidueTakenBack(string Path, string Key) : RunEvent;

/// <summary>A step waits for a secret that a person types. It goes to the living driver only: when that dies, the step asks again.</summary>
public sealed record SecretAsked(string Ask, string Path, string Name, string Message, IReadOnlyList<string> From, DateTimeOffset Until) : RunEvent;

/// <summary>Who gave it, and when; never what.</summary>
public sealed record SecretGiven(string Ask, Person Giver) : RunEvent;
public sealed record SecretRefused(string Ask, Person Giver, string Why) : RunEvent;
public sealed record SecretUnasked(string Ask) : RunEvent;

/// <summary>The steps from <see cref="From"/> on start anew; run, clock and record go on.</summary>
/// <param name="Reset">Paths of the items that start anew, with all below them.</param>
public sealed record RoundStarted(int Round, string From, string Reason, JsonObject Inputs, IReadOnlyList<string> Reset) : RunEvent
{
    /// <summary>Blocks in which the step stands: they are entered again, with a time limit that begins anew and inputs as they are now.</summary>
    public IReadOnlyList<string> Around { get; init; } = [];
}

/// <summary>By experience the objective will be missed.</summary>
public sealed record ForecastMissed(DateTimeOffset Eta, DateTimeOffset Due) : RunEvent;

public enum Outcome { Succeeded, Failed, Cancelled, Rejected }

/// <summary>Last event of a run (a reopen may follow).</summary>
public sealed record RunEnded(Outcome Outcome, string Reason, JsonObject Outputs) : RunEvent
{
    public TimeSpan? Rta { get; init; }
    public TimeSpan? Rpa { get; init; }

    /// <summary>Null: nothing was measured or asked for.</summary>
    public bool? ObjectivesMet { get; init; }
}

// ---- of people ----

/// <summary>An answer. <see cref="Choice"/> is approve, reject, done, failed, retry, skip, go-back or abort.</summary>
public sealed record Decided : RunEvent
{
    /// <summary>The question; for an early answer the path of the approval.</summary>
    public required string Question { get; init; }
    public required string Choice { get; init; }
    public string? Reason { get; init; }
    public string? Evidence { get; init; }
    public JsonObject Inputs { get; init; } = [];

    /// <summary>Hash of what was shown.</summary>
    public string? ShownHash { get; init; }

    /// <summary>For go-back: the step; for retry: changed options; for done: outputs.</summary>
    public string? To { get; init; }
    public JsonObject? With { get; init; }
    public JsonObject? Outputs { get; init; }
    public bool BreakGlass { get; init; }
    public string? Signature { get; init; }
}

public sealed record DecisionRefused(string Question, string Choice, string Why) : RunEvent;
public sealed record PauseRequested(string? Reason) : RunEvent;

/// <summary>Whoever may drive the run goes on with it.</summary>
public sealed record ResumeRequested : RunEvent;
public sealed record CancelRequested(string Reason) : RunEvent;
public sealed record HandoverRequested(string? Reason) : RunEvent;
public sealed record TakenOver(string Reason) : RunEvent;
public sealed record RunReopened(string To, string Reason, JsonObject Inputs) : RunEvent;

/// <summary>The run goes on with another text of the runbook; the difference is in the record.</summary>
public sealed record RunbookReplaced(string PlanHash, IReadOnlyDictionary<string, string> Pinned, string Diff) : RunEvent
{
    public string? GitCommit { get; init; }
    public string? GitAuthor { get; init; }
}

/// <summary>The name of the protected environment was typed.</summary>
public sealed record DestructionConfirmed(string Environment, string PlanHash) : RunEvent;

/// <summary>A destruction gate was passed on somebody's word.</summary>
public sealed record GateOverridden(string Path, string Gate, string Reason) : RunEvent
{
    /// <summary>What the gate said: it is open for just that.</summary>
    public string? Refused { get; init; }
}
public sealed record NoteAdded(string Text) : RunEvent;
public sealed record FileAttached(string Name, long Size, string Sha256) : RunEvent;
public sealed record LockBroken(string Identity, string Reason) : RunEvent;
public sealed record RunClosed(string Reason) : RunEvent;

/// <summary>Somebody who was asked agrees afterwards to what one person decided alone.</summary>
public sealed record BreakGlassRatified(string Question, string Reason) : RunEvent;

/// <summary>Written into a store that was lost and came back: the run went on in another one, and this record is the shorter.</summary>
public sealed record RunMoved(string Store) : RunEvent;
