using System.CommandLine;
using Helix.Cli.Driving;

namespace Helix.Cli.Commands;

static class DecideCommand
{
    public static Command Make(Session session)
    {
        var answer = new AnswerOptions(session, reasonRequired: false);
        var question = AnswerOptions.Question(optional: false);
        var choice = new Argument<string>("CHOICE") { Description = "done, failed, retry, skip, go-back, abort; approve, reject or override." };
        choice.AcceptOnlyFromAmong("approve", "reject", "done", "failed", "retry", "skip", "go-back", "abort", "override");
        var to = Given.Text("--to", "STEP", "For go-back: the step.");
        var with = new Option<string[]>("--with") { Description = "For retry: another value of an option. May be repeated.", HelpName = "OPTION=VALUE", DefaultValueFactory = _ => [] };
        var outputs = new Option<string[]>("--output") { Description = "For done: the outputs that later steps use. May be repeated.", HelpName = "NAME=VALUE", DefaultValueFactory = _ => [] };
        return new Verb("decide", "Answers a manual step, a failed step, or one in doubt.",
                "helix decide 260301-0200 load retry --resume",
                "helix decide 260301-0200 block_access done --evidence 'ticket NET-7' --resume",
                "helix decide 260301-0200 fetch go-back --to choose --input backup=neo4j/2026-02-28T23.dump --reason 'archive is damaged'")
            .Takes(answer.Run, question, choice).With(answer.All).With(to, with, outputs)
            .Does(parsed => new Answering(session).Give(answer.Of(parsed, parsed.GetValue(question), parsed.GetValue(choice)!) with
            {
                To = parsed.GetValue(to),
                With = AnswerOptions.Values(parsed.GetValue(with)),
                Outputs = AnswerOptions.Values(parsed.GetValue(outputs)),
            }));
    }
}
