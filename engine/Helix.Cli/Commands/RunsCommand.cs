using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;

namespace Helix.Cli.Commands;

static class RunsCommand
{
    public static Command Make(Session session)
    {
        var limit = new Option<int>("--limit", "-n") { Description = "How many.", HelpName = "N", DefaultValueFactory = _ => 20 };
        var runbook = Given.Text("--runbook", "NAME", "Only runs of this runbook.");
        var open = Given.Flag("--open", "Only runs that have not ended.");
        return new Verb("runs", "Lists runs, newest first.", "helix runs --runbook redis-restore")
            .With(limit, runbook, open)
            .Does(parsed =>
            {
                var runs = session.Store.Runs(parsed.GetValue(limit), parsed.GetValue(runbook), parsed.GetValue(open));
                session.Terminal.Give(new JsonArray([.. runs.Select(ToJson)]), () => runs.Count == 0
                    ? "No run yet."
                    : TextTable.Of(["RUN", "RUNBOOK", "ENVIRONMENT", "MODE", "STATUS", "STARTED", "RTA", "RPA", "BY"], runs.Select(Row)));
                return 0;
            });
    }

    static string[] Row(RunSummary run) =>
    [
        run.Run, run.Runbook, run.Environment, run.Mode, run.ObjectivesMet == false ? run.Status + ", objective missed" : run.Status,
        Words.Moment(run.StartedAt), run.Rta is { } rta ? Words.Clock(rta) : "-", run.Rpa is { } rpa ? Words.Clock(rpa) : "-", run.Operator,
    ];

    public static JsonObject ToJson(RunSummary run) => new JsonObject
    {
        ["run"] = run.Run,
        ["runbook"] = run.Runbook,
        ["environment"] = run.Environment,
        ["mode"] = run.Mode,
        ["status"] = run.Status,
        ["operator"] = run.Operator,
        ["startedAt"] = run.StartedAt,
        ["endedAt"] = run.EndedAt,
        ["rtaSeconds"] = run.Rta?.TotalSeconds,
        ["rpaSeconds"] = run.Rpa?.TotalSeconds,
        ["objectivesMet"] = run.ObjectivesMet,
        ["waitsFor"] = run.WaitsFor,
        ["head"] = run.Head,
        ["events"] = run.Events,
    };
}
