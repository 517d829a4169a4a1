using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

public sealed record Neo4jClusterOptions
{
    [Description("Any member of the cluster.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Target { get; init; }

    [Description("Problems are put out, and do not fail the step.")]
    public bool OnlyReport { get; init; }

    [Description("How many members must be available. Default: all that are enabled.")]
    [Range(1, 100)]
    public int? Servers { get; init; }

    [Description("Take members into the cluster that have announced themselves and are free, from 5.0.")]
    [Fixed]
    public bool EnableFree { get; init; }
}

public sealed record Neo4jClusterOutputs
{
    [Description("The members.")]
    public required IReadOnlyList<ClusterMember> Members { get; init; }

    [Description("The databases, and who takes their writes.")]
    public required IReadOnlyList<ClusterDatabase> Databases { get; init; }

    [Description("Where the target's database takes writes; missing while nobody leads.")]
    public string? Leader { get; init; }

    [Description("What is not as it should be.")]
    public required IReadOnlyList<string> Problems { get; init; }

    [Description("Members that were taken in by this step.")]
    public required IReadOnlyList<string> Enabled { get; init; }
}

[Step("neo4j.cluster", "Looks at the members of a cluster and who leads each database; can take free members in.")]
public sealed class Neo4jCluster : Step<Neo4jClusterOptions, Neo4jClusterOutputs>
{
    public override IEnumerable<TargetEffect> Effects(Neo4jClusterOptions options) => [new(options.Target, options.EnableFree ? Effect.Changes : Effect.Reads)];

    public override async Task<Neo4jClusterOutputs> Run(Neo4jClusterOptions options, StepContext context)
    {
        using var server = await Neo4jConnection.Open(context.Target<Neo4jTarget>(options.Target), context);
        var enabled = options.EnableFree ? await Enable(server, context) : [];
        var view = await ClusterView.Of(server);
        var problems = view.Problems(options.Servers).ToList();
        context.Log($"{server.Name}: {view.Members.Count} members, {view.Databases.Count} databases, {(problems.Count == 0 ? "all well" : string.Join("; ", problems))}");
        if (problems.Count > 0 && !options.OnlyReport)
            throw StepFailedException.Conflict($"The cluster of {server.Name} is not as it should be: {string.Join("; ", problems)}.", "A member that is starting needs some time; then the logs of the members say more.");
        return new()
        {
            Members = view.Members,
            Databases = view.Databases,
            Leader = view.Databases.FirstOrDefault(d => d.Name == (context.Target<Neo4jTarget>(options.Target).Database ?? ServerFacts.DefaultDatabase))?.Writer,
            Problems = problems,
            Enabled = enabled,
        };
    }

    /// <summary>What is enabled already is not free any more: done twice it is the same.</summary>
    public override Task<ProbeResult<Neo4jClusterOutputs>> Probe(Neo4jClusterOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<Neo4jClusterOutputs>.NotDone("looking, and taking in what is free, may be repeated"));

    static async Task<IReadOnlyList<string>> Enable(Neo4jConnection server, StepContext context)
    {
        if (!(await server.About()).Version.IsAtLeast(5))
            throw StepFailedException.Conflict($"{server.Name} is {(await server.About()).Version}: before 5.0 members join by themselves.", "Leave `enableFree` away.");
        var free = (await ClusterView.Of(server)).Members.Where(m => m.State == "Free").ToList();
        foreach (var member in free)
        {
            if (!member.Id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
                throw StepFailedException.InvalidData($"{server.Name} names a member '{member.Id}', which is no id.");
            await server.Write($"ENABLE SERVER '{member.Id}'", database: "system");
            context.Log($"{member.Address} is taken in");
        }
        return [.. free.Select(m => m.Address)];
    }
}
