using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>What happens to a node that is there already and differs.</summary>
public enum CopyConflict { Skip, Fail, Overwrite }

public sealed record Neo4jCopyNodesOptions
{
    [Description("The server that has the nodes, as one into which a backup was loaded.")]
    [TargetName("neo4j")]
    [Example("neo4j_scratch")]
    public required string From { get; init; }

    [Description("The server that lacks them.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string To { get; init; }

    [Description("The label of the nodes.")]
    [Example("Persona")]
    public required string Label { get; init; }

    [Description("The properties that tell one node from all others of its label; neighbours are found by the same ones.")]
    [Example("[id]")]
    [MinLength(1)]
    public required IReadOnlyList<string> Key { get; init; }

    [Description("Which of them: a condition on `n`. Default: all.")]
    [NoTemplate(Neo4jQueryOptions.ByParameters)]
    [Example("\"n.team = $team\"")]
    public string? Where { get; init; }

    [Description("The values of its parameters.")]
    public IReadOnlyDictionary<string, JsonNode?> Parameters { get; init; } = new Dictionary<string, JsonNode?>();

    [Description("What happens to a node that is there already and differs: skip leaves it, fail ends the step before anything is written, overwrite replaces its properties.")]
    public CopyConflict Conflict { get; init; }

    [Description("More nodes than this are not written: a wrong condition must not flood the graph.")]
    [Range(1, 1_000_000)]
    public int MaxCount { get; init; } = 1000;

    [Description("Also the relationships of the nodes that were missing, as far as their other ends are there.")]
    public bool Relationships { get; init; } = true;

    [Description("Nodes and relationships per transaction.")]
    [Range(1, 10_000)]
    public int Batch { get; init; } = 200;

    [Description("Where the inverse statements go, one JSON object a line. Default: a file in the run's folder for safety copies.")]
    public string? Undo { get; init; }

    [Description("Only look and count; nothing is written.")]
    [Fixed]
    public bool DryRun { get; init; }
}

public sealed record Neo4jCopyNodesOutputs
{
    [Description("Nodes that were missing: written, or with dryRun to be written.")]
    public required int Missing { get; init; }

    [Description("Nodes whose properties were replaced.")]
    public required int Overwritten { get; init; }

    [Description("Nodes that are there, differ, and were left as they are.")]
    public required int Skipped { get; init; }

    [Description("Nodes that are there and equal.")]
    public required int Equal { get; init; }

    [Description("Relationships that were written.")]
    public required int Relationships { get; init; }

    [Description("Relationships whose other end is not there, or has no such key.")]
    public required int Loose { get; init; }

    [Description("The inverse statements; missing when nothing was written.")]
    public string? Undo { get; init; }
}

[Step("neo4j.copy-nodes", "Copies nodes that one database lacks from another one, with their relationships, and keeps the way back.")]
public sealed class Neo4jCopyNodes : Step<Neo4jCopyNodesOptions, Neo4jCopyNodesOutputs>
{
    public override IEnumerable<TargetEffect> Effects(Neo4jCopyNodesOptions options) =>
        [TargetEffect.Reads(options.From), new(options.To, options.DryRun ? Effect.Reads : Effect.Changes)];

    public override Task<StepPlan> Plan(Neo4jCopyNodesOptions options, PlanContext context) => Task.FromResult(new StepPlan
    {
        Lines = [$"{(options.DryRun ? "count" : "copy")} at most {options.MaxCount:N0} nodes :{options.Label} that {options.To} lacks, from {options.From}{(options.Where is { } where ? $", where {where}" : "")}"],
    });

    public override async Task<Neo4jCopyNodesOutputs> Run(Neo4jCopyNodesOptions options, StepContext context)
    {
        Refuse(options, context);
        using var from = await Neo4jConnection.Open(context.Target<Neo4jTarget>(options.From), context);
        using var to = await Neo4jConnection.Open(context.Target<Neo4jTarget>(options.To), context);
        var found = await NodeComparison.Of(from, to, options, context);
        var result = new Neo4jCopyNodesOutputs { Missing = found.Missing.Count, Overwritten = found.ToOverwrite.Count, Skipped = found.Skipped, Equal = found.Equal, Relationships = 0, Loose = 0 };
        context.Log($"{to.Name} lacks {found.Missing.Count:N0} of {found.Seen:N0} nodes :{options.Label}; {found.ToOverwrite.Count:N0} are overwritten, {found.Skipped:N0} differ and stay, {found.Equal:N0} are equal");
        if (found.Missing.Count + found.ToOverwrite.Count > options.MaxCount)
            throw StepFailedException.Conflict($"{found.Missing.Count + found.ToOverwrite.Count:N0} nodes :{options.Label} would be written to {to.Name}, and the step allows {options.MaxCount:N0}.",
                "Nothing was written. Narrow `where`, or raise `maxCount` if it is meant.");
        return options.DryRun ? result : await new NodeCopy(from, to, options, context).Write(found, result);
    }

    /// <summary>Whatever is there is not written again: the step may go on after a crash.</summary>
    public override Task<ProbeResult<Neo4jCopyNodesOutputs>> Probe(Neo4jCopyNodesOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<Neo4jCopyNodesOutputs>.NotDone("what is there already is not written again"));

    static void Refuse(Neo4jCopyNodesOptions options, StepContext context)
    {
        if (context.Target<Neo4jTarget>(options.From).Address == context.Target<Neo4jTarget>(options.To).Address)
            throw new RunbookException($"'{options.From}' and '{options.To}' are the same server.", "Load the backup into a scratch server first.");
        if (options.Key.Any(k => k.StartsWith("__", StringComparison.Ordinal)))
            throw new RunbookException("A key property cannot begin with __.");
    }
}
