using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

/// <summary>What an auditor wants to know of a run. All that is drawn is here; Markdown, HTML and JSON only show it.</summary>
public sealed partial record RunReport
{
    public required string Run { get; init; }
    public required string Runbook { get; init; }
    public required string Title { get; init; }
    public string? Owner { get; init; }
    public required string Environment { get; init; }
    public required bool Protected { get; init; }
    public required string Mode { get; init; }
    public string? Incident { get; init; }
    public required Who StartedBy { get; init; }
    public required string Trigger { get; init; }
    public IReadOnlyList<string> Participants { get; init; } = [];
    public DateTimeOffset? OccurredAt { get; init; }
    public required DateTimeOffset DeclaredAt { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public string? GitCommit { get; init; }
    public string? GitAuthor { get; init; }
    public required string PlanHash { get; init; }

    /// <summary>Hash of the last event: kept elsewhere it proves that nothing before was changed.</summary>
    public required string Head { get; init; }
    public required long Events { get; init; }
    public required string Status { get; init; }
    public required bool Closed { get; init; }

    /// <summary>One sentence.</summary>
    public required string Verdict { get; init; }
    public string? Reason { get; init; }
    public required Measured Objectives { get; init; }

    /// <summary>First of all: data that is half loaded, and what is stopped.</summary>
    public IReadOnlyList<string> Down { get; init; } = [];
    public required JsonObject Inputs { get; init; }
    public JsonObject? Outputs { get; init; }
    public IReadOnlyList<ReportedQuestion> Questions { get; init; } = [];
    public IReadOnlyList<ReportedDecision> Decisions { get; init; } = [];
    public IReadOnlyList<ReportedStep> Steps { get; init; } = [];
    public IReadOnlyList<ReportedRound> Rounds { get; init; } = [];
    public IReadOnlyList<ReportedRemark> Overrides { get; init; } = [];

    /// <summary>Who typed the name of the protected environment, and who agreed afterwards to an answer by break-glass.</summary>
    public IReadOnlyList<ReportedRemark> Confirmations { get; init; } = [];

    /// <summary>Questions whose time was over, and what came of that.</summary>
    public IReadOnlyList<ReportedRemark> Unanswered { get; init; } = [];

    /// <summary>Where the run stood still without being asked to wait for people, who went on with it, and what was found out about steps in doubt.</summary>
    public IReadOnlyList<ReportedRemark> Interruptions { get; init; } = [];
    public IReadOnlyList<ReportedRemark> Refused { get; init; } = [];
    public IReadOnlyList<ReportedRemark> Notes { get; init; } = [];
    public IReadOnlyList<DrillFinding> Findings { get; init; } = [];
    public IReadOnlyList<ReportedResidue> Residue { get; init; } = [];
    public IReadOnlyList<ReportedFile> SafetyCopies { get; init; } = [];
    public IReadOnlyList<ReportedBackup> Backups { get; init; } = [];
    public IReadOnlyList<ReportedCheck> Preflight { get; init; } = [];
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> Pinned { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<ReportedSpan> Timeline { get; init; } = [];

    [JsonIgnore]
    public IEnumerable<ReportedStep> Warnings => Steps.Where(s => s.Warning is not null || s.Tolerated);

    /// <summary>One answer of each question that was answered, for what it asked.</summary>
    [JsonIgnore]
    public IEnumerable<ReportedDecision> Answered => Decisions.Where(d => d.Asked is not null).DistinctBy(d => d.Question);

    [JsonIgnore]
    public IEnumerable<ReportedStep> Skipped => Steps.Where(s => s.Status == "skipped");

    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Indented);
}

/// <summary>A person, and how sure that is.</summary>
public sealed record Who(string Account, string Strength, string Via)
{
    public static Who Of(Person person) => new(person.Account, person.Strength.ToString().ToLowerInvariant(), person.Via);
    public override string ToString() => $"{Account} ({Strength}, {Via})";
}

/// <summary>Objectives and what was measured; null where nothing was measured, which is never a miss.</summary>
public sealed record Measured
{
    public TimeSpan? Rto { get; init; }
    public TimeSpan? Rta { get; init; }
    public bool? RtoMet => Rto is { } rto && Rta is { } rta ? rta <= rto : null;
    public TimeSpan? Rpo { get; init; }
    public TimeSpan? Rpa { get; init; }
    public bool? RpoMet => Rpo is { } rpo && Rpa is { } rpa ? rpa <= rpo : null;
    public IReadOnlyList<MeasuredTarget> Targets { get; init; } = [];

