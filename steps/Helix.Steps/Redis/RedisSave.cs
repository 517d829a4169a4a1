using System.ComponentModel;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Redis;

public enum RedisContents { Rdb, Aof }

public sealed record RedisSaveOptions
{
    [Description("The server to save.")]
    [TargetName("redis")]
    [Example("redis")]
    public required string Target { get; init; }

    [Description("Where the copy goes on this machine.")]
    [Example("\"{{ run.work }}/redis.rdb\"")]
    public required string To { get; init; }

    [Description("What is copied: rdb, a new snapshot; or aof, the append-only folder as a tar archive.")]
    public RedisContents Include { get; init; } = RedisContents.Rdb;
}

public sealed record RedisSaveOutputs
{
    [Description("The copy.")]
    public required string File { get; init; }
    public required long Size { get; init; }
    public required string Sha256 { get; init; }

    [Description("The moment that the data stands for.")]
    public required DateTimeOffset RecoveryPoint { get; init; }

    [Description("Keys per database: db0, and db0_expiring for those with a time to live.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }
    public required string ServerVersion { get; init; }

    [Description("Where the data came from.")]
    public required string Place { get; init; }
}

[Step("redis.save", "Writes a new snapshot of a Redis server and copies it here, checked.")]
public sealed class RedisSave : Step<RedisSaveOptions, RedisSaveOutputs>
{
    /// <summary>For the append-only folder a setting is changed meanwhile.</summary>
    public override IEnumerable<TargetEffect> Effects(RedisSaveOptions options) =>
        [new(options.Target, options.Include == RedisContents.Aof ? Effect.Changes : Effect.Reads)];

    public override async Task<StepPlan> Plan(RedisSaveOptions options, PlanContext context)
    {
        var target = context.Target<RedisTarget>(options.Target);
        _ = target.ServiceFor("redis.save");
        try
        {
            await using var redis = await RedisConnection.Open(target, context);
            var info = await redis.Info();
            return new()
            {
                Lines = [$"saves {KeyCounts.Of(info)} of {redis.Name} to {options.To}"],
                LocalBytes = info.Number("used_memory"), // a file is smaller than the data in memory
            };
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return new() { Lines = [$"saves redis '{target.Name}' to {options.To}"], Warnings = [e.Message] };
        }
    }

    public override async Task<RedisSaveOutputs> Run(RedisSaveOptions options, StepContext context)
    {
        var target = context.Target<RedisTarget>(options.Target);
        _ = target.ServiceFor("redis.save");
        await using var redis = await RedisConnection.Open(target, context);
        var to = LocalFile.For(options.To, context);
        return options.Include == RedisContents.Aof ? await SaveAppendOnly(target, redis, to, context) : await SaveSnapshot(target, redis, to, context);
    }

    public override Task<ProbeResult<RedisSaveOutputs>> Probe(RedisSaveOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<RedisSaveOutputs>.NotDone("a save does no harm when it is made again"));

    internal static async Task<RedisSaveOutputs> SaveSnapshot(RedisTarget target, RedisConnection redis, string to, StepContext context)
    {
        var path = await DataFileOf(target, redis);
        var (at, serverTime) = await Snapshot.Take(redis, context);
        var copy = await LocalFile.Write(to,
            file => target.ServiceFor("redis.save").CopyOut(context, path, file),
            async partial => New(await RdbFile.Read(partial, context.Cancelled), serverTime, $"{path} of {redis.Name}"));
        var info = await redis.Info();
        context.Log($"{redis.Name}: {copy.Counts ?? KeyCounts.Of(info)}, {ByteSize.Words(copy.Size)}");
        return Outputs(target, to, copy.Size, copy.Sha256, at - Lag(info), copy.Counts ?? KeyCounts.Of(info), info, path);
    }

    /// <summary>The file says itself when it was written: a copy of an older one is caught whatever the path turned out to be (RED-04).</summary>
    static RdbFile New(RdbFile copy, DateTimeOffset begun, string what) => copy.WrittenAt < begun
        ? throw StepFailedException.InvalidData(
            $"{what} was written at {copy.WrittenAt:u}, before this save began at {begun:u}.",
            "The server writes its snapshot elsewhere; is `dataFile` of the target right?")
        : copy;

    static async Task<RedisSaveOutputs> SaveAppendOnly(RedisTarget target, RedisConnection redis, string to, StepContext context)
    {
        var at = context.Time.GetUtcNow();
        var copy = await AppendOnlyCopy.Take(target.ServiceFor("redis.save"), redis, to, context);
        var info = await redis.Info();
        return Outputs(target, to, copy.Size, copy.Sha256, at - Lag(info), KeyCounts.Of(info), info, copy.Folder);
    }

    static async Task<string> DataFileOf(RedisTarget target, RedisConnection redis) =>
        await redis.DataFile() ?? target.DataFile ?? throw StepFailedException.Auth(
            $"{redis.Name} does not say where its data file is: CONFIG GET is not allowed.",
            "Give `dataFile` on the target, or allow the command.");

    /// <summary>A replica stands for a moment that has passed.</summary>
    static TimeSpan Lag(RedisInfo info) =>
        TimeSpan.FromSeconds(Math.Max(0, info.Text("role") == "slave" ? info.Number("master_last_io_seconds_ago") ?? 0 : 0));

    static RedisSaveOutputs Outputs(RedisTarget target, string file, long size, string sha256, DateTimeOffset at, KeyCounts counts, RedisInfo info, string path) => new()
    {
        File = file,
        Size = size,
        Sha256 = sha256,
        RecoveryPoint = at,
        Counts = counts.ToOutputs(),
        ServerVersion = info.Text("redis_version") ?? "unknown",
        Place = $"{target.At.MachineName}:{target.At.Port}{path}",
    };
}
