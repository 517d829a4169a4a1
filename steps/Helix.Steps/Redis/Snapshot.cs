using System.Globalization;
using Helix.Runbooks.Steps;
using StackExchange.Redis;

namespace Helix.Steps.Redis;

/// <summary>Makes a server write a new RDB file, and waits for exactly that.</summary>
static class Snapshot
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>TIME is exact, and the file is dated by time(2), which lags behind by up to a tick of the kernel: 10 ms at 100 Hz.</summary>
    static readonly TimeSpan CoarseClock = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns when a file is complete that was begun after the call.</summary>
    /// <returns>The moment that the data stands for, on this machine's clock; and on the server's, in whole seconds.</returns>
    public static async Task<(DateTimeOffset At, DateTimeOffset ServerTime)> Take(RedisConnection redis, StepContext context)
    {
        await RefuseStale(redis);
        var (begun, serverTime) = await Begin(redis, context);
        var after = await End(redis, context);
        // A child killed by SIGUSR1 leaves the status as it was, and the time alone may be that of another save: both must be good.
        if (after.Text("rdb_last_bgsave_status") != "ok"
            || after.Number("rdb_last_save_time") < serverTime.ToUnixTimeSeconds())
            throw StepFailedException.Transient(
                $"The background save of {redis.Name} ended without a new file (rdb_last_bgsave_status: {after.Text("rdb_last_bgsave_status")}).",
                "The server's log says why; often memory or disk is short, or the child was killed.");
        return (begun, serverTime);
    }

    static async Task RefuseStale(RedisConnection redis)
    {
        var info = await redis.Info("replication");
        if (info.Text("role") == "slave" && info.Text("master_link_status") != "up")
            throw StepFailedException.Conflict(
                $"{redis.Name} is a replica that has lost its primary {info.Text("master_host")}:{info.Text("master_port")}; what it holds is old.",
                "Save the primary, or mend the replication first.");
    }

    /// <summary>Waits for whatever child is running, then starts our own (RED-01).</summary>
    static async Task<(DateTimeOffset Begun, DateTimeOffset ServerTime)> Begin(RedisConnection redis, StepContext context)
    {
        var told = false;
        while (true)
        {
            var before = await redis.Info("persistence");
            if (before.Flag("loading"))
                throw RedisConnection.Loading(redis.Name);
            var begun = context.Time.GetUtcNow();
            var (serverTime, within) = await ServerTime(redis);
            var tooEarly = IsTooEarly(before.Number("rdb_last_save_time"), serverTime, within);
            if (!Busy(before) && !tooEarly && await Started(redis))
                return (begun, serverTime);
            if (!told && !tooEarly)
            {
                context.Log($"{redis.Name} is already saving or rewriting; waiting for the end of that.");
                told = true;
            }
            Report(before, context);
            await context.Delay(Pause);
        }
    }

    /// <summary>The server counts whole seconds: ours must not be that of the save before (RED-03), and must have come on the clock that dates files, too.</summary>
    internal static bool IsTooEarly(long? lastSave, DateTimeOffset second, TimeSpan within) =>
        lastSave >= second.ToUnixTimeSeconds() || within < CoarseClock;

    static bool Busy(RedisInfo info) =>
        info.Flag("rdb_bgsave_in_progress") || info.Flag("aof_rewrite_in_progress") || info.Flag("module_fork_in_progress");

    static async Task<bool> Started(RedisConnection redis)
    {
        try
        {
            await redis.Send("BGSAVE");
            return true;
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Conflict
            && (e.Message.Contains("in progress", StringComparison.Ordinal) || e.Message.Contains("child process", StringComparison.Ordinal)))
        {
            return false; // somebody else was faster
        }
    }

    static async Task<RedisInfo> End(RedisConnection redis, StepContext context)
    {
        while (true)
        {
            var info = await redis.Info("persistence");
            if (!info.Flag("rdb_bgsave_in_progress"))
                return info;
            Report(info, context);
            await context.Delay(Pause);
        }
    }

    static void Report(RedisInfo info, StepContext context)
    {
        if (info.Number("current_save_keys_total") is > 0 and var total)
            context.Progress(info.Number("current_save_keys_processed") ?? 0, total, "keys");
        else
            context.Progress(0, null, "keys");
    }

    /// <returns>The second, and how much of it has passed.</returns>
    static async Task<(DateTimeOffset Second, TimeSpan Within)> ServerTime(RedisConnection redis)
    {
        var reply = (RedisResult[])(await redis.Send("TIME"))!;
        long Part(int n) => long.Parse((string)reply[n]!, CultureInfo.InvariantCulture);
        return (DateTimeOffset.FromUnixTimeSeconds(Part(0)), TimeSpan.FromMicroseconds(Part(1)));
    }
}