    /// <summary>Where the time went.</summary>
    public required TimeSpan Detection { get; init; }
    public required TimeSpan Decision { get; init; }
    public required TimeSpan WaitingForPeople { get; init; }
    public required TimeSpan Machine { get; init; }
    public required TimeSpan Verification { get; init; }
    public TimeSpan? Mttr { get; init; }

    /// <summary>Mean time to recovery of the runs of this runbook in this mode.</summary>
    public TimeSpan? MeanOfRuns { get; init; }
    public int RunsCounted { get; init; }
}

public sealed record MeasuredTarget(string Target, TimeSpan Rpa, DateTimeOffset RecoveryPoint);

public sealed record ReportedQuestion(string Question, string Path, string Kind, string Message, string Status, string WaitsFor, string Command);

public sealed record ReportedDecision
{
    public required DateTimeOffset At { get; init; }
    public required Who By { get; init; }
    public required string Question { get; init; }

    /// <summary>What was asked, and of whom; null for an approval that was given before its gate.</summary>
    public string? Asked { get; init; }
    public string? AskedOf { get; init; }

    /// <summary>The facts that were shown with it: what an approval covers, the step that failed.</summary>
    public IReadOnlyList<string> Facts { get; init; } = [];

    /// <summary>Who approved is who started the run; the runbook allows it.</summary>
    public bool BySelf { get; init; }
    public required string Choice { get; init; }
    public string? Reason { get; init; }
    public string? Evidence { get; init; }
    public JsonObject Form { get; init; } = [];
    public string? To { get; init; }
    public JsonObject? With { get; init; }
    public JsonObject? Outputs { get; init; }
    public string? ShownHash { get; init; }
    public bool BreakGlass { get; init; }

    /// <summary>Of an answer by break-glass: nobody who was asked has agreed to it yet.</summary>
    public bool Unratified { get; init; }
    public bool Signed { get; init; }

    [System.Text.Json.Serialization.JsonIgnore]
    public string? Glass => !BreakGlass ? null : Unratified ? "break-glass, not ratified" : "break-glass, ratified";
}

public sealed record ReportedAttempt(int Number, int Round, DateTimeOffset Start, DateTimeOffset? End, string Result, string? Failure, string? Message, string? Hint);

public sealed record ReportedStep
{
    public required string Path { get; init; }
    public string? Name { get; init; }
    public required string Uses { get; init; }
    public required string Part { get; init; }
    public required int Depth { get; init; }
    public required string Effect { get; init; }

    /// <summary>True for what was done in a round before the last.</summary>
    public bool Earlier { get; init; }
    public required string Status { get; init; }
    public string? Source { get; init; }
    public DateTimeOffset? Start { get; init; }
    public DateTimeOffset? End { get; init; }
    public TimeSpan? Took => End - Start;

    /// <summary>How long a machine worked on it, all attempts together.</summary>
    public TimeSpan? Machine { get; init; }

    /// <summary>The rest of what it took: for people, for a time, in doubt, before another attempt.</summary>
    public TimeSpan? Waited => Took - Machine;

    [JsonIgnore]
    public string TookWords => Machine is { } machine && Waited is { } waited ? Words.Took(machine, waited) : "";

    /// <summary>Median of earlier runs.</summary>
    public TimeSpan? Usually { get; init; }
    public IReadOnlyList<ReportedAttempt> Attempts { get; init; } = [];
    public string? Message { get; init; }
    public string? Hint { get; init; }
    public string? Warning { get; init; }
    public string? SkipReason { get; init; }

    /// <summary>It failed and the run went on.</summary>
    public bool Tolerated { get; init; }
}

/// <param name="Before">How the run had ended when it went back; null: it had not ended.</param>
public sealed record ReportedRound(int Round, DateTimeOffset At, string From, string Reason, JsonObject Inputs, string? Before);
public sealed record ReportedRemark(DateTimeOffset At, string? By, string Kind, string Text);
public sealed record ReportedResidue(string Key, string Kind, string? Target, string What, string Command);
public sealed record ReportedFile(string Step, string Output, string Host, string Path, long Size, string Sha256);
/// <param name="Content">SHA-256 of what was backed up or is loaded.</param>
/// <param name="Stored">SHA-256 of the object in the store, which may be compressed and encrypted.</param>
public sealed record ReportedBackup(string Step, string Key, string? RecoveryPoint, string? Content, string? Stored);
public sealed record ReportedCheck(string Subject, string Kind, string What, string? Hint);
public sealed record ReportedSpan(string Path, string Kind, int Round, int Attempt, DateTimeOffset Start, DateTimeOffset End);
