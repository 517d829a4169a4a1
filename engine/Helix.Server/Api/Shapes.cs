using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Steps.Backups;

namespace Helix.Server.Api;

/// <summary>A runbook as the API lists it.</summary>
public sealed record ApiRunbook(string Name, string? Title, string? Owner, double? RtoSeconds, double? RpoSeconds, int Errors, int Warnings);

public sealed record ApiInput(string Name, string Type, string? Description, bool Required, JsonNode? Default, IReadOnlyList<string> Choices);

public sealed record ApiProblem(int Line, int Column, string Severity, string Rule, string Message, string? Hint)
{
    public static ApiProblem Of(Problem p) => new(p.Position.Line, p.Position.Column, p.Severity.ToString().ToLowerInvariant(), p.Rule, p.Message, p.Hint);
}

public sealed record ApiRunbookText(string Name, string? Title, string? Description, IReadOnlyList<ApiInput> Inputs, IReadOnlyList<ApiProblem> Problems, string Text);

public sealed record ApiEnvironment(string Name, bool? Protected, IReadOnlyList<ApiProblem> Problems);

public sealed record ApiRun(
    string Run, string Runbook, string Environment, string Mode, string Status, string Operator, DateTimeOffset StartedAt, DateTimeOffset? EndedAt,
    double? RtaSeconds, double? RpaSeconds, bool? ObjectivesMet, string? WaitsFor, string Head, long Events)
{
    public static ApiRun Of(RunSummary r) => new(
        r.Run, r.Runbook, r.Environment, r.Mode, r.Status, r.Operator, r.StartedAt, r.EndedAt, r.Rta?.TotalSeconds, r.Rpa?.TotalSeconds, r.ObjectivesMet, r.WaitsFor, r.Head, r.Events);
}

/// <summary>What a plan or a start is asked for.</summary>
public sealed record ApiWish
{
    public required string Runbook { get; init; }
    public required string Environment { get; init; }

    /// <summary>live or drill.</summary>
    public string Mode { get; init; } = "live";
    public JsonObject Inputs { get; init; } = [];
    public string? Incident { get; init; }
    public DateTimeOffset? OccurredAt { get; init; }
    public DateTimeOffset? DeclaredAt { get; init; }
    public string Comms { get; init; } = "on";

    /// <summary>The name of the protected environment, where the plan destroys data in it.</summary>
    public string? ConfirmEnvironment { get; init; }

    /// <summary>Somebody is there to answer when a step fails; else the run ends.</summary>
    public bool Attended { get; init; } = true;
}

public sealed record ApiStarted(string Run, Uri Page);

public sealed record ApiAnswer
{
    /// <summary>The id of the question, or the path of its step.</summary>
    public required string Question { get; init; }

    /// <summary>approve, reject, done, failed, retry, skip, go-back, abort or override.</summary>
    public required string Choice { get; init; }
    public string? Reason { get; init; }
    public string? Evidence { get; init; }
    public JsonObject Inputs { get; init; } = [];

    /// <summary>Hash of the text that was shown; an answer to another text is refused.</summary>
    public string? ShownHash { get; init; }
    public string? To { get; init; }
    public JsonObject? With { get; init; }
    public JsonObject? Outputs { get; init; }
    public bool BreakGlass { get; init; }

    internal Decided ToDecided() => new()
    {
        Question = Question,
        Choice = Choice,
        Reason = Reason,
        Evidence = Evidence,
        Inputs = Inputs,
        ShownHash = ShownHash,
        To = To,
        With = With,
        Outputs = Outputs,
        BreakGlass = BreakGlass,
    };
}

public sealed record ApiAnswered(bool Accepted, string Message, string Status);

public sealed record ApiReason(string? Reason);

public sealed record ApiRatify
{
    /// <summary>Not needed when there is one.</summary>
    public string? Question { get; init; }
    public string? Reason { get; init; }
}

public sealed record ApiSecretAsked(string Ask, string Name, string Path, string Message, IReadOnlyList<string> From, DateTimeOffset Until);

public sealed record ApiSecret(string Ask, string Value)
{
    public override string ToString() => $"{Ask}: ***";
}

/// <param name="ConfirmEnvironment">The name of a protected environment in which data is destroyed.</param>
public sealed record ApiConfirmation(string? ConfirmEnvironment = null);
public sealed record ApiNote(string Text);

public sealed record ApiQuestion(
    string Run, string Environment, string Question, string Path, string Kind, string Message, JsonObject Shown, string ShownHash, string Whom,
    IReadOnlyList<string> Choices, DateTimeOffset AskedAt, DateTimeOffset? ExpiresAt);

public sealed record ApiLine(long Sequence, DateTimeOffset At, string Path, int Attempt, string Stream, string Text);

public sealed record ApiVerified(string Run, bool Sound, long Events, string Head, IReadOnlyList<string> Faults);

public sealed record ApiLock(string Identity, string Target, bool Shared, string Run, string Runbook, DateTimeOffset Since, bool DriverGone);

public sealed record ApiBackup(string Key, string State, DateTimeOffset? RecoveryPoint, double? AgeSeconds, long? Size, bool Proven, string? Problem);

/// <param name="RpoNowSeconds">What would be lost now; null: everything.</param>
/// <param name="RpoSeconds">What may be lost: the strictest objective of the runbooks that restore the series.</param>
public sealed record ApiSeries(IReadOnlyList<ApiBackup> Backups, double? RpoNowSeconds, double? RpoNowProvenSeconds, double? RpoSeconds, bool BeyondObjective)
{
    public static ApiSeries Of(SeriesView v) => new(
        [.. v.Entries.Select(e => new ApiBackup(e.Key, e.StateInWords, e.Manifest?.RecoveryPoint, v.AgeOf(e)?.TotalSeconds, e.StoredSize, e.Manifest?.Proven == true, e.Problem))],
        v.Loss?.TotalSeconds, v.LossProven?.TotalSeconds, v.Objective?.TotalSeconds, v.IsBeyond);
}

public sealed record ApiDrain(bool Drain);

public sealed record ApiNode(string Name, string Address, IReadOnlyDictionary<string, string> Labels, string Host, int Pid, DateTimeOffset StartedAt, DateTimeOffset SeenAt, string? DrainedBy, IReadOnlyList<string> Drives)
{
    public static ApiNode Of(Node n) => new(n.Name, n.Address, n.Labels, n.Process.Host, n.Process.Pid, n.StartedAt, n.SeenAt, n.DrainedBy, n.Drives);
}
