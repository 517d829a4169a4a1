using System.CommandLine;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class DoctorCommand
{
    public static Command Make(Session session)
    {
        var runbook = Given.Runbook();
        var environment = Given.Environment();
        var inputs = Given.Inputs();
        return new Verb("doctor", "Does the pre-flight of a runbook alone: tools, credentials, targets, disk space.", "helix doctor redis-restore -e compose-local")
            .Takes(runbook).With(environment, inputs)
            .Does(parsed =>
            {
                _ = PlanCommand.PlanOf(session, parsed.GetValue(runbook)!, parsed.GetValue(environment)!, parsed.GetValue(inputs), "live");
                return Missing();
            });
    }

    static int Missing() => throw new RunbookException("The pre-flight alone is not part of this build.", "`helix run` does it before the first change.");
}
