using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

/// <summary>The report of a run as Markdown, for tickets and repositories.</summary>
public static class MarkdownReport
{
    public static string Of(RunReport report)
    {
        var text = new StringBuilder();
        text.Append($"# {Cell(report.Title)}\n\n**{Cell(report.Verdict)}**\n");
        foreach (var down in report.Down)
            text.Append($"\n> **{Cell(down)}**\n");
        Table(text, "", ["", ""], Header(report));
        Objectives(text, report.Objectives, report.OccurredAt is not null);
        Section(text, "Open questions", report.Questions.Select(q => $"- {Cell(q.Path)}, waiting for {Cell(q.WaitsFor)}: {Cell(q.Message)}\n  `{q.Command}`"));
        Table(text, "Decisions", ["When", "Who", "Answer", "To", "Reason, evidence, form", "Shown"], report.Decisions.Select(Decision));
        Section(text, "What was asked", report.Answered.Select(Asked));
        Table(text, "Steps", ["Step", "Type", "Effect", "State", "Began", "Took", "Usually", "Attempts"], report.Steps.Select(Step));
        Section(text, "Failures", report.Steps.SelectMany(Failures));
        Section(text, "Warnings", report.Warnings.Select(s => $"- {Cell(s.Path)}: {Cell(s.Warning ?? s.Message ?? s.Status)}"));
        Section(text, "Skipped", report.Skipped.Select(s => $"- {Cell(s.Path)}: {Cell(s.SkipReason ?? "")}"));
        Section(text, "Rounds", report.Rounds.Select(r => $"- Round {r.Round} from `{r.From}` at {Words.Moment(r.At)}: {Cell(r.Reason)}{(r.Inputs.Count > 0 ? $" ({Cell(Plain(r.Inputs))})" : "")}{(r.Before is { } before ? $". Before, it had ended: {Cell(before)}" : "")}"));
        Section(text, "Interruptions and doubts", report.Interruptions.Select(Remark));
        Section(text, "Unanswered questions", report.Unanswered.Select(Remark));
        Section(text, "Confirmations", report.Confirmations.Select(Remark));
        Section(text, "Overrides", report.Overrides.Select(Remark));
        Section(text, "Refused decisions", report.Refused.Select(Remark));
        Section(text, "What is left changed", report.Residue.Select(r => $"- {Cell(r.What)}\n  `{r.Command}`"));
        Table(text, "Safety copies", ["Step", "File", "Size", "SHA-256"], report.SafetyCopies.Select(f => (string[])[f.Step, $"{f.Host}:{f.Path}", ByteSize.Words(f.Size), f.Sha256]));
        Table(text, "Backups", ["Step", "Key", "Recovery point", "SHA-256 of the content", "SHA-256 as stored"], report.Backups.Select(b => (string[])[b.Step, b.Key, b.RecoveryPoint ?? "", b.Content ?? "", b.Stored ?? ""]));
        Table(text, "Findings", ["When", "Finding", "Owner", "Due"], report.Findings.Select(f => (string[])[Words.Moment(f.At), f.Text, f.Owner ?? "", f.Due ?? ""]));
        Section(text, "Notes", report.Notes.Select(Remark));
        Table(text, "Pre-flight", ["What", "", "Found"], report.Preflight.Select(c => (string[])[c.Subject, c.Kind, c.What + (c.Hint is { } h ? $" ({h})" : "")]));
        Table(text, "Pinned files", ["File", "SHA-256"], report.Pinned.Select(p => (string[])[p.Key, p.Value]));
        Table(text, "Versions", ["", ""], report.Versions.Select(v => (string[])[v.Key, v.Value]));
        return text.ToString().TrimEnd();
    }

    static IEnumerable<string[]> Header(RunReport r)
    {
        yield return ["Run", $"`{r.Run}`"];
        yield return ["Runbook", r.Runbook + (r.Owner is { } owner ? $", owned by {owner}" : "")];
        yield return ["Environment", r.Environment + (r.Protected ? " (protected)" : "")];
        yield return ["Mode", r.Mode];
        if (r.Incident is { } incident)
            yield return ["Incident", incident];
        yield return ["Started by", $"{r.StartedBy}, {r.Trigger}"];
        if (r.Participants.Count > 0)
            yield return ["Participants", string.Join(", ", r.Participants)];
        if (r.OccurredAt is { } occurred)
            yield return ["Occurred", Words.Moment(occurred)];
        yield return ["Declared", Words.Moment(r.DeclaredAt)];
        yield return ["Started", Words.Moment(r.StartedAt)];
        if (r.EndedAt is { } ended)
            yield return ["Ended", $"{Words.Moment(ended)} ({r.Status}{(r.Closed ? ", closed" : "")})"];
        foreach (var (name, value) in r.Inputs)
            yield return [$"Input {name}", Plain(value)];
        if (r.GitCommit is { } commit)
            yield return ["Git", commit + (r.GitAuthor is { } author ? $", last author {author}" : "")];
        yield return ["Plan", $"`{r.PlanHash}`"];
        yield return ["Record", $"{r.Events} events, head `{r.Head}`"];
        yield return ["Check it with", $"`helix verify-record {r.Run} --head {r.Head}`"];
    }

