using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

public sealed record Neo4jCountsOptions
{
    [Description("The server.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Target { get; init; }

    [Description("The database. Default: that of the target.")]
    public string? Database { get; init; }
}

public sealed record Neo4jCountsOutputs
{
    [Description("What it holds: nodes, relationships, label:NAME, type:NAME, constraints, indexes.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }
    public required long Nodes { get; init; }
    public required long Relationships { get; init; }
    public required DateTimeOffset At { get; init; }
    public required string ServerVersion { get; init; }

    [Description("community or enterprise.")]
    public required string Edition { get; init; }
}

[Step("neo4j.counts", "Counts nodes by label, relationships by type, constraints and indexes.")]
public sealed class Neo4jCounts : Step<Neo4jCountsOptions, Neo4jCountsOutputs>
{
    public override IEnumerable<TargetEffect> Effects(Neo4jCountsOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<Neo4jCountsOutputs> Run(Neo4jCountsOptions options, StepContext context)
    {
        using var server = await Neo4jConnection.Open(context.Target<Neo4jTarget>(options.Target), context);
        var at = context.Time.GetUtcNow();
        var counts = await GraphCounts.Of(server, options.Database);
        context.Log($"{server.Name} holds {counts}");
        var about = await server.About();
        return new()
        {
            Counts = counts.All,
            Nodes = counts.Nodes,
            Relationships = counts.All["relationships"],
            At = at,
            ServerVersion = about.Version.Text,
            Edition = about.Edition.ToString().ToLowerInvariant(),
        };
    }
}
