using System.Text.Json.Nodes;

namespace Helix.Steps.Neo4j;

sealed record GraphIndex(string Name, string State);

/// <summary>Constraints and indexes of a database, with the command that the version has (NEO-10).</summary>
sealed record GraphSchema(IReadOnlyList<string> Constraints, IReadOnlyList<GraphIndex> Indexes)
{
    public static async Task<GraphSchema> Of(Neo4jConnection server, string? database)
    {
        var shows = (await server.About()).Version.IsAtLeast(4, 2);
        var constraints = await server.Ask(shows ? "SHOW CONSTRAINTS YIELD name RETURN name" : "CALL db.constraints() YIELD description RETURN description AS name", null, database);
        var indexes = await server.Ask(shows ? "SHOW INDEXES YIELD name, state RETURN name, state" : "CALL db.indexes() YIELD description, state RETURN description AS name, state", null, database);
        return new([.. constraints.Rows.Select(r => Text(r[0]))], [.. indexes.Rows.Select(r => new GraphIndex(Text(r[0]), Text(r[1])))]);
    }

    /// <summary>What is not usable, in words.</summary>
    public IEnumerable<string> Faults => Indexes.Where(i => !i.State.Equals("ONLINE", StringComparison.OrdinalIgnoreCase)).Select(i => $"the index {i.Name} is {i.State}");

    static string Text(JsonNode? value) => value?.ToString() ?? "";
}
