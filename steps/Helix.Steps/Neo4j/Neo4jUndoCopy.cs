using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

public sealed record Neo4jUndoCopyOptions
{
    [Description("The server into which neo4j.copy-nodes copied.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Target { get; init; }

    [Description("The inverse statements that neo4j.copy-nodes kept.")]
    [Example("\"{{ steps.copy.undo }}\"")]
    public required string From { get; init; }

    [Description("No such file means that nothing was written, so that there is nothing to take back.")]
    public bool MayBeMissing { get; init; }
}

public sealed record Neo4jUndoCopyOutputs
{
    [Description("Statements that were run.")]
    public required int Statements { get; init; }
}

[Step("neo4j.undo-copy", "Takes back what neo4j.copy-nodes wrote: copied nodes go, overwritten ones get their old properties.")]
public sealed class Neo4jUndoCopy : Step<Neo4jUndoCopyOptions, Neo4jUndoCopyOutputs>
{
    public override IEnumerable<TargetEffect> Effects(Neo4jUndoCopyOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(Neo4jUndoCopyOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"run the statements of {options.From} on {options.Target}, from the last to the first"] });

    public override async Task<Neo4jUndoCopyOutputs> Run(Neo4jUndoCopyOptions options, StepContext context)
    {
        var path = context.FullPath(options.From);
        if (!File.Exists(path) && options.MayBeMissing)
        {
            context.Log($"There is no file {path}: nothing was written that could be taken back.");
            return new() { Statements = 0 };
        }
        if (!File.Exists(path))
            throw StepFailedException.Missing($"There is no file {path}.");
        var statements = (await File.ReadAllLinesAsync(path, context.Cancelled)).Select((line, i) => Parsed(line, $"{path}:{i + 1}")).Reverse().ToList();
        using var server = await Neo4jConnection.Open(context.Target<Neo4jTarget>(options.Target), context);
        for (var i = 0; i < statements.Count; i++)
        {
            await server.Write(statements[i].Query, statements[i].Parameters);
            context.Progress(i + 1, statements.Count, "statements");
        }
        context.Log($"{statements.Count:N0} statements taken back on {server.Name}");
        return new() { Statements = statements.Count };
    }

    /// <summary>A node that is gone goes again, and properties are set once more: no harm.</summary>
    public override Task<ProbeResult<Neo4jUndoCopyOutputs>> Probe(Neo4jUndoCopyOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<Neo4jUndoCopyOutputs>.NotDone("what is taken back may be taken back again"));

    static (string Query, JsonObject Parameters) Parsed(string line, string place)
    {
        try
        {
            if (JsonNode.Parse(line) is JsonObject json && (string?)json["statement"] is { } query && json["parameters"] is JsonObject parameters)
                return (query, parameters);
        }
        catch (JsonException)
        {
            // said below
        }
        throw StepFailedException.InvalidData($"{place} is no statement that neo4j.copy-nodes wrote.");
    }
}
