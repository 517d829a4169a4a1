using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

/// <summary>Waits until a service that was started is ready: started is not ready (DOC-09).</summary>
static class Readiness
{
    static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    static readonly TimeSpan OneLook = TimeSpan.FromSeconds(5);

    /// <summary>So long a service of which nothing else is known must live after its start: one with a bad configuration is also alive for a moment (supervisord, startsecs).</summary>
    static readonly TimeSpan Settled = TimeSpan.FromSeconds(1);

    /// <param name="started">It did not run before.</param>
    /// <returns>What the target said of itself when it was ready.</returns>
    /// <exception cref="StepFailedException">The limit passed, or it ended again; the message holds the last answer.</exception>
    public static async Task<string> Wait(StepContext context, RunningTarget target, TimeSpan limit, bool started = true)
    {
        var (start, pause, stopped) = (context.Time.GetTimestamp(), FirstLook, 0);
        while (true)
        {
            var state = await target.Service.State(context);
            stopped = state.Status == RuntimeStatus.Running ? 0 : stopped + 1;
            // Once may be between two tries of a restart policy.
            if (stopped >= 2)
                throw StepFailedException.Transient($"{target.Name} ended again after its start: {ServiceTarget.Words(state)}.{await target.Service.LastLines(context)}");
            var (ready, answer) = await Look(context, target, state);
            var alive = ready && state.Health is null && !target.Answers;
            if (ready && !(alive && started && context.Time.GetElapsedTime(start) < Settled))
                return answer;
            if (!ready && context.Time.GetElapsedTime(start) >= limit)
                throw new StepFailedException(FailureClass.TimedOut, $"{target.Name} was started but not ready within {new Duration(limit)}. Its last answer: {answer}{await target.Service.LastLines(context)}",
                    "Give it more time with 'limit', or look at its log.");
            await context.Delay(pause);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    static async Task<(bool Ready, string Answer)> Look(StepContext context, RunningTarget target, RuntimeState state)
    {
        if (state.Status != RuntimeStatus.Running || state.Health is not (null or "healthy"))
            return (false, ServiceTarget.Words(state));
        try
        {
            return (true, await target.Check(context).WaitAsync(OneLook, context.Time, context.Cancelled));
        }
        catch (TimeoutException)
        {
            return (false, $"none within {new Duration(OneLook)}");
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return (false, e.Message);
        }
    }
}
