using System.CommandLine;
using Helix.Cli.Driving;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;

namespace Helix.Cli.Commands;

static class ShowCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var follow = new Option<bool>("--follow", "-f") { Description = "Stays until the run ends." };
        return new Verb("show", "Shows the steps of a run with their state, open questions and what is left changed.", "helix show 260301-0200 --follow")
            .Takes(run).With(follow)
            .Does(async parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                if (parsed.GetValue(follow))
                    return await new Watch(session).Follow(id);
                var report = Reporting.Of(session.Engine, id);
                session.Terminal.Give(System.Text.Json.Nodes.JsonNode.Parse(report.ToJson())!, () => Screen(session, id));
                return 0;
            });
    }

    static string Screen(Session session, string run)
    {
        var state = session.Engine.State(run);
        var plan = session.Engine.PlanToShow(state);
        var now = session.Time.GetUtcNow();
        var typical = Reporting.Typical(session.Engine, plan, run);
        var driven = state.Status != RunStatus.Running || session.Store.ReadLease(run) is { IsFree: false };
        var status = driven ? state.Status.ToString().ToLowerInvariant() : $"suspended, its driver is gone: helix resume {run}";
        var lines = new List<string> { $"{run}  {state.Started.Title} on {state.Started.Environment} ({state.Started.Mode}): {status}" };
        if (plan.Unreadable is { } why)
            lines.Add($"{Words.Unreadable} {why}");
        lines.Add(RunTree.ClockLine(Helix.Runbooks.Runs.Clocks.Of(state, plan, session.Catalog, now, typical), now));
        lines.AddRange(RunTree.Lines(state, plan, now, typical, _ => null, driven).Select(l => l.ToString()));
        lines.AddRange(state.OpenQuestions.Select(q => "\n" + session.Terminal.Page(QuestionPage.Text(run, q))));
        if (state.Residue.Count > 0)
            lines.Add("\nleft changed:\n" + string.Join("\n", state.Residue.Values.Select(r => $"  {r.What}: {r.Command}")));
        return string.Join("\n", lines);
    }
}
