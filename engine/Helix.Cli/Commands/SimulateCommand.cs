using System.CommandLine;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class SimulateCommand
{
    public static Command Make(Session session)
    {
        var runbook = Given.Runbook();
        var environment = Given.Environment();
        var inputs = Given.Inputs();
        var coverage = Given.Flag("--coverage", "Also names the branches that no script ever takes.");
        return new Verb("simulate", "Plays a runbook with scripted results; nothing is touched.", "helix simulate redis-restore -e compose-local --coverage")
            .Takes(runbook).With(environment, inputs, coverage)
            .Does(parsed =>
            {
                _ = PlanCommand.PlanOf(session, parsed.GetValue(runbook)!, parsed.GetValue(environment)!, parsed.GetValue(inputs), "live");
                return Missing();
            });
    }

    static int Missing() => throw new RunbookException("Simulation is not part of this build.", "`helix plan` shows what a run would do.");
}
