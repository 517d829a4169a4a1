using System.CommandLine;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class AttachCommand
{
    public static Command Make(Session session)
    {
        var run = Given.Run(session);
        var file = new Argument<string>("FILE") { Description = "Kept with its SHA-256 in the store." };
        return new Verb("attach", "Keeps a file with the record of a run: a screenshot, the output of a command done by hand.", "helix attach 260301-0200 firewall.txt")
            .Takes(run, file)
            .Does(parsed =>
            {
                var path = parsed.GetValue(file)!;
                if (!File.Exists(path))
                    throw new RunbookException($"There is no file '{path}'.", "Check the path; it starts at the folder you are in.");
                var id = session.Store.Resolve(parsed.GetValue(run)!);
                session.Engine.Attach(id, session.Operator, path);
                session.Terminal.Say($"{Path.GetFileName(path)} is kept with run {id}.");
                return 0;
            });
    }
}
