using System.Collections.Concurrent;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;

namespace Helix.Server.Driving;

/// <summary>Goes on with runs of the server that may go on: answered, due, or left behind by a server that is no more. Holds no memory but where each was let go.</summary>
sealed class Keeper(Site site) : IAsyncDisposable
{
    /// <summary>Runs that a server started; those of a terminal go on only when somebody asks for it.</summary>
    static readonly string[] OurTriggers = ["web", "api", "schedule", "webhook"];

    static readonly TimeSpan AtLeast = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Later = TimeSpan.FromSeconds(15);
    static readonly TimeSpan AtMost = TimeSpan.FromMilliseconds(200);

    readonly ConcurrentDictionary<string, Parked> _waiting = [];
    readonly SemaphoreSlim _look = new(0, 1);
    readonly CancellationTokenSource _stop = new();
    Task _loop = Task.CompletedTask;

    public void Start() => _loop = Task.Run(Loop);

    /// <summary>Looks soon.</summary>
    public void Look()
    {
        try
        {
            _look.Release();
        }
        catch (SemaphoreFullException)
        {
            // It will look anyway.
        }
    }

    /// <summary>A drive has ended: from here on something must have happened before another one begins.</summary>
    public void LetGo(string run, DriveResult result)
    {
        if (result.End == DriveEnd.Waiting)
            _waiting[run] = new Parked(result.State.LastSequence, DueOf(result.State));
        else if (result.End is DriveEnd.StoreLost or DriveEnd.LeaseLost)
            GaveUp(run, result.State.LastSequence);
        else
            _waiting.TryRemove(run, out _);
    }

    /// <summary>It cannot be driven now; it is tried again later, or when something happens to it.</summary>
    public void GaveUp(string run, long sequence) => _waiting[run] = new Parked(sequence, site.Time.GetUtcNow() + Later);

    async Task Loop()
    {
        var version = -1L;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var now = site.Store.DataVersion();
                if (now != version || _waiting.Values.Any(w => w.Due <= site.Time.GetUtcNow()))
                {
                    version = now;
                    foreach (var run in site.Store.Runs(int.MaxValue, openOnly: true).Where(r => !site.Drivers.Drives(r.Run) && MayGoOn(r)))
                        site.Drivers.GoOn(run.Run);
                }
                await Task.Delay(AtMost, site.Time, _stop.Token);
                await Task.WhenAny(_look.WaitAsync(_stop.Token), site.Pulse.Next(version, _stop.Token), Task.Delay(AtLeast, site.Time, _stop.Token));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (StoreLostException e)
            {
                site.Say(e.Message);
                await Task.WhenAny(Task.Delay(AtLeast, site.Time, _stop.Token));
            }
        }
    }

    bool MayGoOn(RunSummary run)
    {
        if (run.Driver is not null && !run.DriverGone)
            return false;
        if (_waiting.TryGetValue(run.Run, out var letGo))
            return run.Events > letGo.Sequence || letGo.Due <= site.Time.GetUtcNow();
        var entries = site.Store.Read(run.Run);
        var state = RunState.Of(run.Run, entries);
        if (!OurTriggers.Contains(state.Started.Trigger) || IsHeldBack(run, state))
            return Leave(run, state, DateTimeOffset.MaxValue);
        // Nothing has happened since it was let go, by this server or by one before.
        return entries[^1].Event is RunSuspended && state.OpenQuestions.Any() && DueOf(state) > site.Time.GetUtcNow() ? Leave(run, state, DueOf(state)) : true;
    }

    bool Leave(RunSummary run, RunState state, DateTimeOffset due)
    {
        _waiting[run.Run] = new Parked(state.LastSequence, due);
        return false;
    }

    /// <summary>Paused, handed over or interrupted by a person: it waits until somebody resumes it.</summary>
    static bool IsHeldBack(RunSummary run, RunState state) =>
        !run.DriverGone && state.SuspendedBecause is { } why && why != Drivers.ServerStops && why != "waiting for people" && state.Cancel is null;

    static DateTimeOffset DueOf(RunState state) =>
        state.OpenQuestions.Where(q => q.Escalated.Count == 0).Select(q => q.Asked.ExpiresAt ?? DateTimeOffset.MaxValue).DefaultIfEmpty(DateTimeOffset.MaxValue).Min();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    sealed record Parked(long Sequence, DateTimeOffset Due);
}
