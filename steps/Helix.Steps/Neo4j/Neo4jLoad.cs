using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

public sealed record Neo4jLoadOptions : Neo4jReplaceOptions
{
    [Description("The archive that is loaded, as neo4j.dump makes it.")]
    [Example("\"{{ steps.fetch.file }}\"")]
    public required string From { get; init; }

    [Description("stream: through the tool's standard input; file: through the data folder; auto: stream where the version can.")]
    public ArchiveWay Way { get; init; }
}

[Step("neo4j.load", "Replaces a database by an archive: the present store is kept, and put back unless the new one is right.")]
public sealed class Neo4jLoad : Step<Neo4jLoadOptions, Neo4jLoadOutputs>, IJudgesUse
{
    /// <summary>Known before the run where the environment says which edition it is (NEO-06).</summary>
    public IEnumerable<UseFault> Judge(StepUse use)
    {
        if (use.Target<Neo4jTarget>("target") is { } target && LoadRules.OtherDatabase(use.Text("database"), target, target.Edition) is { } fault)
            yield return new("database-stays-offline", "database", fault, LoadRules.LoadHint(target));
    }

    public override IEnumerable<TargetEffect> Effects(Neo4jLoadOptions options) =>
        [TargetEffect.Destroys(options.Target, $"everything in {(options.Database is { } name ? $"database '{name}'" : "the database")}") with { LoadsFrom = "from" }];

    public override async Task<StepPlan> Plan(Neo4jLoadOptions options, PlanContext context)
    {
        var target = context.Target<Neo4jTarget>(options.Target);
        _ = target.ServiceFor("neo4j.load");
        const string users = "users, roles and passwords stay those of this server: they are in no dump but that of `system`";
        try
        {
            using var server = await Neo4jConnection.Open(target, context);
            LoadRules.CheckDatabase(options.Database, target, (await server.About()).Edition);
            var counts = await GraphCounts.OfWhole(server, options.Database);
            return new() { Lines = [$"replaces {counts} in database '{await server.DatabaseName(options.Database)}' of {server.Name} by {options.From}", users] };
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return new() { Lines = [$"replaces the database of neo4j '{target.Name}' by {options.From}", users], Warnings = [e.Message] };
        }
    }

    public override async Task<Neo4jLoadOutputs> Run(Neo4jLoadOptions options, StepContext context)
    {
        var target = context.Target<Neo4jTarget>(options.Target);
        _ = target.ServiceFor("neo4j.load");
        var archive = await DumpFile.Read(context.FullPath(options.From), context.Cancelled);
        context.Log($"{archive.Path} is sound: {archive.Files} files, {ByteSize.Words(archive.Bytes)}");
        return await new GraphLoading(target, new DumpSource(archive, options.Way, target, context), options, context).Run();
    }

    public override Task<ProbeResult<Neo4jLoadOutputs>> Probe(Neo4jLoadOptions options, StepContext context) => Task.FromResult(LoadProgress.Probe(context));
}
