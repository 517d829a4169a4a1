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
        var files = Texts(session.Operator.Account).Select(f => (Path: Path.Combine(folder, f.Name), f.Text)).ToList();
        if (files.Where(f => File.Exists(f.Path)).Select(f => f.Path).ToList() is { Count: > 0 } there)
            throw new RunbookException($"{string.Join(", ", there)} {(there.Count == 1 ? "is" : "are")} there already; nothing was written.", "Name another folder: `helix init recovery`.");
        // The shelf is not made by the steps that use it: a disk that is not mounted would silently be replaced by a folder.
        Directory.CreateDirectory(Path.Combine(folder, "shelf"));
        foreach (var (path, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
            session.Terminal.Write(path);
        }
        session.Terminal.Say($"\nGo on with:\n  cd {folder}\n  helix validate .\n  helix plan first-restore.yaml --environment environments/here.yaml\n  helix run first-restore.yaml --environment environments/here.yaml");
        return 0;
    }

    static IEnumerable<(string Name, string Text)> Texts(string account) =>
    [
        ("first-restore.yaml", Resource("first-restore.yaml")),
        ("environments/here.yaml", Resource("here.yaml").Replace("ACCOUNT", account, StringComparison.Ordinal)),
        ("notes/hello.txt", "I am still here.\n"),
    ];

    static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(InitCommand).Assembly.GetManifestResourceStream($"first.{name}")!);
        return reader.ReadToEnd();
    }
}
