using System.CommandLine;
using Helix.Cli.Driving;

namespace Helix.Cli.Commands;

static class CancelCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var reason = Given.Reason(required: true);
        var resume = Given.Flag("--resume", "When nobody drives the run, runs rescue and finally now.");
        return new Verb("cancel", "Ends a run: rescue and finally still run.", "helix cancel 260301-0200 --reason 'wrong backup chosen' --resume")
            .Takes(run).With(reason, resume)
            .Does(async parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                session.Engine.Cancel(id, session.Operator, Needed.Reason(parsed.GetValue(reason), "cancel a run"));
                var driven = session.Store.ReadLease(id) is { IsFree: false };
                if (parsed.GetValue(resume) && !driven)
                    return await new RunLoop(session).Run(id, attended: false);
                session.Terminal.Say(driven
                    ? $"Run {id} is asked to end; its driver runs rescue and finally."
                    : $"Run {id} will end. Nobody drives it: `helix resume {id}` runs rescue and finally.");
                return 0;
            });
    }
}
