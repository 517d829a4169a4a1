using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

public sealed record Neo4jLoadOptions
{
    [Description("The server whose database is replaced. It is stopped, and started on the new data.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Target { get; init; }

    [Description("The archive that is loaded, as neo4j.dump makes it.")]
    [Example("\"{{ steps.fetch.file }}\"")]
    public required string From { get; init; }

    [Description("The database. Default: that of the target.")]
    [Fixed]
    public string? Database { get; init; }

    [Description("What it must hold afterwards, as the manifest says: nodes, relationships, label:NAME, type:NAME.")]
    [Example("{ nodes: 1250 }")]
    public IReadOnlyDictionary<string, long>? Counts { get; init; }

    [Description("Do not keep the present store beside the new one.")]
    public bool SkipSafetyCopy { get; init; }

    [Description("The account that owns the store. Default: that of the folder in which it lies.")]
    [Example("\"7474:7474\"")]
    [RegularExpression("^[A-Za-z0-9_.:-]+$", ErrorMessage = "{0} must be an account, or account:group.")]
    public string? Owner { get; init; }

    [Description("How long the server may take to end by itself before it is killed.")]
    public Duration Grace { get; init; } = new(TimeSpan.FromMinutes(2));

    [Description("How long it may take until it answers on the new data.")]
    public Duration ReadyWithin { get; init; } = new(TimeSpan.FromMinutes(10));

    [Description("Memory for the admin tool, which does not look at the server's settings.")]
    [Example("2GiB")]
    public ByteSize? Memory { get; init; }

    [Description("Room that must be free where the data is, as a multiple of what is in the archive.")]
    [Range(0, 100)]
    public double Room { get; init; } = 1.2;

    [Description("stream: through the tool's standard input; file: through the data folder; auto: stream where the version can.")]
    public ArchiveWay Way { get; init; }
}

public sealed record Neo4jLoadOutputs
{
    [Description("What the server holds now: nodes, relationships, label:NAME, type:NAME, constraints, indexes.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    [Description("Digest of the archive that was loaded.")]
    public required string Sha256 { get; init; }

    [Description("The database that was replaced.")]
    public required string Database { get; init; }
    public required string ServerVersion { get; init; }

    [Description("The folder of the service that keeps what was there before; missing when there was nothing or none was wanted.")]
    public string? SafetyCopy { get; init; }
}

[Step("neo4j.load", "Replaces a database by an archive: the present store is kept, and put back unless the new one is right.")]
public sealed class Neo4jLoad : Step<Neo4jLoadOptions, Neo4jLoadOutputs>
{
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
            var counts = await GraphCounts.Of(server, options.Database);
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
        return await new GraphLoading(target, archive, options, context).Run();
    }

    public override Task<ProbeResult<Neo4jLoadOutputs>> Probe(Neo4jLoadOptions options, StepContext context) => Task.FromResult(LoadProgress.Of(context) switch
    {
        null => ProbeResult<Neo4jLoadOutputs>.NotDone("nothing was changed yet"),
        { Outputs: { } outputs } => ProbeResult<Neo4jLoadOutputs>.Done(outputs, "the step had finished"),
        { Stage: LoadStage.Begun } => ProbeResult<Neo4jLoadOutputs>.NotDone("the old store is still there, or set aside"),
        { Stage: LoadStage.Loading } => ProbeResult<Neo4jLoadOutputs>.NotDone("the load was interrupted; it begins anew, and the old store stays aside"),
        _ => ProbeResult<Neo4jLoadOutputs>.NotDone("the archive is loaded; the start and the check go on from there"),
    });
}
