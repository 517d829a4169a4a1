using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Keeps the credentials of targets alive while a driver drives (VLT-04). What cannot be renewed is said by the step that needs it.</summary>
sealed class Renewals : IDisposable
{
    static readonly TimeSpan Soonest = TimeSpan.FromSeconds(1), AfterFailure = TimeSpan.FromSeconds(15);

    readonly Func<CancellationToken, PlanContext> _reading;
    readonly TimeProvider _time;
    readonly CancellationTokenSource _end = new();

    public Renewals(IEnumerable<IRenewsCredentials> targets, Func<CancellationToken, PlanContext> reading, TimeProvider time)
    {
        (_reading, _time) = (reading, time);
        foreach (var target in targets)
            _ = Renew(target);
    }

    async Task Renew(IRenewsCredentials target)
    {
        try
        {
            while (await Next(target) is { } next)
                await Task.Delay(next > Soonest ? next : Soonest, _time, _end.Token);
        }
        catch (OperationCanceledException)
        {
            // The drive has ended.
        }
    }

    async Task<TimeSpan?> Next(IRenewsCredentials target)
    {
        try
        {
            return await target.Renew(_reading(_end.Token));
        }
        catch (StepFailedException e) when (e.Failure is FailureClass.Transient)
        {
            return AfterFailure;
        }
        catch (Exception e) when (e is StepFailedException or RunbookException)
        {
            return null;
        }
    }

    public void Dispose() => _end.Cancel();
}
