using System.CommandLine;
using Helix.Cli.Driving;

namespace Helix.Cli.Commands;

static class ResumeCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var unattended = Given.Flag("--unattended", "Nobody is there to answer.");
        return new Verb("resume", "Goes on with a run that was suspended, waits, or lost its driver.", "helix resume 20260301-0200-redis-restore")
            .Takes(run).With(unattended)
            .Does(parsed => new RunLoop(session).Run(session.Store.Resolve(parsed.GetValue(run)!), session.Terminal.Interactive && !parsed.GetValue(unattended)));
    }
}
