using System.CommandLine;
using Helix.Cli.Driving;

namespace Helix.Cli.Commands;

static class TakeoverCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var reason = Given.Reason(required: true);
        return new Verb("takeover", "Takes a run from a driver that is gone or must stop, and goes on with it.", "helix takeover 260301-0200 --reason 'host db-1 is gone'")
            .Takes(run).With(reason)
            .Does(parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                session.Engine.TakeOver(id, session.Operator, Needed.Reason(parsed.GetValue(reason), "take a run over"));
                session.Terminal.Say($"Run {id} is taken over.");
                return new RunLoop(session).Run(id, session.Terminal.Interactive);
            });
    }
}
