using System.CommandLine;

namespace Helix.Cli.Commands;

static class PauseCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var reason = Given.Reason(required: false);
        return new Verb("pause", "Suspends a run after the steps that are running now.", "helix pause 260301-0200 --reason 'waiting for the network team'")
            .Takes(run).With(reason)
            .Does(parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                session.Engine.Pause(id, session.Operator, parsed.GetValue(reason));
                session.Terminal.Say($"Run {id} is asked to pause. `helix resume {id}` goes on.");
                return 0;
            });
    }
}
