using System.CommandLine;

namespace Helix.Cli.Commands;

static class ExportCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var output = Given.Text("--output", "FILE", "Default: standard output.");
        return new Verb("export", "Writes the record of a run as JSON lines.", "helix export 260301-0200 --output run.jsonl")
            .Takes(run).With(output)
            .Does(parsed =>
            {
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                if (parsed.GetValue(output) is not { } path)
                {
                    session.Store.Export(id, session.Terminal.Out);
                    return 0;
                }
                using var file = new StreamWriter(path);
                session.Store.Export(id, file);
                session.Terminal.Say($"The record of run {id} is in {path}.");
                return 0;
            });
    }
}
