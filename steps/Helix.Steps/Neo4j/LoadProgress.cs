using System.Text.Json;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>How far a load came. Ordered.</summary>
enum LoadStage { Begun, Loading, Loaded, Done }

/// <summary>What a load found before it changed anything, and how far it is: kept in the journal, so that a resume goes on from there.</summary>
sealed record LoadProgress
{
    const string Key = "load";

    public required LoadStage Stage { get; init; }
    public required string Sha256 { get; init; }
    public required string Database { get; init; }

    /// <summary>The mark of the folder in which this round keeps the present store; none in journals of older versions.</summary>
    public string? Round { get; init; }

    /// <summary>It ran when the load began.</summary>
    public required bool Ran { get; init; }

    /// <summary>The present store is kept aside.</summary>
    public bool Kept { get; init; }
    public Neo4jLoadOutputs? Outputs { get; init; }

    public static LoadProgress? Of(StepContext context) => context.Saved(Key)?.Deserialize<LoadProgress>(StepJson.Options);

    /// <summary>What a step that was cut off left, and that it goes on from there.</summary>
    public static ProbeResult<Neo4jLoadOutputs> Probe(StepContext context) => Of(context) switch
    {
        null => ProbeResult<Neo4jLoadOutputs>.NotDone("nothing was changed yet"),
        { Outputs: { } outputs } => ProbeResult<Neo4jLoadOutputs>.Done(outputs, "the step had finished"),
        { Stage: LoadStage.Begun } => ProbeResult<Neo4jLoadOutputs>.NotDone("the old store is still there, or set aside"),
        { Stage: LoadStage.Loading } => ProbeResult<Neo4jLoadOutputs>.NotDone("the load was interrupted; it begins anew, and the old store stays aside"),
        _ => ProbeResult<Neo4jLoadOutputs>.NotDone("the data is loaded; the start and the check go on from there"),
    };

    public Task Save(StepContext context) => context.Save(Key, JsonSerializer.SerializeToNode(this, StepJson.Options)!);
}
