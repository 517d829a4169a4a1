using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

/// <summary>The report of a run as one HTML file that needs nothing else: no script, no font, no picture from anywhere.</summary>
public static partial class HtmlReport
{
    public static string Of(RunReport report)
    {
        var html = new StringBuilder();
        html.Append($"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{E(report.Title)}: {E(report.Run)}</title>\n<style>{Style}</style>\n</head>\n<body>\n<main>\n");
        html.Append($"<h1>{E(report.Title)}</h1>\n<p class=\"verdict {Tone(report)}\"><span class=\"word\">{E(report.Status)}</span> {E(report.Verdict)}</p>\n");
        if (report.Down.Count > 0)
            html.Append("<div class=\"down\" role=\"alert\"><h2>Not usable</h2><ul>").AppendJoin("", report.Down.Select(d => $"<li>{E(d)}</li>")).Append("</ul></div>\n");
        Objectives(html, report.Objectives, report.OccurredAt is not null);
        Facts(html, report);
        HtmlTimeline.Append(html, report);
        Sections(html, report);
        return html.Append("</main>\n</body>\n</html>").ToString();
    }

    /// <summary>The timeline alone, for a page that has the classes of the report in its own style sheet.</summary>
    public static string Timeline(RunReport report)
    {
        var html = new StringBuilder();
        HtmlTimeline.Append(html, report);
        return html.ToString();
    }

    internal static string E(string? text) => System.Net.WebUtility.HtmlEncode(text ?? "");

    static string Tone(RunReport report) => report.Status switch
    {
        "succeeded" when report.Objectives.RtoMet != false && report.Objectives.RpoMet != false => "good",
        "succeeded" or "running" or "waiting" or "suspended" => "fair",
        _ => "bad",
    };

    static void Objectives(StringBuilder html, Measured m, bool occurredSaid)
    {
        html.Append("<h2>Objectives</h2>\n<div class=\"cards\">");
        Card(html, "RTA", m.Rta is { } rta ? Words.Clock(rta) : "not measured", m.Rto is { } rto ? $"RTO {Words.Objective(rto)}" : "no RTO", m.RtoMet);
        Card(html, "RPA", m.Rpa is { } rpa ? Words.Clock(rpa) : "not measured", m.Rpo is { } rpo ? $"RPO {Words.Objective(rpo)}" : "no RPO", m.RpoMet);
        if (m.MeanOfRuns is { } mean)
            Card(html, "MTTR", Words.Clock(mean), $"{Words.Count(m.RunsCounted, "run")}{(m.Mttr is { } goal ? $", goal {Words.Objective(goal)}" : "")}", m.Mttr is { } g ? mean <= g : null);
        html.Append("</div>\n");
        Table(html, null, ["Where the time went", ""],
        [
            ["Detection (occurred to declared)", occurredSaid ? Words.Clock(m.Detection) : EndPage.NotSaid], ["Decision (declared to started)", Words.Clock(m.Decision)],
            ["Waiting for people", Words.Clock(m.WaitingForPeople)], ["Machine", Words.Clock(m.Machine)], ["Verification", Words.Clock(m.Verification)],
            .. m.Targets.Select(t => (string[])[$"RPA of {t.Target}", $"{Words.Clock(t.Rpa)}, recovery point {Words.Moment(t.RecoveryPoint)}"]),
        ]);
    }

    static void Card(StringBuilder html, string name, string value, string objective, bool? met) => html.Append(
        $"<div class=\"card {(met switch { true => "good", false => "bad", _ => "" })}\"><b>{name}</b><span class=\"value\">{E(value)}</span><span>{E(objective)}{(met switch { true => ": met", false => ": missed", _ => "" })}</span></div>");

    static void Facts(StringBuilder html, RunReport r)
    {
        string?[][] rows =
        [
            ["Run", r.Run], ["Runbook", r.Runbook + (r.Owner is { } owner ? $", owned by {owner}" : "")],
            ["Environment", r.Environment + (r.Protected ? " (protected)" : "")], ["Mode", r.Mode], ["Incident", r.Incident],
            ["Started by", $"{r.StartedBy}, {r.Trigger}"], ["Participants", r.Participants.Count > 0 ? string.Join(", ", r.Participants) : null],
            ["Occurred", r.OccurredAt is { } o ? Words.Moment(o) : null], ["Declared", Words.Moment(r.DeclaredAt)], ["Started", Words.Moment(r.StartedAt)],
            ["Ended", r.EndedAt is { } e ? Words.Moment(e) + (r.Closed ? " (closed)" : "") : null],
            .. r.Inputs.Select(i => (string?[])[$"Input {i.Key}", Plain(i.Value)]),
            ["Git", r.GitCommit is { } commit ? commit + (r.GitAuthor is { } a ? $", last author {a}" : "") : null],
            ["Plan", r.PlanHash], ["Record", $"{r.Events} events, head {r.Head}"],
            ["Check it with", $"helix verify-record {r.Run} --head {r.Head}"],
        ];
        Table(html, "Facts", ["", ""], rows.Where(x => x[1] is not null).Select(x => (string[])[x[0]!, x[1]!]));
    }

