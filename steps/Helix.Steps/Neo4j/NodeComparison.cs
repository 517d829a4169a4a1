using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>One node as it is read: labels, key, and properties with the types that JSON cannot carry.</summary>
sealed record CopiedNode(IReadOnlyList<string> Labels, JsonObject Key, TypedProperties Properties)
{
    /// <summary>What finds a node again by its key: the values alone, in the order of the options. A server that gives a map back may give its properties in any order.</summary>
    public static string Lookup(JsonObject key, IReadOnlyList<string> order) => new JsonArray([.. order.Select(k => key[k]?.DeepClone())]).ToJsonString();
}

/// <summary>Which nodes one server lacks, and which differ. Looks only.</summary>
sealed class NodeComparison
{
    public List<CopiedNode> Missing { get; } = [];
    public List<(CopiedNode New, TypedProperties Old)> ToOverwrite { get; } = [];
    public int Skipped { get; private set; }
    public int Equal { get; private set; }
    public int Seen => Missing.Count + ToOverwrite.Count + Skipped + Equal;

    /// <exception cref="StepFailedException">A key that is not one, or a conflict that is not allowed.</exception>
    public static async Task<NodeComparison> Of(Neo4jConnection from, Neo4jConnection to, Neo4jCopyNodesOptions options, StepContext context)
    {
        var comparison = new NodeComparison();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        for (var skip = 0; ; skip += options.Batch)
        {
            var batch = await Read(from, options, skip);
            foreach (var node in batch)
                if (!keys.Add(CopiedNode.Lookup(node.Key, options.Key)))
                    throw StepFailedException.Conflict($"{from.Name} has several nodes :{options.Label} with the key {node.Key.ToJsonString(StepJson.Options)}.", "Name all properties in `key` that tell them apart.");
            await comparison.Add(batch, to, options);
            context.Progress(comparison.Seen, null, "nodes");
            if (batch.Count < options.Batch)
                return comparison;
        }
    }

    static async Task<IReadOnlyList<CopiedNode>> Read(Neo4jConnection from, Neo4jCopyNodesOptions options, int skip)
    {
        var keyed = string.Join(" AND ", options.Key.Select(k => $"{CopyQuery.Has("n", k)}"));
        var parameters = new JsonObject(options.Parameters.Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))) { ["__skip"] = skip, ["__limit"] = options.Batch };
        var rows = await from.Ask(
            $"MATCH (n:{GraphCounts.Quoted(options.Label)}) WHERE {keyed}{(options.Where is { } where ? $" AND ({where})" : "")} "
            + $"RETURN labels(n) AS labels, properties(n) AS properties, {TypedProperties.Texts("n", (await from.About()).Version)} AS texts "
            + $"ORDER BY {string.Join(", ", options.Key.Select(k => CopyQuery.Property("n", k)))} SKIP $__skip LIMIT $__limit", parameters);
        return [.. rows.Objects.Select(r => Node(r, options.Key, from.Name))];
    }

    static CopiedNode Node(JsonObject row, IReadOnlyList<string> key, string server)
    {
        var properties = TypedProperties.Of(row["properties"]!.AsObject(), row["texts"] as JsonArray, server);
        return new([.. row["labels"]!.AsArray().Select(l => (string)l!)], new(key.Select(k => KeyValuePair.Create(k, row["properties"]![k]?.DeepClone()))), properties);
    }

    async Task Add(IReadOnlyList<CopiedNode> batch, Neo4jConnection to, Neo4jCopyNodesOptions options)
    {
        var there = await There(batch, to, options);
        foreach (var node in batch)
            if (!there.TryGetValue(CopiedNode.Lookup(node.Key, options.Key), out var old))
                Missing.Add(node);
            else if (JsonNode.DeepEquals(old.Values, node.Properties.Values))
                Equal++;
            else if (options.Conflict == CopyConflict.Overwrite)
                ToOverwrite.Add((node, old));
            else if (options.Conflict == CopyConflict.Skip)
                Skipped++;
            else
                throw StepFailedException.Conflict($"{to.Name} has the node :{options.Label} {node.Key.ToJsonString(StepJson.Options)} with other properties.", "Nothing was written. Say `conflict: skip` or `overwrite`.");
    }

    static async Task<Dictionary<string, TypedProperties>> There(IReadOnlyList<CopiedNode> batch, Neo4jConnection to, Neo4jCopyNodesOptions options)
    {
        var rows = await to.Ask($"UNWIND $__keys AS key MATCH (n:{GraphCounts.Quoted(options.Label)}) WHERE {CopyQuery.Matches("n", "key", options.Key)} RETURN key, properties(n) AS properties, {TypedProperties.Texts("n", (await to.About()).Version)} AS texts",
            new JsonObject { ["__keys"] = new JsonArray([.. batch.Select(n => n.Key.DeepClone())]) });
        var there = new Dictionary<string, TypedProperties>(StringComparer.Ordinal);
        foreach (var row in rows.Objects)
            if (!there.TryAdd(CopiedNode.Lookup(row["key"]!.AsObject(), options.Key), TypedProperties.Of(row["properties"]!.AsObject(), row["texts"] as JsonArray, to.Name)))
                throw StepFailedException.Conflict($"{to.Name} has several nodes :{options.Label} with the key {row["key"]!.ToJsonString(StepJson.Options)}.", "Nothing was written. Name all properties in `key` that tell them apart.");
        return there;
    }
}

/// <summary>Parts of queries; names cannot be parameters.</summary>
static class CopyQuery
{
    public static string Property(string node, string name) => $"{node}.{GraphCounts.Quoted(name)}";
    public static string Has(string node, string name) => $"{Property(node, name)} IS NOT NULL";
    public static string Matches(string node, string map, IReadOnlyList<string> key) => string.Join(" AND ", key.Select(k => $"{Property(node, k)} = {map}.{GraphCounts.Quoted(k)}"));
    public static string Labels(IEnumerable<string> labels) => string.Concat(labels.Select(l => $":{GraphCounts.Quoted(l)}"));
}
