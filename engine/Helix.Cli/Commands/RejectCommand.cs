using System.CommandLine;
using Helix.Cli.Driving;

namespace Helix.Cli.Commands;

static class RejectCommand
{
    public static Command Make(Session session)
    {
        var answer = new AnswerOptions(session, reasonRequired: true);
        var question = AnswerOptions.Question(optional: true);
        return new Verb("reject", "Rejects what a run asks for.", "helix reject 260301-0200 go --reason 'the backup is from before the fix' --resume")
            .Takes(answer.Run, question).With(answer.All)
            .Does(parsed => new Answering(session).Give(answer.Of(parsed, parsed.GetValue(question), "reject")));
    }
}
