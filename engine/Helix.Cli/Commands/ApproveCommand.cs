using System.CommandLine;
using Helix.Cli.Driving;

namespace Helix.Cli.Commands;

static class ApproveCommand
{
    public static Command Make(Session session)
    {
        var answer = new AnswerOptions(session, reasonRequired: false);
        var question = AnswerOptions.Question(optional: true);
        var glass = Given.Flag("--break-glass", "Works alone, tells everybody, needs a reason, and stays open until it is ratified.");
        return new Verb("approve", "Approves what a run asks for; also before the gate is reached.",
                "helix approve 260301-0200 go --resume", "helix approve 260301-0200 go --input reason='counts agree' --sign ~/.ssh/id_ed25519")
            .Takes(answer.Run, question).With(answer.All).With(glass)
            .Does(parsed => new Answering(session).Give(answer.Of(parsed, parsed.GetValue(question), "approve") with { BreakGlass = parsed.GetValue(glass) }));
    }
}
