using System.CommandLine;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
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
        var offline = Given.Flag("--offline", "Looks at the files only; steps are not asked what they would touch.");
        return new Verb("plan", "Shows what a run would do, in order, without doing anything.",
                "helix plan runbooks/redis-restore.yaml --environment runbooks/environments/compose-local.yaml",
                "helix plan redis-restore -e compose-local --format md > redis-restore.md")
            .Takes(runbook).With(environment, inputs, mode, format, offline)
            .Does(async parsed =>
            {
                var plan = PlanOf(session, parsed.GetValue(runbook)!, parsed.GetValue(environment)!, parsed.GetValue(inputs), parsed.GetValue(mode)!);
                var described = parsed.GetValue(offline) ? PlanPage.NotAsked : await session.Engine.Describe(plan, session.Operator.Account);
                return Show(session, plan, described, session.Terminal.Json ? "json" : parsed.GetValue(format)!);
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

    static int Show(Session session, Plan plan, IReadOnlyDictionary<string, StepPlan> described, string format)
    {
        session.Terminal.Out.WriteLine(format switch
        {
            "json" => PlanPage.Json(plan, described),
            "md" => PlanPage.Markdown(plan, described),
            _ => PlanPage.Text(plan, described),
        });
        return plan.Problems.Any(p => p.Severity == Severity.Error) ? ExitCodes.Wrong : 0;
    }
}
