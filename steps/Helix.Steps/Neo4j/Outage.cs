using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Neo4j;

/// <summary>The time in which a step keeps a server down. It ends with the start of a server that ran, whatever happens.</summary>
sealed class Outage(Neo4jTarget target, Duration grace, Duration readyWithin, StepContext context)
{
    const string Ran = "ran";
    const int Killed = 137;
    static readonly TimeSpan Beyond = TimeSpan.FromMinutes(2);
    static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    long _since;

    public TimeSpan Lasted { get; private set; }

    /// <summary>It ran before this step, or an interrupted attempt of it, stopped it.</summary>
    public static async Task<bool> RanBefore(Neo4jTarget target, StepContext context) =>
        (await target.Service.State(context)).Status == RuntimeStatus.Running || (bool?)context.Saved(Ran) == true;

    /// <summary>Stops it, does the work, and starts it again if it ran; also after a failure or a cancel.</summary>
    public async Task<T> Around<T>(bool evenIfKilled, Func<Task<T>> work)
    {
        var ran = await RanBefore(target, context);
        await context.Save(Ran, ran);
        try
        {
            await Begin(ran, evenIfKilled);
            var result = await work();
            await End(ran, context);
            return result;
        }
        catch (Exception e)
        {
            await StartAgain(ran, e);
            throw;
        }
    }

    /// <summary>Stops it; a clean end is exit code 0 or 143, and 137 a kill (NEO-07, NEO-13).</summary>
    public async Task<RuntimeState> Begin(bool ran, bool evenIfKilled)
    {
        _since = context.Time.GetTimestamp();
        if (ran && !target.Scratch)
            await context.Leave(RunningTargets.Stopped(target.Name, target.Service));
        context.Log($"stopping {target.Name}");
        var state = await target.Service.Stop(context, grace);
        if (state.Status == RuntimeStatus.Running)
            throw StepFailedException.Transient($"{target.Name} still runs after it was stopped.", "Something starts it again, as a restart policy or a supervisor.");
        if (ran && state.ExitCode == Killed && !evenIfKilled)
            throw StepFailedException.Conflict($"{target.Name} did not end within {grace} and was killed (exit code {Killed}): its store may need a recovery.",
                "Give it more time with `grace`, which is also bound by the runtime's own period; or say `evenIfKilled`.");
        return state;
    }

    public async Task End(bool ran, StepContext within)
    {
        if (ran)
        {
            await target.Service.Start(within);
            var answer = await Readiness.Wait(within, target, readyWithin);
            await within.TakeBack(RunningTargets.StoppedKey(target.Name));
            within.Log($"{target.Name} runs again: {answer}");
        }
        Lasted = context.Time.GetElapsedTime(_since);
    }

    /// <summary>Nobody comes after this one to start it: what may pass is tried again for as long as a server may keep a failed step waiting.</summary>
    public async Task EndAtLast(bool ran, StepContext within)
    {
        var (begun, pause) = (within.Time.GetTimestamp(), FirstPause);
        while (true)
        {
            try
            {
                await End(ran, within);
                return;
            }
            catch (StepFailedException e) when (e.Failure == FailureClass.Transient && within.Time.GetElapsedTime(begun) + pause < Beyond)
            {
                within.Log($"{e.Message} The start is tried again in {new Duration(pause)}.");
            }
            await within.Delay(pause);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>The first failure is the one that counts; that the server is down as well is said beside it.</summary>
    async Task StartAgain(bool ran, Exception cause)
    {
        using var limit = new CancellationTokenSource(Beyond, context.Time);
        try
        {
            await EndAtLast(ran, context.Until(limit.Token));
        }
        catch (Exception e) when (e is StepFailedException or OperationCanceledException)
        {
            context.Log($"{target.Name} could not be started again: {e.Message}");
            if (cause is StepFailedException { Failure: not FailureClass.Cancelled } first)
                throw new StepFailedException(first.Failure, $"{first.Message} And {target.Name} could not be started again: {e.Message}", first.Hint, first);
        }
    }
}
