using System.CommandLine;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class SchemaCommand
{
    public static Command Make(Session session)
    {
        var check = Given.Flag("--check", "Changes nothing; says whether the files are those of this version.");
        var folder = Given.Text("--folder", "FOLDER", "Default: schema.");
        return new Verb("schema", "Writes the JSON Schemas of runbooks and environments.", "helix schema", "helix schema --check")
            .With(check, folder)
            .Does(_ => Missing(session));
    }

    static int Missing(Session session) => throw new RunbookException($"Schemas are not part of this build ({session.Catalog.Steps.Count} step types).");
}
