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

    /// <summary>It ran when the load began.</summary>
    public required bool Ran { get; init; }

    /// <summary>The present store is kept aside.</summary>
    public bool Kept { get; init; }
    public Neo4jLoadOutputs? Outputs { get; init; }

    public static LoadProgress? Of(StepContext context) => context.Saved(Key)?.Deserialize<LoadProgress>(StepJson.Options);

    public Task Save(StepContext context) => context.Save(Key, JsonSerializer.SerializeToNode(this, StepJson.Options)!);
}
