using System.CommandLine;
using Helix.Cli.Driving;

namespace Helix.Cli.Commands;

static class RatifyCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var question = AnswerOptions.Question(optional: true);
        var reason = Given.Reason(required: true);
        return new Verb("ratify", "Agrees afterwards to what one person approved alone by break-glass.", "helix ratify 260301-0200 go --reason 'right: nobody else could be reached'")
            .Takes(run, question).With(reason)
            .Does(parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                session.Engine.Ratify(id, session.Operator, parsed.GetValue(question), Needed.Reason(parsed.GetValue(reason), "ratify a break-glass"));
                session.Terminal.Say($"Ratified in the record of run {id}.");
                return 0;
            });
    }
}
