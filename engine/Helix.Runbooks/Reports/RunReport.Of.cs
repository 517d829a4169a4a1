using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

public sealed partial record RunReport
{
    /// <param name="entries">The record, for what the state no longer holds: every decision, every round.</param>
    /// <param name="typical">Typical duration of a step by path, null if unknown.</param>
    /// <param name="past">RTA of the runs that count for the MTTR.</param>
    public static RunReport Of(RunState state, Plan plan, Clocks clocks, IReadOnlyList<JournalEntry> entries, Func<string, TimeSpan?> typical, IReadOnlyList<TimeSpan> past)
    {
        var started = state.Started;
        var remarks = state.Remarks.Select(r => new ReportedRemark(r.At, r.By?.ToString(), r.Kind, r.Text)).ToList();
        var findings = remarks.Where(r => r.Kind == "note").Select(r => (Remark: r, Finding: DrillFinding.Read(r.At, r.By ?? "", r.Text))).ToList();
        return new RunReport
        {
            Run = state.Run,
            Runbook = started.Runbook,
            Title = started.Title,
            Owner = plan.Runbook.Owner,
            Environment = started.Environment,
            Protected = plan.Environment.Protected,
            Mode = started.Mode,
            Incident = started.Incident,
            StartedBy = Who.Of(started.Operator),
            Trigger = started.Trigger,
            Participants = started.Participants,
            OccurredAt = started.OccurredAt,
            DeclaredAt = started.DeclaredAt,
            StartedAt = state.StartedAt,
            EndedAt = state.EndedAt,
            GitCommit = state.GitCommit,
            GitAuthor = state.GitAuthor,
            PlanHash = state.PlanHash,
            Head = state.Head,
            Events = state.LastSequence,
            Status = Word(state.Status),
            Closed = state.Closed,
            Reason = state.Ended?.Reason is { Length: > 0 } reason ? reason : null,
            Verdict = VerdictOf.Run(state, clocks) + (plan.Unreadable is null ? "" : " " + Words.Unreadable),
            Objectives = Measure(clocks, plan, past),
            Down = Damage.Of(state),
            Inputs = (JsonObject)state.Inputs.DeepClone(),
            Outputs = (JsonObject?)state.Ended?.Outputs.DeepClone(),
            Questions = [.. state.OpenQuestions.Select(q => new ReportedQuestion(q.Id, q.Asked.Path, Word(q.Asked.Kind), q.Asked.Message, Word(q.Status), QuestionPage.Whom(q), QuestionPage.Command(state.Run, q)))],
            Decisions = [.. entries.Where(e => e.Event is Decided).Select(e => Decision(state, e.By!, e.At, (Decided)e.Event))],
            Steps = [.. ReportSteps.Of(state, plan, typical)],
            Rounds = [.. RoundsOf(entries)],
            Confirmations = [.. entries.Where(e => e.Event is DestructionConfirmed).Select(e => new ReportedRemark(e.At, e.By?.ToString(), "environment named", $"{((DestructionConfirmed)e.Event).Environment}, for the plan {Words.Short(((DestructionConfirmed)e.Event).PlanHash)}")), .. remarks.Where(r => r.Kind == "break-glass ratified")],
            Unanswered = [.. entries.Where(e => e.Event is QuestionExpired).Select(e => Expired(state, e.At, (QuestionExpired)e.Event))],
            Overrides = [.. remarks.Where(r => r.Kind is "gate overridden" or "lock broken" or "takeover" or "runbook replaced")],
            Interruptions = [.. ReportInterruptions.Of(state, entries)],
            Refused = [.. remarks.Where(r => r.Kind == "refused")],
            Notes = [.. findings.Where(f => f.Finding is null).Select(f => f.Remark), .. remarks.Where(r => r.Kind is "attachment" or "reopened" or "closed")],
            Findings = [.. findings.Where(f => f.Finding is not null).Select(f => f.Finding!)],
            Residue = [.. state.Residue.Values.Select(r => new ReportedResidue(r.Key, Word(r.Kind), r.Target, r.What, r.Command))],
            SafetyCopies = [.. Copies(state)],
            Backups = [.. BackupsOf(state)],
            Preflight = [.. state.Preflight.Select(f => new ReportedCheck(f.Subject, Word(f.Kind), f.What, f.Hint))],
            Versions = started.Versions,
            Pinned = state.Pinned,
            Timeline = [.. state.Spans.Select(s => new ReportedSpan(s.Path, Word(s.Kind), s.Round, s.Attempt, s.Start, s.End ?? state.LastAt))],
        };
    }