    static void Objectives(StringBuilder text, Measured m, bool occurredSaid)
    {
        string[][] rows =
        [
            ["Time to recover (RTA of RTO)", EndPage.Against(m.Rta, m.Rto, m.RtoMet)],
            ["Data lost (RPA of RPO)", EndPage.Against(m.Rpa, m.Rpo, m.RpoMet)],
            .. m.Targets.Select(t => (string[])[$"RPA of {t.Target}", $"{Words.Clock(t.Rpa)}, recovery point {Words.Moment(t.RecoveryPoint)}"]),
            ["Detection", occurredSaid ? Words.Clock(m.Detection) : EndPage.NotSaid],
            ["Decision", Words.Clock(m.Decision)],
            ["Waiting for people", Words.Clock(m.WaitingForPeople)],
            ["Machine", Words.Clock(m.Machine)],
            ["Verification", Words.Clock(m.Verification)],
        ];
        if (m.MeanOfRuns is { } mean)
            rows = [.. rows, [$"Mean of {Words.Count(m.RunsCounted, "run")} (MTTR)", $"{Words.Clock(mean)}{(m.Mttr is { } goal ? $" of {Words.Objective(goal)}, {(mean <= goal ? "met" : "missed")}" : "")}"]];
        Table(text, "Objectives", ["", ""], rows);
    }

    static string Asked(ReportedDecision d) =>
        $"- `{d.Question}`, asked of {Cell(d.AskedOf!)}: {Cell(d.Asked!)}\n  SHA-256 of all that was shown: `{d.ShownHash}`{(d.Facts.Count > 0 ? "; with it:" : "")}" + string.Concat(d.Facts.Select(f => $"\n  {(f.StartsWith("  ", StringComparison.Ordinal) ? "  " : "")}- {Cell(f.Trim())}"));

    static string[] Decision(ReportedDecision d)
    {
        List<string> why = [];
        if (d.BySelf) why.Add("by who started the run");
        if (d.Glass is not null) why.Add(d.Glass);
        if (d.Reason is not null) why.Add(d.Reason);
        if (d.Evidence is not null) why.Add($"evidence: {d.Evidence}");
        if (d.To is not null) why.Add($"to {d.To}");
        foreach (var part in (JsonObject?[])[d.Form, d.With, d.Outputs])
            if (part is { Count: > 0 })
                why.Add(Plain(part));
        return [Words.Moment(d.At), d.By + (d.Signed ? ", signed" : ""), d.Choice, d.Question, string.Join("; ", why), d.ShownHash is { } hash ? $"`{Words.Short(hash)}`" : ""];
    }

    static string[] Step(ReportedStep s) =>
    [
        $"{(s.Part == "steps" ? "" : s.Part + ": ")}`{s.Path}`{(s.Earlier ? " (earlier round)" : "")}", s.Uses, s.Effect,
        s.Status.Replace('-', ' ') + (s.Source is { } source ? $" ({source})" : ""), s.Start is { } began ? Words.Moment(began) : "",
        s.TookWords, s.Usually is { } usually ? Words.Span(usually) : "", s.Attempts.Count > 0 ? s.Attempts.Count.ToString() : "",
    ];

    static IEnumerable<string> Failures(ReportedStep step)
    {
        foreach (var attempt in step.Attempts.Where(a => a.Message is not null))
            yield return $"- {Cell(step.Path)}, attempt {attempt.Number} at {Words.Moment(attempt.Start)}, {attempt.Failure}: {Cell(attempt.Message!)}"
                + Hint(attempt.Hint);
        // A gate that refused, a held lock, the limit of a block: no attempt was made, or it ended with another word.
        if (step is { Status: "failed" or "interrupted", Message: { } why } && step.Attempts.All(a => a.Message != why))
            yield return $"- {Cell(step.Path)}: {Cell(why)}{Hint(step.Hint)}";
    }

    static string Hint(string? hint) => hint is null ? "" : $"\n  Hint: {Cell(hint)}";

    static string Remark(ReportedRemark r) => $"- {Words.Moment(r.At)}{(r.By is { } by ? $", {Cell(by)}" : "")}: {(r.Kind is "note" or "refused" ? "" : r.Kind + ": ")}{Cell(r.Text)}";

    static void Section(StringBuilder text, string title, IEnumerable<string> lines)
    {
        var all = lines.ToList();
        if (all.Count > 0)
            text.Append($"\n## {title}\n\n").AppendJoin('\n', all).Append('\n');
    }

    static void Table(StringBuilder text, string title, string[] heads, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0)
            return;
        text.Append(title.Length > 0 ? $"\n## {title}\n\n" : "\n");
        text.Append("| ").AppendJoin(" | ", heads).Append(" |\n|").AppendJoin("|", heads.Select(_ => " --- ")).Append("|\n");
        foreach (var row in all)
            text.Append("| ").AppendJoin(" | ", row.Select(Cell)).Append(" |\n");
    }

    /// <summary>Text of others must not open a row, a tag or a link.</summary>
    static string Cell(string text) => text.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace("](", "]\\(", StringComparison.Ordinal);

    static string Plain(JsonNode? value) => value is JsonValue v && v.TryGetValue<string>(out var text) ? text : value?.ToJsonString(StepJson.Options) ?? "null";
}
