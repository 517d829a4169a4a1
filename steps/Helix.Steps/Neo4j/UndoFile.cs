using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Neo4j;

/// <summary>The statements that take a copy back, on disk before what they take back is written. To be run from the last line to the first.</summary>
sealed class UndoFile(string path)
{
    public string Path => path;

    public static UndoFile For(Neo4jCopyNodesOptions options, StepContext context) => new(context.FullPath(options.Undo
        ?? System.IO.Path.Combine(context.Run.Safe, $"undo-{new string([.. context.Path.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')])}.jsonl")));

    /// <summary>A node that was missing goes again, and its relationships with it.</summary>
    public Task Nodes(NodeComparison found, string label)
    {
        var quoted = GraphCounts.Quoted(label);
        string Match(JsonObject key) => $"MATCH (n:{quoted}) WHERE {CopyQuery.Matches("n", "$key", [.. key.Select(k => k.Key)])}";
        return Append([
            .. found.Missing.Select(n => Line($"{Match(n.Key)} DETACH DELETE n", new() { ["key"] = n.Key.DeepClone() })),
            .. found.ToOverwrite.Select(o => Line($"{Match(o.New.Key)} {o.Old.Set("n", "$properties")}", new() { ["key"] = o.New.Key.DeepClone(), ["properties"] = o.Old.Values.DeepClone() })),
        ]);
    }

    static string Line(string statement, JsonObject parameters) =>
        new JsonObject { ["statement"] = statement, ["parameters"] = parameters }.ToJsonString(StepJson.Options);

    Task<bool> Append(IReadOnlyList<string> lines) => Disk.Guard(path, async () =>
    {
        if (lines.Count == 0)
            return true;
        Durable.CreateFolder(System.IO.Path.GetDirectoryName(path)!);
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        await file.WriteAsync(Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n"))));
        file.Flush(flushToDisk: true);
        return true;
    });
}
