using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Redis;

/// <summary>What a restore must know of a server before it changes anything.</summary>
static class RestoreSurvey
{
    /// <summary>From an interrupted attempt, from the running server, or from its files.</summary>
    public static async Task<RestoreProgress> Make(RedisTarget target, RdbFile file, StepContext context)
    {
        var saved = RestoreProgress.Of(context) is { Stage: < RestoreStage.Done } begun ? begun : null;
        if (saved is not null && !await CameUp(saved, target, context))
            return saved.Sha256 == file.Sha256 ? saved : saved with { Sha256 = file.Sha256, Stage = saved.Stage.AtMost(RestoreStage.Placing) };
        try
        {
            await using var redis = await RedisConnection.Open(target, context);
            // Replicas that are detached already do not follow it now, and must be attached again at the end.
            return await Running(target, redis, file) with { Replicas = saved?.Replicas ?? [] };
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
        {
            if ((await target.Service.State(context)).Status == RuntimeStatus.Running)
                throw;
            return await Stopped(target, file, context);
        }
    }

    /// <summary>Nothing of a server that was down was changed yet, and somebody has started it: now it can be asked.</summary>
    static async Task<bool> CameUp(RestoreProgress saved, RedisTarget target, StepContext context) =>
        saved is { WasRunning: false, Stage: < RestoreStage.Placing } && (await target.Service.State(context)).Status == RuntimeStatus.Running;

    public static async Task<RestoreProgress> Running(RedisTarget target, RedisConnection redis, RdbFile file)
    {
        var info = await redis.Info();
        if (info.Flag("loading"))
            throw RedisConnection.Loading(redis.Name);
        if (info.Text("role") != "master")
            throw StepFailedException.Conflict(
                $"{redis.Name} is a replica of {info.Text("master_host")}:{info.Text("master_port")}; what is loaded into it would be overwritten.",
                "Restore the primary; its replicas follow.");
        RefuseNewer(file, info, redis.Name);
        var appendFolder = await redis.Setting("appenddirname") is { } name ? $"{await redis.Setting("dir")}/{name}" : await redis.Setting("dir");
        return new()
        {
            Stage = RestoreStage.Begun,
            Sha256 = file.Sha256,
            WasRunning = true,
            DataFile = await redis.DataFile() ?? target.DataFile ?? throw StepFailedException.Auth(
                $"{redis.Name} does not say where its data file is: CONFIG GET is not allowed.", "Give `dataFile` on the target, or allow the command."),
            SavePoints = await redis.Setting("save"),
            AppendOnly = await redis.Setting("appendonly") == "yes" ? AppendOnlyWay.Switched : AppendOnlyWay.None,
            AppendFolder = appendFolder,
            AppendFile = await redis.Setting("appendfilename") ?? "appendonly.aof",
        };
    }

    static async Task<RestoreProgress> Stopped(RedisTarget target, RdbFile file, StepContext context)
    {
        var path = target.DataFile ?? throw StepFailedException.Conflict(
            $"redis '{target.Name}' is down, so it cannot be asked where its data file is.",
            "Give `dataFile` on the target, as /data/dump.rdb, or start it first.");
        var folder = Path.Combine(Path.GetDirectoryName(path)!, "appendonlydir");
        var progress = new RestoreProgress { Stage = RestoreStage.Begun, Sha256 = file.Sha256, DataFile = path, AppendFolder = folder };
        return await ServiceFile.Text(target.Service, progress.AppendManifest, context) is null
            ? progress with { AppendOnly = AppendOnlyWay.None }
            : progress with { AppendOnly = AppendOnlyWay.AsBase };
    }

    /// <summary>A server ends at once when its file has a newer format.</summary>
    static void RefuseNewer(RdbFile file, RedisInfo info, string name)
    {
        var version = info.Text("redis_version");
        if (Version.TryParse(version, out var server) && NewestReadBy(server) is { } newest && file.Version > newest)
            throw StepFailedException.Conflict(
                $"{file.Path} has RDB version {file.Version}, written by Redis {file.ServerVersion ?? "of a newer version"}; {name} is Redis {version} and reads up to {newest}.",
                "Load it into a server of the version that wrote it.");
    }

    static int? NewestReadBy(Version server) => server switch
    {
        { Major: < 5 } => 8,
        { Major: < 7 } => 9,
        { Major: 7, Minor: < 2 } => 10,
        { Major: 7, Minor: < 4 } => 11,
        { Major: 7 } => 12,
        _ => null,
    };
}
