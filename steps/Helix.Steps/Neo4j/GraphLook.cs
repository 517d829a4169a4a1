using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Neo4j;

/// <summary>What a server says of itself before something is done to its files; nothing when it is down or ill.</summary>
sealed record GraphLook(ServerFacts? Facts, GraphCounts Counts)
{
    static readonly GraphLook Nothing = new(null, GraphCounts.None);

    public static async Task<GraphLook> At(Neo4jTarget target, string? database, StepContext context)
    {
        if ((await target.Service.State(context)).Status != RuntimeStatus.Running)
            return Nothing;
        ServerFacts? facts = null;
        try
        {
            using var server = await Neo4jConnection.Open(target, context);
            facts = await server.About();
            return new(facts, await GraphCounts.OfWhole(server, database));
        }
        catch (StepFailedException e) when (e.Failure is not FailureClass.Cancelled and not FailureClass.Auth)
        {
            context.Log($"{target.Name} runs and cannot be counted: {e.Message}");
            return new(facts, GraphCounts.None);
        }
    }
}
