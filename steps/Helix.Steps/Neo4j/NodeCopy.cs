using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>Writes nodes and relationships in batches, each one transaction, that do nothing when they are done again.</summary>
sealed class NodeCopy(Neo4jConnection from, Neo4jConnection to, Neo4jCopyNodesOptions options, StepContext context)
{
    readonly UndoFile _undo = UndoFile.For(options, context);
    string Label => GraphCounts.Quoted(options.Label);

    public async Task<Neo4jCopyNodesOutputs> Write(NodeComparison found, Neo4jCopyNodesOutputs result)
    {
        // An interrupted attempt had begun with nodes that are no longer missing: their relationships still may be.
        var mine = await Remembered(found);
        await _undo.Nodes(found, options.Label);
        foreach (var group in found.Missing.Concat(found.ToOverwrite.Select(o => o.New)).GroupBy(n => CopyQuery.Labels(n.Labels) + "|" + n.Properties.Shape))
            foreach (var batch in group.Chunk(options.Batch))
                await WriteNodes(batch);
        var (written, loose) = options.Relationships ? await WriteRelationships(mine) : (0, 0);
        context.Log($"{found.Missing.Count:N0} nodes and {written:N0} relationships written to {to.Name}{(loose > 0 ? $"; {loose:N0} relationships have no other end there" : "")}");
        return result with { Missing = mine.Count, Relationships = written, Loose = loose, Undo = _undo.Path };
    }

    async Task<IReadOnlyList<JsonObject>> Remembered(NodeComparison found)
    {
        var earlier = (context.Saved("keys") as JsonArray)?.Select(k => k!.AsObject()) ?? [];
        var all = earlier.Concat(found.Missing.Select(n => n.Key)).DistinctBy(k => k.ToJsonString()).ToList();
        await context.Save("keys", new JsonArray([.. all.Select(k => k.DeepClone())]));
        return all;
    }

    Task<Answer> WriteNodes(CopiedNode[] batch) => to.Write(
        $"UNWIND $rows AS row MERGE (n:{Label} {{{string.Join(", ", options.Key.Select(k => $"{GraphCounts.Quoted(k)}: row.key.{GraphCounts.Quoted(k)}"))}}}) "
        + $"{batch[0].Properties.Set("n", "row.properties")} SET n{CopyQuery.Labels(batch[0].Labels)}",
        new JsonObject { ["rows"] = new JsonArray([.. batch.Select(n => new JsonObject { ["key"] = n.Key.DeepClone(), ["properties"] = n.Properties.Values.DeepClone() })]) });

    async Task<(int Written, int Loose)> WriteRelationships(IReadOnlyList<JsonObject> keys)
    {
        var (written, loose) = (0, 0);
        foreach (var some in keys.Chunk(options.Batch))
        {
            var rows = await ReadRelationships(some);
            var fit = rows.Where(r => r.HasKey).DistinctBy(r => r.Identity).ToList();
            loose += rows.Count - rows.Count(r => r.HasKey);
            foreach (var group in fit.GroupBy(r => r.Shape))
                foreach (var batch in group.Chunk(options.Batch))
                {
                    var (there, made) = await WriteRelationships(batch);
                    written += made;
                    loose += batch.Length - there;
                }
            context.Progress(written, null, "relationships");
        }
        return (written, loose);
    }

    async Task<List<CopiedRelationship>> ReadRelationships(IReadOnlyList<JsonObject> keys)
    {
        var answer = await from.Ask(
            $"UNWIND $keys AS key MATCH (n:{Label}) WHERE {CopyQuery.Matches("n", "key", options.Key)} MATCH (n)-[r]-(m) "
            + "RETURN key, startNode(r) = n AS out, type(r) AS type, properties(r) AS properties, "
            + $"{TypedProperties.Texts("r", (await from.About()).Version)} AS texts, labels(m) AS labels, [{string.Join(", ", options.Key.Select(k => CopyQuery.Property("m", k)))}] AS other",
            new JsonObject { ["keys"] = new JsonArray([.. keys.Select(k => k.DeepClone())]) });
        return [.. answer.Objects.Select(r => CopiedRelationship.Of(r, options.Key, from.Name))];
    }

    /// <summary>One with the same properties is the same: it is not made twice.</summary>
    async Task<(int There, int Made)> WriteRelationships(CopiedRelationship[] batch)
    {
        var shape = batch[0];
        var (left, right) = shape.Out ? ("-", "->") : ("<-", "-");
        var type = GraphCounts.Quoted(shape.Type);
        var answer = await to.Write(
            $"UNWIND $rows AS row MATCH (n:{Label}) WHERE {CopyQuery.Matches("n", "row.key", options.Key)} "
            + $"MATCH (m{CopyQuery.Labels(shape.Labels)}) WHERE {CopyQuery.Matches("m", "row.other", options.Key)} "
            + $"OPTIONAL MATCH (n){left}[r:{type}]{right}(m) WHERE properties(r) = row.properties "
            + "WITH row, n, m, count(r) AS there "
            + $"FOREACH (_ IN CASE WHEN there = 0 THEN [1] ELSE [] END | CREATE (n){left}[x:{type}]{right}(m) {shape.Properties.Set("x", "row.properties")}) "
            + "RETURN count(*) AS both, sum(CASE WHEN there = 0 THEN 1 ELSE 0 END) AS made",
            new JsonObject { ["rows"] = new JsonArray([.. batch.Select(r => r.Row)]) });
        return ((int)answer.Rows[0][0]!, (int)answer.Rows[0][1]!);
    }
}

/// <summary>A relationship of a copied node, seen from that.</summary>
sealed record CopiedRelationship(JsonObject Key, bool Out, string Type, TypedProperties Properties, IReadOnlyList<string> Labels, JsonObject Other)
{
    public bool HasKey => Labels.Count > 0 && Other.All(o => o.Value is not null);

    /// <summary>Those with the same can be written by one query.</summary>
    public string Shape => $"{Out}|{Type}|{CopyQuery.Labels(Labels)}|{Properties.Shape}";

    /// <summary>Of one between two copied nodes, both ends tell.</summary>
    public string Identity => $"{Shape}|{Row.ToJsonString()}";
    public JsonObject Row => new() { ["key"] = Key.DeepClone(), ["other"] = Other.DeepClone(), ["properties"] = Properties.Values.DeepClone() };

    public static CopiedRelationship Of(JsonObject row, IReadOnlyList<string> key, string server)
    {
        var values = row["other"]!.AsArray();
        return new(row["key"]!.AsObject(), (bool)row["out"]!, (string)row["type"]!, TypedProperties.Of(row["properties"]!.AsObject(), row["texts"] as JsonArray, server),
            [.. row["labels"]!.AsArray().Select(l => (string)l!)], new(key.Select((k, i) => KeyValuePair.Create(k, values[i]?.DeepClone()))));
    }
}
