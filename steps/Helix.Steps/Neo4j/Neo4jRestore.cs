using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

public sealed record Neo4jRestoreOptions : Neo4jReplaceOptions
{
    [Description("The backup that is restored, as neo4j.backup makes it.")]
    [Example("\"{{ steps.fetch.file }}\"")]
    public required string From { get; init; }
}

[Step("neo4j.restore", "Replaces a database of an Enterprise edition by a backup; the present store is put back unless the new one is right.")]
public sealed class Neo4jRestore : Step<Neo4jRestoreOptions, Neo4jLoadOutputs>, IJudgesUse
{
    public IEnumerable<UseFault> Judge(StepUse use) => OnlineRules.Judge("neo4j.restore", use);

    public override IEnumerable<TargetEffect> Effects(Neo4jRestoreOptions options) =>
        [TargetEffect.Destroys(options.Target, $"everything in {(options.Database is { } name ? $"database '{name}'" : "the database")}") with { LoadsFrom = "from" }];

    public override async Task<StepPlan> Plan(Neo4jRestoreOptions options, PlanContext context)
    {
        var target = context.Target<Neo4jTarget>(options.Target);
        _ = target.ServiceFor("neo4j.restore");
        OnlineRules.CheckEdition("neo4j.restore", target, target.Edition);
        const string users = "users and roles that came with the backup are in the script `restore_metadata.cypher` below its data folder; it is for people to run";
        try
        {
            using var server = await Neo4jConnection.Open(target, context);
            OnlineRules.CheckEdition("neo4j.restore", target, (await server.About()).Edition);
            return new() { Lines = [$"replaces {await GraphCounts.OfWhole(server, options.Database)} in database '{await server.DatabaseName(options.Database)}' of {server.Name} by {options.From}", users] };
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return new() { Lines = [$"replaces the database of neo4j '{target.Name}' by {options.From}", users], Warnings = [e.Message] };
        }
    }

    public override async Task<Neo4jLoadOutputs> Run(Neo4jRestoreOptions options, StepContext context)
    {
        var target = context.Target<Neo4jTarget>(options.Target);
        _ = target.ServiceFor("neo4j.restore");
        var backup = await BackupSource.Of(context.FullPath(options.From), target, context);
        return await new GraphLoading(target, backup, options, context).Run();
    }

    public override Task<ProbeResult<Neo4jLoadOutputs>> Probe(Neo4jRestoreOptions options, StepContext context) => Task.FromResult(LoadProgress.Probe(context));
}
