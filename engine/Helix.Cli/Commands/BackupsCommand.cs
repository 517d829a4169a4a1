using System.CommandLine;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class BackupsCommand
{
    public static Command Make(Session session) => new Verb("backups", "Lists, checks and keeps backups.", "helix backups list -e compose-local --target backups")
        .Does(_ => Missing(session));

    static int Missing(Session session) => throw new RunbookException($"Backups are not part of this build ({session.Time.GetUtcNow().Year}).", "Use the steps backup.verify and backup.prune in a runbook.");
}
