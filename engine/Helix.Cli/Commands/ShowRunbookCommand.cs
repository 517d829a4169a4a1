using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Reports;

namespace Helix.Cli.Commands;

static class ShowRunbookCommand
{
    public static Command Make(Session session)
    {
        var runbook = Given.Runbook();
        return new Verb("show-runbook", "Shows a runbook as a page in Markdown for people: to print, to tick, to keep where no computer runs.",
                "helix show-runbook runbooks/redis-restore.yaml > redis-restore.md")
            .Takes(runbook)
            .Does(parsed =>
            {
                var read = session.Files.Runbook(parsed.GetValue(runbook)!, environment: null);
                var page = RunbookPage.Markdown(read, session.Catalog);
                session.Terminal.Give(new JsonObject { ["runbook"] = read.Name, ["markdown"] = page }, () => page);
                return 0;
            });
    }
}
