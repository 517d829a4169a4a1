using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>Switches a server's append-only file off for its next start, and on again at run time, which rebuilds it from what is loaded (RED-05).</summary>
sealed class AppendOnlySwitch(RedisConnection redis, RedisTarget target, StepContext context)
{
    readonly string _key = $"appendonly:{target.Name}";

    /// <returns>False when the server cannot write its configuration file; nothing is changed then.</returns>
    public async Task<bool> Off(string? savePoints)
    {
        // After an interrupted attempt they may be off; what is written to the file must be the real ones.
        if (savePoints is not null)
            await redis.Set("save", savePoints);
        if (!await Rewrite())
        {
            context.Log($"{redis.Name} cannot write its configuration; its append-only folder will be built from the file instead.");
            return false;
        }
        await context.Leave(new()
        {
            Key = _key,
            Kind = ResidueKind.Other,
            Target = target.Name,
            What = $"{redis.Name} keeps no append-only file",
            Command = $"redis-cli -h {target.At.Host} -p {target.At.Port} CONFIG SET appendonly yes && redis-cli -h {target.At.Host} -p {target.At.Port} CONFIG REWRITE",
        });
        await redis.Set("appendonly", "no");
        await redis.Send("CONFIG", "REWRITE");
        return true;
    }

    public async Task On(TimeSpan within)
    {
        context.Log($"{redis.Name} rebuilds its append-only file");
        await redis.Set("appendonly", "yes");
        await Rebuilt(within);
        await redis.Send("CONFIG", "REWRITE");
        await context.TakeBack(_key);
    }

    async Task<bool> Rewrite()
    {
        try
        {
            await redis.Send("CONFIG", "REWRITE");
            return true;
        }
        catch (StepFailedException e) when (e.Failure is FailureClass.Conflict or FailureClass.Auth)
        {
            return false;
        }
    }

    async Task Rebuilt(TimeSpan within)
    {
        var begun = context.Time.GetTimestamp();
        while (true)
        {
            var info = await redis.Info("persistence");
            if (info.Flag("aof_enabled") && !info.Flag("aof_rewrite_in_progress") && !info.Flag("aof_rewrite_scheduled"))
            {
                if (info.Text("aof_last_bgrewrite_status") == "ok")
                    return;
                throw StepFailedException.Transient($"{redis.Name} holds the restored data and could not rebuild its append-only file.", "The server's log says why; a retry goes on from here.");
            }
            if (context.Time.GetElapsedTime(begun) > within)
                throw new StepFailedException(FailureClass.TimedOut, $"{redis.Name} has not rebuilt its append-only file after {new Duration(within)}.", "A retry goes on from here.");
            context.Progress(0, null, "keys");
            await context.Delay(TimeSpan.FromMilliseconds(100));
        }
    }
}
