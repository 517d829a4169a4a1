using System.CommandLine;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Cli.Commands;

static class PlanCommand
{
    public static Command Make(Session session)
    {
        var runbook = Given.Runbook();
        var environment = Given.Environment();
        var inputs = Given.Inputs();
        var format = new Option<string>("--format") { Description = "text, a page in Markdown for people without a screen, or json.", HelpName = "text|md|json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "md", "json");
        var mode = ModeOption();
        return new Verb("plan", "Shows what a run would do, in order, without doing anything.",
                "helix plan runbooks/redis-restore.yaml --environment runbooks/environments/compose-local.yaml",
                "helix plan redis-restore -e compose-local --format md > redis-restore.md")
            .Takes(runbook).With(environment, inputs, mode, format)
            .Does(parsed =>
            {
                var plan = PlanOf(session, parsed.GetValue(runbook)!, parsed.GetValue(environment)!, parsed.GetValue(inputs), parsed.GetValue(mode)!);
                return Show(session, plan, session.Terminal.Json ? "json" : parsed.GetValue(format)!);
            });
    }

    public static Option<string> ModeOption()
    {
        var mode = new Option<string>("--mode") { Description = "live, or drill: the same on an unprotected environment, with findings.", HelpName = "live|drill", DefaultValueFactory = _ => "live" };
        mode.AcceptOnlyFromAmong("live", "drill");
        return mode;
    }

    /// <summary>Environment, runbook, inputs → plan; each with all its problems.</summary>
    public static Plan PlanOf(Session session, string runbook, string environment, string[]? inputs, string mode)
    {
        var targets = session.Files.Environment(environment);
        var text = session.Files.Runbook(runbook, targets);
        return new Planner(session.Catalog).Plan(text, targets, Given.Pairs(inputs), mode == "drill" ? Mode.Drill : Mode.Live);
    }

    static int Show(Session session, Plan plan, string format)
    {
        session.Terminal.Out.WriteLine(format switch
        {
            "json" => PlanPage.Json(plan),
            "md" => PlanPage.Markdown(plan),
            _ => PlanPage.Text(plan),
        });
        return plan.Problems.Any(p => p.Severity == Severity.Error) ? ExitCodes.Wrong : 0;
    }
}
