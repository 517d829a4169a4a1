using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>What would not work on this server, said before it is stopped.</summary>
static class LoadRules
{
    /// <summary>Community serves one database: what is loaded under another name can never be brought online (NEO-06).</summary>
    public static void CheckDatabase(string? asked, Neo4jTarget target, Neo4jEdition? edition)
    {
        if (OtherDatabase(asked, target, edition) is { } fault)
            throw new RunbookException(fault, LoadHint(target));
    }

    public static string? OtherDatabase(string? asked, Neo4jTarget target, Neo4jEdition? edition) =>
        edition != Neo4jEdition.Community || asked is null or "system" || asked == target.Database || (target.Database is null && asked is ServerFacts.DefaultDatabase or "graph.db")
            ? null
            : $"{target.Name} is a Community edition, which serves one database: one that is loaded as '{asked}' would stay offline.";

    public static string LoadHint(Neo4jTarget target) => $"Load it as '{target.Database ?? ServerFacts.DefaultDatabase}', or leave `database` away.";

    public static void CheckFormat(DumpFile archive, Neo4jTarget target, ServerFacts? server, Neo4jVersion version)
    {
        if (!version.IsAtLeast(4) && (archive.Marked || archive.Compression != Files.Compression.Gzip))
            throw StepFailedException.Conflict($"{archive.Path} was made by a newer version; {target.Name} is {version} and cannot read it.", "Load it into a server of the version that wrote it, or a newer one.");
        if (archive.IsBlock && (server?.Edition ?? target.Edition) == Neo4jEdition.Community)
            throw StepFailedException.Conflict($"{archive.Path} holds a store in block format, which only the Enterprise edition opens; {target.Name} is a Community edition.",
                "Copy it with `neo4j-admin database copy --to-format=aligned` on an Enterprise edition first.");
    }

    /// <summary>Beside the present store the new one must find room, and the archive if it goes through the data folder (NEO-15).</summary>
    public static async Task CheckRoom(LoadSource source, AdminTool admin, StoreFolder store, string name, double factor, StepContext context)
    {
        var staged = source.IsStaged(admin);
        var needed = (long)(source.Bytes * factor) + (staged ? source.Size : 0);
        if (await store.Free() is not { } free)
            context.Log($"how much room is free on {name} cannot be told");
        else if (free < needed)
            throw StepFailedException.Conflict(
                $"{name} has {ByteSize.Words(free)} free where its data is, and the load needs {ByteSize.Words(needed)}: {ByteSize.Words(source.Bytes)} in the archive times {factor:0.##}{(staged ? ", and the archive itself" : "")}, beside the present store.",
                "Make room first; nothing was stopped. What a finished load kept aside may be removed.");
    }
}
