using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Commands;

static class StatusCommand
{
    public static Command Make(Session session) => new Verb("status", "One screen: what runs, what waits, and for whom.", "helix status", "helix status --json")
        .Does(_ =>
        {
            var runs = session.Store.Runs(openOnly: true);
            session.Terminal.Give(new JsonArray([.. runs.Select(r => ToJson(session, r))]), () => runs.Count == 0
                ? "Nothing runs and nothing waits."
                : string.Join("\n\n", runs.Select(r => ToText(session, r))));
            return 0;
        });

    static string ToText(Session session, RunSummary run)
    {
        var state = session.Engine.State(run.Run);
        var now = session.Time.GetUtcNow();
        var lines = new List<string>
        {
            $"{run.Run}  {state.Started.Title}  on {run.Environment} ({run.Mode})",
            $"  {run.Status}{(run.DriverGone ? $", its driver has been gone since {Words.Moment(run.LastAt)} or later" : "")}; started by {run.Operator}, {Words.Ago(run.StartedAt, now)}",
        };
        lines.AddRange(Active(state).Select(s => $"  {RunTree.Word(run.DriverGone && s.Status == StepStatus.Running ? StepStatus.InDoubt : s.Status)}: {s.Path} ({s.Uses})"));
        var groups = session.Engine.PlanToShow(state).Environment.Groups;
        foreach (var question in state.OpenQuestions)
        {
            if (Approvals.Tally(question, groups) != QuestionStatus.Open)
            {
                lines.Add($"  {question.Asked.Path} is answered by {string.Join(", ", question.Answers.Select(a => a.By.Account))}, and nobody has gone on yet\n    helix resume {run.Run}");
                continue;
            }
            lines.Add($"  waits for {QuestionPage.Whom(question)}: {QuestionPage.FirstLine(question)}");
            lines.Add($"    {QuestionPage.Command(run.Run, question)}");
        }
        foreach (var secret in state.SecretsAsked.Values)
            lines.Add($"  waits for a secret of {(secret.From.Count > 0 ? string.Join(", ", secret.From) : "anybody")}: {secret.Message}\n    helix secret {run.Run} {secret.Name}");
        foreach (var (question, answer) in state.Unratified)
            lines.Add($"  not ratified: break-glass of {question} by {answer.By.Account}\n    helix ratify {run.Run} {QuestionPage.Quoted(question)} --reason '…'");
        if (run.Status == "suspended")
            lines.Add($"    helix resume {run.Run}");
        return string.Join("\n", lines);
    }

    static IEnumerable<StepState> Active(RunState state) =>
        state.Steps.Values.Where(s => s.Status is StepStatus.Running or StepStatus.Retrying or StepStatus.InDoubt || (s.Status == StepStatus.Waiting && s.WaitUntil is not null));

    static JsonObject ToJson(Session session, RunSummary run)
    {
        var state = session.Engine.State(run.Run);
        var json = RunsCommand.ToJson(run).AsObject();
        json["steps"] = new JsonArray([.. Active(state).Select(s => new JsonObject { ["path"] = s.Path, ["uses"] = s.Uses, ["status"] = RunTree.Word(s.Status) })]);
        json["questions"] = new JsonArray([.. state.OpenQuestions.Select(q => QuestionPage.Json(run.Run, q))]);
        json["secrets"] = new JsonArray([.. state.SecretsAsked.Values.Select(s => new JsonObject { ["name"] = s.Name, ["path"] = s.Path, ["message"] = s.Message, ["from"] = new JsonArray([.. s.From.Select(f => JsonValue.Create(f))]), ["until"] = s.Until })]);
        return json;
    }
}
