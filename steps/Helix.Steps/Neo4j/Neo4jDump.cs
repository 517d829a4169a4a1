using System.ComponentModel;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Neo4j;

/// <summary>How an archive gets from the service to here and back.</summary>
public enum ArchiveWay { Auto, Stream, File }

public sealed record Neo4jDumpOptions
{
    [Description("The server to dump. It is stopped meanwhile, and started again if it ran.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Target { get; init; }

    [Description("Where the archive goes on this machine.")]
    [Example("\"{{ run.work }}/neo4j.dump\"")]
    public required string To { get; init; }

    [Description("The database. Default: that of the target.")]
    [Fixed]
    public string? Database { get; init; }

    [Description("Users, roles and passwords are in the database `system`, not in this dump. True: they are kept elsewhere, and that is known.")]
    [Fixed]
    public bool WithoutUsers { get; init; }

    [Description("How long the server may take to end by itself before it is killed.")]
    public Duration Grace { get; init; } = new(TimeSpan.FromMinutes(2));

    [Description("Dump also when the server had to be killed: its store may then need a recovery.")]
    public bool EvenIfKilled { get; init; }

    [Description("How long the server may take until it answers again.")]
    public Duration ReadyWithin { get; init; } = new(TimeSpan.FromMinutes(10));

    [Description("Memory for the admin tool, which does not look at the server's settings.")]
    [Example("2GiB")]
    public ByteSize? Memory { get; init; }

    [Description("stream: through the tool's standard output; file: through the data folder; auto: stream where the version can.")]
    public ArchiveWay Way { get; init; }
}

public sealed record Neo4jDumpOutputs
{
    [Description("The archive.")]
    public required string File { get; init; }
    public required long Size { get; init; }
    public required string Sha256 { get; init; }

    [Description("The moment that the data stands for.")]
    public required DateTimeOffset RecoveryPoint { get; init; }

    [Description("What is in it: nodes, relationships, label:NAME, type:NAME, constraints, indexes. Only what did not move between before and after; nothing when the server was down.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    [Description("Counts that were different before and after, so that it is not known what the archive holds of them.")]
    public required IReadOnlyList<string> Moved { get; init; }

    [Description("The database that was dumped.")]
    public required string Database { get; init; }
    public required string ServerVersion { get; init; }

    [Description("Where the data came from.")]
    public required string Place { get; init; }

    [Description("How long the server was away.")]
    public required Duration Downtime { get; init; }
}

[Step("neo4j.dump", "Stops a Neo4j server, dumps a database to an archive here, starts the server again, and checks the archive.")]
public sealed class Neo4jDump : Step<Neo4jDumpOptions, Neo4jDumpOutputs>, IJudgesUse
{
    const string System = "system";

    /// <summary>Users and roles are lost with a server of which only the graph is dumped (NEO-12).</summary>
    public IEnumerable<UseFault> Judge(StepUse use)
    {
        var target = use.Text("target");
        if (use.Text("database") != System && use.With["withoutUsers"] is null && use.Target<Neo4jTarget>("target")?.Scratch != true
            && !use.All.Any(s => s.Uses == "neo4j.dump" && StepUse.TextIn(s.With, "database") == System && StepUse.TextIn(s.With, "target") == target))
            yield return new("users-not-dumped", "database", "The dump holds no users, roles and passwords: they are in the database `system`.",
                "Dump that too, with `database: system`; or say `withoutUsers: true` where they are kept elsewhere.")
            { IsWarning = true };
    }

    public override IEnumerable<TargetEffect> Effects(Neo4jDumpOptions options) => [TargetEffect.Interrupts(options.Target)];

    public override async Task<StepPlan> Plan(Neo4jDumpOptions options, PlanContext context)
    {
        var target = context.Target<Neo4jTarget>(options.Target);
        _ = target.ServiceFor("neo4j.dump");
        try
        {
            using var server = await Neo4jConnection.Open(target, context);
            var counts = await GraphCounts.OfWhole(server, options.Database);
            return new() { Lines = [$"stops {server.Name}, dumps database '{await server.DatabaseName(options.Database)}' with {counts} to {options.To}, and starts it again"] };
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return new() { Lines = [$"stops {target.Name}, dumps it to {options.To}, and starts it again if it ran"], Warnings = [e.Message] };
        }
    }

    public override async Task<Neo4jDumpOutputs> Run(Neo4jDumpOptions options, StepContext context)
    {
        var target = context.Target<Neo4jTarget>(options.Target);
        _ = target.ServiceFor("neo4j.dump");
        var before = await GraphLook.At(target, options.Database, context);
        var admin = await AdminTool.Of(target, before.Facts, options.Memory, context);
        var database = ServerFacts.Database(options.Database ?? target.Database, before.Facts?.Version ?? admin.Version);
        var outage = new Outage(target, options.Grace, options.ReadyWithin, context);
        var to = LocalFile.For(options.To, context);
        var at = context.Time.GetUtcNow();
        var archive = await new DumpCopy(target, admin, database, context).To(to, options.Way, take => outage.Around(options.EvenIfKilled, async () =>
        {
            at = context.Time.GetUtcNow();
            await take();
            return true;
        }));
        var (same, moved) = before.Facts is null ? (GraphCounts.None, []) : before.Counts.With((await GraphLook.At(target, options.Database, context)).Counts);
        context.Log($"{target.Name}: {before.Counts} in {ByteSize.Words(archive.Size)}; it was away for {new Duration(outage.Lasted)}{(moved.Count == 0 ? "" : $"; clients changed {string.Join(", ", moved)} meanwhile")}");
        return new()
        {
            File = to,
            Size = archive.Size,
            Sha256 = archive.Sha256,
            RecoveryPoint = at,
            Counts = same.All,
            Moved = moved,
            Database = database,
            ServerVersion = (before.Facts?.Version ?? admin.Version).Text,
            Place = await target.ReadPlace(context) ?? await target.Service.Place(context) ?? target.Address,
            Downtime = new Duration(outage.Lasted),
        };
    }

    public override async Task<ProbeResult<Neo4jDumpOutputs>> Probe(Neo4jDumpOptions options, StepContext context) =>
        ProbeResult<Neo4jDumpOutputs>.NotDone(await Outage.RanBefore(context.Target<Neo4jTarget>(options.Target), context)
            ? "a dump does no harm when it is made again, and starts the server at its end"
            : "a dump does no harm when it is made again");
}
