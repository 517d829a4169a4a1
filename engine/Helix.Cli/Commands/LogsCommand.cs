using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Cli.Driving;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;

namespace Helix.Cli.Commands;

static class LogsCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var step = new Argument<string?>("STEP") { Description = "The path of a step. Without one: all.", Arity = ArgumentArity.ZeroOrOne };
        var follow = new Option<bool>("--follow", "-f") { Description = "Stays until the run ends." };
        return new Verb("logs", "Shows what steps wrote, in order, with time; masked.", "helix logs 260301-0200 load -f")
            .Takes(run, step).With(follow)
            .Does(async parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                await Show(session, id, parsed.GetValue(step), parsed.GetValue(follow));
                return 0;
            });
    }

    static async Task Show(Session session, string run, string? step, bool follow)
    {
        long after = 0;
        while (true)
        {
            // The state is read before the lines: what was written before the end is then always shown.
            var ended = !follow || session.Engine.State(run).Ended is not null;
            IReadOnlyList<LogLine> lines;
            do
            {
                lines = session.Store.Logs(run, step, after);
                foreach (var line in lines)
                    session.Terminal.Write(session.Terminal.Json ? ToJson(line) : $"{Words.Time(line.At)} {line.Path}{(line.Stream == "stderr" ? " !" : " |")} {line.Text}");
                after = lines.Count > 0 ? lines[^1].Sequence : after;
            }
            while (lines.Count > 0);
            if (ended)
                return;
            await Task.Delay(Watch.Look, session.Time);
        }
    }

    static string ToJson(LogLine line) => new JsonObject
    {
        ["sequence"] = line.Sequence,
        ["at"] = line.At,
        ["path"] = line.Path,
        ["attempt"] = line.Attempt,
        ["stream"] = line.Stream,
        ["text"] = line.Text,
    }.ToJsonString(Helix.Runbooks.Steps.StepJson.Options);
}
