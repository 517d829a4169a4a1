using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Runs;

namespace Helix.Cli.Commands;

static class SchemaCommand
{
    public static Command Make(Session session)
    {
        var check = Given.Flag("--check", "Changes nothing; says whether the files are those of this version.");
        var folder = new Option<string>("--folder") { Description = "Where they are.", HelpName = "FOLDER", DefaultValueFactory = _ => "schema" };
        return new Verb("schema", "Writes the JSON Schemas of runbooks, environments and simulations, for editors.", "helix schema", "helix schema --check")
            .With(check, folder)
            .Does(parsed => Schema(session, parsed.GetValue(folder)!, parsed.GetValue(check)));
    }

    static int Schema(Session session, string folder, bool check)
    {
        var files = SchemaWriter.Files(session.Catalog).Select(f => (Path: Path.Combine(folder, f.Key), Text: f.Value)).ToList();
        var stale = files.Where(f => !File.Exists(f.Path) || File.ReadAllText(f.Path) != f.Text).ToList();
        if (!check && stale.Count > 0)
        {
            Directory.CreateDirectory(folder);
            stale.ForEach(f => File.WriteAllText(f.Path, f.Text));
        }
        session.Terminal.Give(new JsonObject
        {
            ["files"] = new JsonArray([.. files.Select(f => JsonValue.Create(f.Path))]),
            ["stale"] = new JsonArray([.. stale.Select(f => JsonValue.Create(f.Path))]),
            ["written"] = !check,
        }, () => string.Join("\n", stale.Select(f => f.Path)));
        session.Terminal.Say(stale.Count == 0 ? "The schemas are those of this version." : check ? "These schemas are not those of this version.\nHint: `helix schema` writes them; commit the result." : $"Written to {folder}.");
        return check && stale.Count > 0 ? ExitCodes.Failed : 0;
    }
}
