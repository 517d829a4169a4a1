using System.CommandLine;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class InitCommand
{
    public static Command Make(Session session)
    {
        var folder = new Argument<string>("FOLDER") { Description = "Where to write; default: here.", DefaultValueFactory = _ => "." };
        return new Verb("init", "Writes a first runbook and environment that work on this machine without a server.", "helix init recovery")
            .Takes(folder)
            .Does(parsed => Write(session, parsed.GetValue(folder)!));
    }

    static int Write(Session session, string folder)
    {
        throw new RunbookException($"Nothing to write to {folder} yet ({session.Time}).");
    }
}
