using System.Text.Json.Nodes;
using Helix.Cli;

namespace Helix.Runbooks.Tests.Cli;

/// <summary>The command line in this process: a fresh folder and store, its two channels as text.</summary>
sealed class HelixHere : IDisposable
{
    public HelixHere() => Folder = Directory.CreateTempSubdirectory("helix-cli-").FullName;

    public string Folder { get; }
    public string Store
    {
        get => field ?? Path.Combine(Folder, "store", "helix.db");
        init;
    }

    /// <summary>Null: as long as usual.</summary>
    public TimeSpan? LeaseExpires { get; init; }

    /// <summary>Standard output and error of the last call.</summary>
    public string Out { get; private set; } = "";
    public string Error { get; private set; } = "";
    public JsonNode Json => JsonNode.Parse(Out)!;

    /// <summary>Runs one command; with <paramref name="typed"/> a person sits at the terminal and types these lines.</summary>
    /// <param name="screen">Takes what goes to standard error.</param>
    /// <param name="keys">What the person types, when it is typed later.</param>
    public async Task<int> Run(IEnumerable<string> arguments, string? typed = null, int width = 200, StringWriter? screen = null, TextReader? keys = null)
    {
        using var output = new StringWriter();
        using var error = screen ?? new StringWriter();
        using var input = keys ?? new StringReader(typed ?? "");
        var terminal = new Terminal { Out = TextWriter.Synchronized(output), Error = TextWriter.Synchronized(error), In = input, Interactive = typed is not null || keys is not null, Width = width };
        using var session = new Session(terminal, TimeProvider.System) { LeaseExpires = LeaseExpires };
        var code = await new CommandLine(session, Table.OfCommands).Run([.. arguments, "--store", Store]);
        (Out, Error) = (output.ToString(), error.ToString());
        return code;
    }

    public Task<int> Run(params string[] arguments) => Run(arguments, null);

    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => TempFolder.Delete(Folder);
}
