using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;

namespace Helix.Runbooks.Reports;

/// <summary>The last words of a drive: what came of it, what is left, and the one command that goes on.</summary>
public static class EndPage
{
    public static string Text(RunReport report, DriveResult result, bool attended)
    {
        var lines = new List<string> { "", report.Verdict };
        if (result.Why is { } why)
            lines.Add("! " + why);
        lines.AddRange(report.Down.Select(d => "! " + d));
        lines.Add($"  did       {Did(report)}");
        lines.AddRange(Objectives(report.Objectives));
        foreach (var step in report.Steps.Where(s => s is { Status: "failed" or "interrupted", Earlier: false }))
        {
            lines.Add($"  {(step.Status == "failed" ? "failed " : "stopped")}   {step.Path}: {step.Message}");
            if (step.Hint is not null)
                lines.Add($"            Hint: {step.Hint}");
        }
        lines.AddRange(report.Steps.Where(s => s.Warning is not null).Select(s => $"  warning   {s.Path}: {s.Warning}"));
        foreach (var residue in report.Residue)
            lines.Add($"  left      {residue.What}\n            {residue.Command}");
        lines.AddRange(Next(report, result).Select(n => $"  {n.Label,-10}{n.Text}"));
        lines.Add($"  run       {report.Run}");
        lines.Add($"  record    {report.Events} events, head {report.Head}");
        return string.Join("\n", lines);
    }

    public static JsonObject Json(RunReport report, DriveResult result) => new()
    {
        ["run"] = report.Run,
        ["end"] = RunReport.Word(result.End),
        ["exitCode"] = result.ExitCode,
        ["status"] = report.Status,
        ["verdict"] = report.Verdict,
        ["reason"] = report.Reason,
        ["rtaSeconds"] = report.Objectives.Rta?.TotalSeconds,
        ["rtoSeconds"] = report.Objectives.Rto?.TotalSeconds,
        ["rpaSeconds"] = report.Objectives.Rpa?.TotalSeconds,
        ["rpoSeconds"] = report.Objectives.Rpo?.TotalSeconds,
        ["down"] = new JsonArray([.. report.Down.Select(d => JsonValue.Create(d))]),
        ["outputs"] = report.Outputs?.DeepClone(),
        ["residue"] = new JsonArray([.. report.Residue.Select(r => new JsonObject { ["what"] = r.What, ["command"] = r.Command })]),
        ["questions"] = new JsonArray([.. report.Questions.Select(q => new JsonObject { ["question"] = q.Question, ["path"] = q.Path, ["kind"] = q.Kind, ["message"] = q.Message, ["waitsFor"] = q.WaitsFor, ["command"] = q.Command })]),
        ["next"] = Next(report, result).FirstOrDefault().Text,
        ["events"] = report.Events,
        ["head"] = report.Head,
    };

    static string Did(RunReport report)
    {
        var now = report.Steps.Where(s => !s.Earlier).ToList();
        var parts = new List<string> { $"{now.Count(s => s.Status == "succeeded")} of {Words.Count(now.Count, "step")} succeeded" };
        foreach (var status in (string[])["failed", "interrupted", "skipped", "cancelled", "in-doubt", "waiting", "not-reached"])
            if (now.Count(s => s.Status == status) is > 0 and var n)
                parts.Add($"{n} {status.Replace('-', ' ')}");
        if (report.Rounds.Count > 0)
            parts.Add($"in {report.Rounds.Count + 1} rounds");
        return string.Join(", ", parts);
    }

    static IEnumerable<string> Objectives(Measured m)
    {
        // Only what has an objective recovers: a backup takes a time, and is no recovery.
        if (m.Rto is not null)
            yield return $"  RTA/RTO   {Against(m.Rta, m.Rto, m.RtoMet)}";
        if (m.Rpo is not null || m.Rpa is not null)
            yield return $"  RPA/RPO   {Against(m.Rpa, m.Rpo, m.RpoMet)}";
    }

    internal const string NotSaid = "not measured: nobody said when it occurred (--occurred-at)";

    internal static string Against(TimeSpan? measured, TimeSpan? objective, bool? met) =>
        (measured is { } m ? Words.Clock(m) : "not measured") + (objective is { } o ? $" of {Words.Objective(o)}" : "") + (met switch { true => ", met", false => ", missed", _ => "" });

    /// <summary>What goes on from here; nothing after a good end.</summary>
    static IEnumerable<(string Label, string Text)> Next(RunReport report, DriveResult result)
    {
        foreach (var question in report.Questions)
            yield return ("go on", question.Command);
        if (result.End is DriveEnd.Suspended or DriveEnd.Interrupted or DriveEnd.StoreLost && report.Questions.Count == 0)
            yield return ("go on", $"helix resume {report.Run}");
        if (result.End == DriveEnd.LeaseLost)
            yield return ("follow", $"helix show {report.Run} --follow");
        foreach (var decision in report.Decisions.Where(d => d.Unratified))
            yield return ("ratify", $"helix ratify {report.Run} {QuestionPage.Quoted(decision.Question)} --reason '…'   # somebody else than {decision.By} who was asked");
        if (result.End == DriveEnd.Ended && report.Residue.Count > 0)
            yield return ("then", $"helix close {report.Run} --reason '…'");
    }
}