    static void Sections(StringBuilder html, RunReport r)
    {
        Table(html, "Open questions", ["Step", "Waits for", "Question", "Command"], r.Questions.Select(q => (string[])[q.Path, q.WaitsFor, q.Message, q.Command]));
        Table(html, "Decisions", ["When", "Who", "Answer", "To", "Reason, evidence, form", "Shown"], r.Decisions.Select(Decision));
        Table(html, "What was asked", ["Question", "Asked of", "Text", "Facts that were shown", "SHA-256 of all that"], r.Answered.Select(d => (string[])[d.Question, d.AskedOf!, d.Asked!, string.Join("\n", d.Facts), d.ShownHash ?? ""]));
        Table(html, "Steps", ["Step", "Type", "Effect", "State", "Began", "Took", "Usually", "Attempts", "Remark"], r.Steps.Select(Step));
        Table(html, "Failures", ["Step", "Attempt", "When", "Class", "What", "Hint"], r.Steps.SelectMany(s => s.Attempts.Where(a => a.Message is not null)
            .Select(a => (string[])[s.Path, a.Number.ToString(), Words.Moment(a.Start), a.Failure ?? "", a.Message!, a.Hint ?? ""])));
        Table(html, "Rounds", ["Round", "From", "When", "Reason", "Inputs", "Before, it had ended"], r.Rounds.Select(x => (string[])[x.Round.ToString(), x.From, Words.Moment(x.At), x.Reason, x.Inputs.Count > 0 ? Plain(x.Inputs) : "", x.Before ?? ""]));
        Remarks(html, "Interruptions and doubts", r.Interruptions);
        Remarks(html, "Unanswered questions", r.Unanswered);
        Remarks(html, "Confirmations", r.Confirmations);
        Remarks(html, "Overrides", r.Overrides);
        Remarks(html, "Refused decisions", r.Refused);
        Table(html, "What is left changed", ["What", "Command that takes it back"], r.Residue.Select(x => (string[])[x.What, x.Command]));
        Table(html, "Safety copies", ["Step", "File", "Size", "SHA-256"], r.SafetyCopies.Select(f => (string[])[f.Step, $"{f.Host}:{f.Path}", ByteSize.Words(f.Size), f.Sha256]));
        Table(html, "Backups", ["Step", "Key", "Recovery point", "SHA-256 of the content", "SHA-256 as stored"], r.Backups.Select(b => (string[])[b.Step, b.Key, b.RecoveryPoint ?? "", b.Content ?? "", b.Stored ?? ""]));
        Table(html, "Findings", ["When", "By", "Finding", "Owner", "Due"], r.Findings.Select(f => (string[])[Words.Moment(f.At), f.By, f.Text, f.Owner ?? "", f.Due ?? ""]));
        Remarks(html, "Notes", r.Notes);
        Table(html, "Pre-flight", ["What", "", "Found", "Hint"], r.Preflight.Select(c => (string[])[c.Subject, c.Kind, c.What, c.Hint ?? ""]));
        Table(html, "Pinned files", ["File", "SHA-256"], r.Pinned.Select(p => (string[])[p.Key, p.Value]));
        Table(html, "Versions", ["", ""], r.Versions.Select(v => (string[])[v.Key, v.Value]));
    }

    static void Remarks(StringBuilder html, string title, IReadOnlyList<ReportedRemark> remarks) =>
        Table(html, title, ["When", "Who", "What"], remarks.Select(n => (string[])[Words.Moment(n.At), n.By ?? "", n.Kind is "note" or "refused" ? n.Text : $"{n.Kind}: {n.Text}"]));

    static string[] Decision(ReportedDecision d)
    {
        string?[] why = [d.BySelf ? "by who started the run" : null, d.Glass, d.Reason, d.Evidence is { } e ? $"evidence: {e}" : null, d.To is { } to ? $"to {to}" : null, Filled(d.Form), Filled(d.With), Filled(d.Outputs)];
        return [Words.Moment(d.At), d.By + (d.Signed ? ", signed" : ""), d.Choice, d.Question, string.Join("; ", why.Where(w => w is not null)), d.ShownHash is { } hash ? Words.Short(hash) : ""];
    }

    static string? Filled(JsonObject? value) => value is { Count: > 0 } ? Plain(value) : null;

    static string[] Step(ReportedStep s) =>
    [
        (s.Part == "steps" ? "" : s.Part + ": ") + s.Path + (s.Earlier ? " (earlier round)" : ""), s.Uses, s.Effect,
        s.Status.Replace('-', ' ') + (s.Source is { } source ? $" ({source})" : ""), s.Start is { } began ? Words.Moment(began) : "",
        s.TookWords, s.Usually is { } usually ? Words.Span(usually) : "", s.Attempts.Count > 0 ? s.Attempts.Count.ToString() : "",
        s.Warning is { } w ? "warning: " + w : s.SkipReason ?? s.Message ?? "",
    ];

    /// <summary>Every cell names its column, so that a narrow screen can stack them.</summary>
    static void Table(StringBuilder html, string? title, string[] heads, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0)
            return;
        if (title is not null)
            html.Append($"<h2>{E(title)}</h2>\n");
        html.Append("<table>");
        if (heads.Any(h => h.Length > 0))
            html.Append("<thead><tr>").AppendJoin("", heads.Select(h => $"<th scope=\"col\">{E(h)}</th>")).Append("</tr></thead>");
        html.Append("<tbody>\n");
        foreach (var row in all)
            html.Append("<tr>").AppendJoin("", row.Select((cell, i) => $"<td{(IsLong(cell) ? " class=\"long\"" : IsShort(cell) ? " class=\"short\"" : "")} data-head=\"{E(heads[i])}\">{E(cell)}</td>")).Append("</tr>\n");
        html.Append("</tbody></table>\n");
    }

    /// <summary>A word that no column has room for, as a hash or a path; shorter ones are never broken.</summary>
    static bool IsLong(string cell) => cell.Split(' ', '\n').Any(w => w.Length > 24);

    /// <summary>A number with its unit, which stays in one line.</summary>
    static bool IsShort(string cell) => cell.Length is > 0 and <= 10 && char.IsAsciiDigit(cell[0]);

    static string Plain(JsonNode? value) => value is JsonValue v && v.TryGetValue<string>(out var text) ? text : value?.ToJsonString(StepJson.Options) ?? "null";
}
