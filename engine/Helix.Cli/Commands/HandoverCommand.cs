using System.CommandLine;

namespace Helix.Cli.Commands;

static class HandoverCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var reason = Given.Reason(required: false);
        return new Verb("handover", "Asks the driver of a run to give it away, so that somebody else can resume it.", "helix handover 260301-0200 --reason 'end of shift'")
            .Takes(run).With(reason)
            .Does(parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                session.Engine.Handover(id, session.Operator, parsed.GetValue(reason));
                session.Terminal.Say($"Run {id} is free after the steps that are running now. `helix resume {id}` takes it.");
                return 0;
            });
    }
}