    internal static string Word<T>(T value) where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    static Measured Measure(Clocks clocks, Plan plan, IReadOnlyList<TimeSpan> past) => new()
    {
        Rto = clocks.Rto,
        Rta = clocks.Rta,
        Rpo = clocks.Rpo,
        Rpa = clocks.Rpa,
        Targets = [.. clocks.RpaByTarget.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => new MeasuredTarget(t.Key, t.Value.Rpa, t.Value.RecoveryPoint))],
        Detection = clocks.Detection,
        Decision = clocks.Decision,
        WaitingForPeople = clocks.WaitingForPeople,
        Machine = clocks.Machine,
        Verification = clocks.Verification,
        Mttr = plan.Runbook.Objectives.Mttr,
        MeanOfRuns = past.Count > 0 ? TimeSpan.FromSeconds(past.Average(p => p.TotalSeconds)) : null,
        RunsCounted = past.Count,
    };

    static ReportedDecision Decision(RunState state, Person by, DateTimeOffset at, Decided decided) => Decision(state, state.Questions.GetValueOrDefault(decided.Question), by, at, decided);

    static IEnumerable<ReportedRound> RoundsOf(IReadOnlyList<JournalEntry> entries)
    {
        RunEnded? ended = null;
        foreach (var entry in entries)
        {
            if (entry.Event is RoundStarted r)
                yield return new ReportedRound(r.Round, entry.At, r.From, r.Reason, r.Inputs, ended is null ? null : Word(ended.Outcome) + (ended.Reason.Length > 0 ? ": " + ended.Reason : ""));
            ended = entry.Event switch { RunEnded e => e, RoundStarted => null, _ => ended };
        }
    }

    static ReportedRemark Expired(RunState state, DateTimeOffset at, QuestionExpired expired)
    {
        var asked = state.Questions[expired.Question].Asked;
        return new(at, null, expired.Consequence, $"{expired.Question}, asked of {(asked.Approvers.Count > 0 ? string.Join(", ", asked.Approvers) : "anybody")}{(expired.Consequence == "escalate" && asked.EscalateTo is { } to ? $", now also of {to}" : "")}");
    }

    /// <param name="question">Null for an approval that was given before its gate.</param>
    static ReportedDecision Decision(RunState state, Question? question, Person by, DateTimeOffset at, Decided decided) => new()
    {
        At = at,
        By = Who.Of(by),
        Question = decided.Question,
        Asked = question?.Asked.Message.Trim(),
        AskedOf = question is null ? null : QuestionPage.AskedByRules(question),
        Facts = question is null ? [] : [.. QuestionPage.Facts(question.Asked.Shown)],
        BySelf = decided.Choice == "approve" && People.AreOne(by, state.Started.Operator),
        Choice = decided.Choice,
        Reason = decided.Reason,
        Evidence = decided.Evidence,
        Form = (JsonObject)decided.Inputs.DeepClone(),
        To = decided.To,
        With = (JsonObject?)decided.With?.DeepClone(),
        Outputs = (JsonObject?)decided.Outputs?.DeepClone(),
        ShownHash = decided.ShownHash,
        BreakGlass = decided.BreakGlass,
        Unratified = decided.BreakGlass && state.Unratified.ContainsKey(decided.Question),
        Signed = decided.Signature is not null,
    };

    /// <summary>Files of the run's safe folder; the run itself never empties it.</summary>
    static IEnumerable<ReportedFile> Copies(RunState state) =>
        from step in state.Earlier.Concat(state.Steps.Values)
        from file in step.Files
        where file.Path.StartsWith(state.Started.Safe.TrimEnd('/') + "/", StringComparison.Ordinal)
        select new ReportedFile(step.Path, file.Output, file.Host, file.Path, file.Size, file.Sha256);

    /// <summary>A step whose outputs name a key and a recovery point handled a backup.</summary>
    static IEnumerable<ReportedBackup> BackupsOf(RunState state) =>
        from step in state.Earlier.Concat(state.Steps.Values)
        where Text(step, "key") is not null && Text(step, "recoveryPoint") is not null
        let content = Text(step, "contentSha256") ?? (Text(step, "file") is null ? null : Text(step, "sha256"))
        select new ReportedBackup(step.Path, Text(step, "key")!, Moment(Text(step, "recoveryPoint")!), content, Text(step, "sha256") is { } sha && sha != content ? sha : null);

    static string Moment(string text) => DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var at) ? Words.Moment(at) : text;

    static string? Text(StepState step, string output) =>
        step.Outputs?.TryGetPropertyValue(output, out var value) == true && value is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;
}
