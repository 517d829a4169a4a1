using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>How much of what a database holds. As outputs and in manifests: <c>nodes, relationships, label:Person, type:KNOWS, constraints, indexes</c>.</summary>
sealed record GraphCounts(IReadOnlyDictionary<string, long> All)
{
    const string Constraints = "constraints", Indexes = "indexes";
    const int PerQuery = 40;

    public static GraphCounts None { get; } = new(new Dictionary<string, long>());

    public long Nodes => All.GetValueOrDefault("nodes");

    /// <summary>Each is read from the server's own count store, so this is quick on any size; but for checks of the target whose change is judged.</summary>
    public static async Task<GraphCounts> Of(Neo4jConnection server, string? database)
    {
        var schema = await GraphSchema.Of(server, database);
        var queries = new List<(string Name, string Query)> { ("nodes", "MATCH (n) RETURN count(n)"), ("relationships", "MATCH ()-[r]->() RETURN count(r)") };
        queries.AddRange((await Names(server, "CALL db.labels() YIELD label RETURN label ORDER BY label", database)).Select(l => ($"label:{l}", $"MATCH (n:{Quoted(l)}) RETURN count(n)")));
        queries.AddRange((await Names(server, "CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType ORDER BY relationshipType", database))
            .Select(t => ($"type:{t}", $"MATCH ()-[r:{Quoted(t)}]->() RETURN count(r)")));
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var some in queries.Chunk(PerQuery))
            await Count(server, some, database, counts);
        // A label that nothing has any more is still known to the server.
        foreach (var empty in counts.Where(c => c.Value == 0 && IsKind(c.Key)).Select(c => c.Key).ToList())
            counts.Remove(empty);
        foreach (var check in server.Target.Checks.Where(c => c.MaxChangeFromLastBackup is not null))
            counts[check.CountName] = await server.Number(check.Query, database);
        counts[Constraints] = schema.Constraints.Count;
        counts[Indexes] = schema.Indexes.Count;
        return new(counts);
    }

    /// <summary>Of a database that is moved as a whole. `system` holds users and roles and no graph: Neo4j refuses all that is asked of one there.</summary>
    public static async Task<GraphCounts> OfWhole(Neo4jConnection server, string? database) =>
        await server.DatabaseName(database) == "system" ? None : await Of(server, database);

    /// <summary>Names are data of a query, too; only labels and types cannot be parameters.</summary>
    static async Task Count(Neo4jConnection server, (string Name, string Query)[] some, string? database, SortedDictionary<string, long> counts)
    {
        var parameters = new JsonObject(some.Select((s, i) => KeyValuePair.Create($"n{i}", (JsonNode?)JsonValue.Create(s.Name))));
        var query = string.Join(" UNION ALL ", some.Select((s, i) => $"{s.Query.Replace("RETURN ", $"RETURN $n{i} AS name, ", StringComparison.Ordinal)} AS count"));
        foreach (var row in (await server.Ask(query, parameters, database)).Rows)
            counts[(string)row[0]!] = (long)row[1]!;
    }

    static async Task<IEnumerable<string>> Names(Neo4jConnection server, string query, string? database) =>
        (await server.Ask(query, null, database)).Rows.Select(r => (string)r[0]!);

    internal static string Quoted(string name) => $"`{name.Replace("`", "``", StringComparison.Ordinal)}`";

    /// <summary>What is the same in both, and the names of what is not.</summary>
    public (GraphCounts Same, IReadOnlyList<string> Moved) With(GraphCounts later)
    {
        var names = All.Keys.Union(later.All.Keys).Order(StringComparer.Ordinal).ToList();
        var moved = names.Where(n => All.GetValueOrDefault(n) != later.All.GetValueOrDefault(n)).ToList();
        return (new(All.Where(c => !moved.Contains(c.Key)).ToDictionary()), moved);
    }

    /// <summary>Differences in words. More constraints or indexes than expected are none: a newer version makes some by itself.</summary>
    /// <param name="tolerance">The share by which a count may differ, 0 to 1.</param>
    public IEnumerable<string> DifferencesTo(IReadOnlyDictionary<string, long> expected, double tolerance = 0)
    {
        // What a check of the other server counted says nothing of a server that has no such check.
        foreach (var (name, wanted) in expected.Where(e => !IsCheck(e.Key) || All.ContainsKey(e.Key)).OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            var found = All.GetValueOrDefault(name);
            var schema = name is Constraints or Indexes;
            var allowed = schema ? 0 : (long)Math.Floor(wanted * tolerance);
            if (found < wanted - allowed || (found > wanted + allowed && !schema))
                yield return $"{found:N0} {Words(name)} instead of {wanted:N0}";
        }
        // A manifest that counts all nodes counts all labels: one that it does not name was not there.
        if (expected.ContainsKey("nodes"))
            foreach (var (name, found) in All.Where(c => IsKind(c.Key) && !expected.ContainsKey(c.Key) && c.Value > c.Value * tolerance))
                yield return $"{found:N0} {Words(name)} instead of none";
    }

    static bool IsCheck(string name) => name.StartsWith("check:", StringComparison.Ordinal);

    static bool IsKind(string name) => name.StartsWith("label:", StringComparison.Ordinal) || name.StartsWith("type:", StringComparison.Ordinal);

    static string Words(string name) =>
        name.StartsWith("label:", StringComparison.Ordinal) ? $"nodes {name["label".Length..]}"
        : name.StartsWith("type:", StringComparison.Ordinal) ? $"relationships {name["type".Length..]}"
        : IsCheck(name) ? $"from {name["check:".Length..]}"
        : name;

    public override string ToString() => All.Count == 0 ? "an unknown number of nodes" : $"{Nodes:N0} nodes and {All.GetValueOrDefault("relationships"):N0} relationships";
}
