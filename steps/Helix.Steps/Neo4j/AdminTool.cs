using System.Globalization;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Neo4j;

/// <summary>The admin tool beside the stopped server, called in the form that its version has (NEO-01).</summary>
sealed class AdminTool(Neo4jTarget target, Neo4jVersion version, ByteSize? memory, StepContext context)
{
    static readonly IReadOnlyList<int> Any = [.. Enumerable.Range(0, 256)];

    public Neo4jVersion Version => version;

    /// <summary>The tool writes archives to its standard output and reads them from its input.</summary>
    public bool Streams => version.IsAtLeast(4, 4);

    /// <summary>Asks the tool itself, before anything is stopped; tools of 3.x do not know the question.</summary>
    public static async Task<AdminTool> Of(Neo4jTarget target, ServerFacts? server, ByteSize? memory, StepContext context)
    {
        var running = (await target.Service.State(context)).Status == RuntimeStatus.Running;
        IReadOnlyList<string> question = [.. target.Admin, "--version"];
        var answer = await (running ? target.Service.Exec(context, question) : target.Service.OneOff(context, question)).Quietly().Accept(Any).Run();
        var version = answer.ExitCode == 0 ? Neo4jVersion.Find(answer.Stdout) ?? Neo4jVersion.Find(answer.Stderr)
            : (answer.Stdout + answer.Stderr).Contains("unrecognized command", StringComparison.OrdinalIgnoreCase) ? new Neo4jVersion(3, 0, "3")
            : null;
        version ??= server?.Version ?? (target.Version is { } stated ? Neo4jVersion.Parse(stated) : null);
        return version is { } known
            ? new(target, known, memory, context)
            : throw StepFailedException.Missing($"{target.Admin[0]} of {target.Name} does not say its version: exit code {answer.ExitCode}. {HttpShort(answer)}",
                "Give `admin` on the target, the command as the service sees it; or `version`.");
    }

    static string HttpShort(ToolResult answer) => Http.HttpCall.Short($"{answer.Stderr} {answer.Stdout}");

    public Task DumpTo(string path, string database) => Run("dump", version.IsAtLeast(5)
        ? ["database", "dump", database, $"--to-path={path[..path.LastIndexOf('/')]}"]
        : ["dump", $"--database={database}", $"--to={path}"], database, null, null);

    public Task DumpTo(Stream to, string database) => Run("dump", version.IsAtLeast(5)
        ? ["database", "dump", database, "--to-stdout"]
        : ["dump", $"--database={database}", "--to=-"], database, null, to);

    /// <summary>5.x wants the folder and finds the archive by the name of the database (NEO-05).</summary>
    public Task LoadFrom(string path, string database) => Run("load", version.IsAtLeast(5)
        ? ["database", "load", database, $"--from-path={path[..path.LastIndexOf('/')]}", "--overwrite-destination=true"]
        : ["load", $"--from={path}", $"--database={database}", "--force"], database, null, null);

    public Task LoadFrom(Stream from, string database) => Run("load", version.IsAtLeast(5)
        ? ["database", "load", database, "--from-stdin", "--overwrite-destination=true"]
        : ["load", "--from=-", $"--database={database}", "--force"], database, from, null);

    /// <summary>Into a folder, from the running server, by a process beside it.</summary>
    public Task Backup(string folder, string database, string from, BackupMetadata metadata)
    {
        var with = database == "system" ? "none" : metadata.ToString().ToLowerInvariant();
        return Run("backup", version.IsAtLeast(5)
            ? ["database", "backup", $"--to-path={folder}", $"--from={from}", "--type=full", .. with == "none" ? [] : new[] { $"--include-metadata={with}" }, database]
            : ["backup", $"--backup-dir={folder}", $"--database={database}", $"--from={from}", "--fallback-to-full=true", .. with == "none" || !version.IsAtLeast(4, 4) ? [] : new[] { $"--include-metadata={with}" }],
            database, null, null, inside: true);
    }

    public Task Restore(string path, string database) => Run("restore", version.IsAtLeast(5)
        ? ["database", "restore", $"--from-path={path}", "--overwrite-destination=true", database]
        : ["restore", $"--from={path}", $"--database={database}", "--force"], database, null, null);

    /// <summary>The name that the tool gives an archive, or wants it to have.</summary>
    public static string ArchiveName(string database) => $"{database}.dump";

    public async Task Run(string what, IReadOnlyList<string> arguments, string database, Stream? input, Stream? output, bool inside = false)
    {
        IReadOnlyList<string> command = [.. target.Admin, .. arguments];
        var tool = Remembering(inside ? target.Service.Exec(context, command) : target.Service.OneOff(context, command)) with { Input = input, Output = output };
        var result = await tool.Accept(Any).Run();
        if (result.ExitCode != 0)
            throw await AdminFailure.Of(what, result, this, target, database, context);
    }

    /// <summary>Settings of the server do not reach the tool; this variable does (NEO-11).</summary>
    public Tool Remembering(Tool tool) => Heap is { } heap ? tool.With("HEAP_SIZE", heap) : tool;

    public string? Heap => memory is { } size ? $"{Math.Max(1, size.Bytes >> 20).ToString(CultureInfo.InvariantCulture)}m" : null;
}
