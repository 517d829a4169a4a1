using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Redis;

/// <summary>Waits until a started server has loaded its data.</summary>
sealed class Loading(RedisTarget target, TimeSpan within, StepContext context)
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Starts the server; one that ends before its runtime has seen it run has ended on its data as well.</summary>
    public async Task Begin()
    {
        try
        {
            await target.Service.Start(context);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
        {
            if (await target.Service.State(context) is { Status: RuntimeStatus.Stopped } state)
                throw await Gone(state);
            throw;
        }
    }

    public async Task Ended()
    {
        var begun = context.Time.GetTimestamp();
        for (var gone = 0; !await Answers();)
        {
            var state = await target.Service.State(context);
            gone = state.Status == RuntimeStatus.Running ? 0 : gone + 1;
            if (gone >= 5) // some runtimes need a moment until they show what was started
                throw await Gone(state);
            if (context.Time.GetElapsedTime(begun) > within)
                throw new StepFailedException(FailureClass.TimedOut, $"redis '{target.Name}' has not loaded its data after {new Duration(within)}.", "Its log says how far it is; raise readyWithin when it only needs longer.");
            await context.Delay(Pause);
        }
    }

    async Task<StepFailedException> Gone(RuntimeState state) => StepFailedException.InvalidData(
        $"redis '{target.Name}' ended while it loaded{(state.ExitCode is { } code ? $" (exit code {code})" : "")}.{await target.Service.LastLines(context)}", "Its log says why.");

    async Task<bool> Answers()
    {
        try
        {
            await using var redis = await RedisConnection.Open(target, context);
            var info = await redis.Info("persistence");
            if (info.Number("loading_total_bytes") is { } total)
                context.Progress(info.Number("loading_loaded_bytes") ?? 0, total);
            return !info.Flag("loading");
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
        {
            return false;
        }
    }
}
