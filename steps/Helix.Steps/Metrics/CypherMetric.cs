using System.ComponentModel;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Neo4j;
using ValueType = Helix.Runbooks.Steps.ValueType;

namespace Helix.Steps.Metrics;

public sealed record CypherMetric : MetricOrigin
{
    [Description("The Neo4j server.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Server { get; init; }

    [Description("A query that reads and gives one row with one number.")]
    [NoTemplate]
    [Example("\"MATCH (n:Persona) RETURN count(n)\"")]
    public required string Query { get; init; }

    internal override string? Target => Server;

    internal override async Task<Metric> Read(bool below, StepContext context)
    {
        var answer = await new Neo4jQuery().Run(new()
        {
            Target = Server,
            Query = Query,
            MaxRows = 1,
            NeedsRows = true,
            Outputs = new Dictionary<string, DeclaredOutput> { ["rows"] = new() { Type = ValueType.List, From = "json:$" } },
        }, context);
        var row = (answer.Values["rows"] as JsonArray)?[0] as JsonObject;
        return row is { Count: 1 }
            ? new(Number(row.Single().Value?.ToString(), $"The query {Query}"))
            : throw StepFailedException.InvalidData($"The query {Query} gives {row?.Count ?? 0} columns and not one.", "End it with one number: RETURN count(n).");
    }
}
