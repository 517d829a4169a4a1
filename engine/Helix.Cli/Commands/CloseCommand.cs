using System.CommandLine;

namespace Helix.Cli.Commands;

static class CloseCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var reason = Given.Reason(required: true);
        return new Verb("close", "Acknowledges what a run that ended has left changed.", "helix close 260301-0200 --reason 'safety copies removed, redis started'")
            .Takes(run).With(reason)
            .Does(parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                session.Engine.Close(id, session.Operator, Needed.Reason(parsed.GetValue(reason), "close a run"));
                session.Terminal.Say($"Run {id} is closed.");
                return 0;
            });
    }
}
