using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Helix.Runbooks.Tests.Neo4j;

sealed record StubRows(IReadOnlyList<string> Columns, IReadOnlyList<JsonArray> Rows);

/// <summary>A member of a cluster, as SHOW SERVERS names it.</summary>
sealed record StubMember(string Id, string Name, string Address, string State, string Health, bool Leads = false);

/// <summary>The queries that our steps ask, answered from numbers.</summary>
sealed partial class StubAnswers(StubServer server)
{
    /// <summary>What begins so is refused by `system`, which holds no graph.</summary>
    static readonly string[] OfGraphs = ["MATCH ", "SHOW CONSTRAINTS", "SHOW INDEXES", "CALL db.labels", "CALL db.relationshipTypes"];

    bool IsFive => server.Version.StartsWith('5');
    StubGraph Graph => server.Graph;

    public StubRows? To(StubQuery query, out JsonObject? error)
    {
        error = null;
        var text = query.Statement.ReplaceLineEndings(" ").Trim();
        if (Called(text) is { } procedure && IsFive && procedure is "db.constraints" or "db.indexes" or "dbms.cluster.overview" or "dbms.queryJmx")
            error = StubServer.Error("Neo.ClientError.Procedure.ProcedureNotFound", $"There is no procedure with the name `{procedure}` registered for this database instance.");
        else if (query.Path.StartsWith("/db/system/", StringComparison.Ordinal) && OfGraphs.Any(q => text.StartsWith(q, StringComparison.Ordinal)))
            error = StubServer.Error("Neo.ClientError.Statement.UnsupportedOperationError", $"Not a recognised system command or procedure. This Cypher command can only be executed in a user database: {text}");
        else if (query.Access is not null && text.StartsWith("CREATE", StringComparison.Ordinal))
            error = StubServer.Error("Neo.ClientError.Statement.AccessMode", "Writing in read access mode not allowed. Attempted write to neo4j");
        else if ((server.Also?.Invoke(query) ?? Known(text, query.Parameters)) is { } rows)
            return rows;
        else
            error = StubServer.Error("Neo.ClientError.Statement.SyntaxError", $"Invalid input: {text}");
        return null;
    }

    StubRows? Known(string text, JsonObject parameters) => text switch
    {
        _ when text.StartsWith("CALL dbms.components()", StringComparison.Ordinal) => Rows(["version", "edition"], [[server.Version, server.Edition]]),
        _ when text.StartsWith("CALL dbms.info()", StringComparison.Ordinal) => Rows(["id"], [["5A7B"]]),
        _ when text.StartsWith("CALL dbms.cluster.overview()", StringComparison.Ordinal) =>
            Rows(["id", "addresses", "databases"], [.. server.Members.Select(m => new object?[] { m.Id, new JsonArray(m.Address), new JsonObject { ["neo4j"] = m.Leads ? "LEADER" : "FOLLOWER" } })]),
        _ when text.StartsWith("CALL db.labels()", StringComparison.Ordinal) => Rows(["label"], [.. Graph.Labels.Keys.Select(l => new object?[] { l })]),
        _ when text.StartsWith("CALL db.relationshipTypes()", StringComparison.Ordinal) => Rows(["relationshipType"], [.. Graph.Types.Keys.Select(l => new object?[] { l })]),
        _ when text.StartsWith("SHOW CONSTRAINTS", StringComparison.Ordinal) => Rows(["name"], [.. Graph.Constraints.Select(c => new object?[] { c })]),
        _ when text.StartsWith("SHOW INDEXES", StringComparison.Ordinal) => Rows(["name", "state"], [.. Graph.Indexes.Select(i => new object?[] { i.Name, i.State })]),
        _ when text.StartsWith("SHOW SERVERS", StringComparison.Ordinal) && IsFive =>
            Rows(["serverId", "name", "address", "state", "health"], [.. server.Members.Select(m => new object?[] { m.Id, m.Name, m.Address, m.State, m.Health })]),
        _ when text.StartsWith("SHOW DATABASES", StringComparison.Ordinal) => Rows(["name", "address", "currentStatus", "requestedStatus", "writer"],
            [.. server.Databases.SelectMany(d => server.Members.Where(m => m.State == "Enabled").Select(m => new object?[] { d, m.Address, m.Health == "Available" ? "online" : "unknown", "online", m.Leads }))]),
        _ when Enable().Match(text) is { Success: true } match => Enabled(match.Groups[1].Value),
        "MATCH (n) RETURN count(n)" => Rows(["count(n)"], [[Graph.Nodes]]),
        "RETURN $value AS value" => Rows(["value"], [[parameters["value"]?.DeepClone()]]),
        _ when text.EndsWith("SKIP $skip LIMIT $limit", StringComparison.Ordinal) =>
            Rows(["id"], [.. Enumerable.Range(0, (int)Graph.Nodes).Skip((int)parameters["skip"]!).Take((int)parameters["limit"]!).Select(i => new object?[] { i })]),
        _ when text.StartsWith("CREATE", StringComparison.Ordinal) => Rows([], []),
        _ => Counts(text, parameters),
    };

    StubRows? Counts(string text, JsonObject parameters)
    {
        var rows = new List<object?[]>();
        foreach (var part in text.Split(" UNION ALL "))
        {
            if (CountOf().Match(part) is not { Success: true } match)
                return null;
            var name = match.Groups["label"].Value.Replace("``", "`", StringComparison.Ordinal);
            var relationships = match.Groups["r"].Success;
            var count = name.Length == 0 ? relationships ? Graph.Types.Values.Sum() : Graph.Nodes
                : relationships ? Graph.Types.GetValueOrDefault(name) : Graph.Labels.GetValueOrDefault(name);
            rows.Add([parameters[match.Groups["name"].Value]?.DeepClone(), count]);
        }
        return Rows(["name", "count"], rows);
    }

    StubRows Enabled(string id)
    {
        var at = server.Members.FindIndex(m => m.Id == id);
        server.Members[at] = server.Members[at] with { State = "Enabled" };
        return Rows([], []);
    }

    static StubRows Rows(IReadOnlyList<string> columns, IEnumerable<object?[]> rows) =>
        new(columns, [.. rows.Select(r => new JsonArray([.. r.Select(v => v as JsonNode ?? System.Text.Json.JsonSerializer.SerializeToNode(v))]))]);

    static string? Called(string text) => Call().Match(text) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex(@"^CALL ([\w.]+)\(")]
    private static partial Regex Call();

    [GeneratedRegex(@"^ENABLE SERVER '([^']+)'$")]
    private static partial Regex Enable();

    [GeneratedRegex(@"^MATCH (\(n(:`(?<label>([^`]|``)+)`)?\)|(?<r>\(\)-\[r(:`(?<label>([^`]|``)+)`)?\]->\(\))) RETURN \$(?<name>n\d+) AS name, count\([nr]\) AS count$")]
    private static partial Regex CountOf();
}
