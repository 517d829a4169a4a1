using System.Collections.Concurrent;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Server.Live;

namespace Helix.Server.Driving;

/// <summary>Goes on with runs of the server that may go on: answered, due, or left behind by a server that is no more. Holds no memory but where each was let go.</summary>
sealed class Keeper(Site site) : IAsyncDisposable
{
    static readonly TimeSpan AtLeast = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Later = TimeSpan.FromSeconds(15);
    static readonly TimeSpan Watching = TimeSpan.FromSeconds(1);
    static readonly TimeSpan AtMost = TimeSpan.FromMilliseconds(200);

    readonly ConcurrentDictionary<string, Parked> _parked = [];

    // Runs that others drive, as far as they can be taken: of those the heartbeat is watched.
    readonly Dictionary<string, LeaseWatch> _watched = [];
    TaskCompletionSource _look = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _stop = new();
    readonly Complaint _fault = new(site.Say);
    Task _loop = Task.CompletedTask;

    public void Start() => _loop = Task.Run(Loop);

    /// <summary>Looks soon: something has changed that the store does not tell.</summary>
    public void Look() => _look.TrySetResult();

    /// <summary>A drive has ended: what became of the run is looked at anew.</summary>
    public void LetGo(string run, DriveResult result)
    {
        if (result.End is DriveEnd.StoreLost or DriveEnd.LeaseLost)
            GaveUp(run);
        else
            _parked.TryRemove(run, out _);
    }

    /// <summary>It cannot be driven now; it is tried again later.</summary>
    public void GaveUp(string run, bool soon = false) => _parked[run] = new Parked(long.MaxValue, site.Time.GetUtcNow() + (soon ? Watching : Later));

    async Task Loop()
    {
        var (version, standing, looked) = (-1L, (Newest: "", Held: -1L), site.Time.GetTimestamp());
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var now = site.Store.DataVersion();
                var must = _look.Task.IsCompleted;
                if (must)
                    _look = new(TaskCreationOptions.RunContinuationsAsynchronously);
                // What a machine with a clock behind the others has added is not the newest.
                must |= site.Time.GetElapsedTime(looked) >= Later;
                must |= _watched.Count > 0 || _parked.Values.Any(w => w.Due <= site.Time.GetUtcNow());
                if (must || now != version)
                {
                    version = now;
                    // When all runs wait, most of what is written are heartbeats of servers, which change nothing for them.
                    var before = standing;
                    standing = site.Store.Standing();
                    if (must || standing != before || standing.Held > 0)
                    {
                        looked = site.Time.GetTimestamp();
                        LookAtRuns();
                    }
                }
                _fault.IsOver();
                await Task.Delay(AtMost, site.Time, _stop.Token);
                using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                await Task.WhenAny(_look.Task, site.Pulse.Next(version, over.Token), Task.Delay(_watched.Count > 0 ? Watching : AtLeast, site.Time, over.Token));
                await over.CancelAsync();
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e)
            {
                _fault.Of(e is StoreLostException ? e.Message : $"Runs cannot be looked after: {e.Message}");
                await Task.WhenAny(Task.Delay(AtLeast, site.Time, _stop.Token));
            }
        }
    }

    void LookAtRuns()
    {
        var open = site.Store.OpenRuns().Where(r => !site.Drivers.Drives(r.Run)).ToList();
        if (_watched.Count > 0)
            foreach (var over in _watched.Keys.Except(open.Select(r => r.Run)).ToList())
                _watched.Remove(over);
        foreach (var run in open)
            LookAt(run);
    }

    void LookAt(OpenRun run)
    {
        try
        {
            if (IsFree(run) && MayGoOn(run))
                site.Drivers.GoOn(run.Run, stoodStill: run.Lease);
        }
        catch (Exception e) when (e is not (StoreLostException or OperationCanceledException))
        {
            // Written by another version, or a mistake: the others must go on, and it is looked at again when it changes.
            site.Say($"Nobody goes on with run {run.Run}: {e.Message}");
            _parked[run.Run] = new Parked(run.Events, DateTimeOffset.MaxValue);
        }
    }

    /// <summary>Nobody drives it: its lease is free, its driver is seen to be gone, or its heartbeat stood still for as long as a lease holds.</summary>
    bool IsFree(OpenRun run)
    {
        if (run.Lease is not { } lease || run.DriverGone)
        {
            _watched.Remove(run.Run);
            return true;
        }
        if (!site.Store.IsShared || site.Membership.Drains)
            return false;
        if (!_watched.TryGetValue(run.Run, out var watch))
            _watched[run.Run] = watch = new LeaseWatch(site.Time, LeaseExpires);
        return watch.IsExpired(lease);
    }

    static readonly TimeSpan LeaseExpires = new EngineSettings { DataFolder = "" }.LeaseExpires;

    bool MayGoOn(OpenRun run)
    {
        var now = site.Time.GetUtcNow();
        if (_parked.TryGetValue(run.Run, out var parked) && run.Events <= parked.Sequence && parked.Due > now)
            return false;
        var state = RunState.Of(run.Run, site.Store.Read(run.Run));
        if (site.Membership.Refuses(state.Started.Needs) is not null)
            return false;
        var due = Ways.All.Contains(state.Started.Trigger) ? IsDue(run, state) : DateTimeOffset.MaxValue;
        if (due <= now)
            return true;
        _parked[run.Run] = new Parked(state.LastSequence, due);
        return false;
    }

    /// <summary>When there will be something to do; for ever when a person held it back and must resume it.</summary>
    DateTimeOffset IsDue(OpenRun run, RunState state)
    {
        if (run.DriverGone || state.Cancel is not null || state.ResumeAsked || state.SuspendedBecause is null or Drivers.ServerStops || Membership.IsHandedOn(state.SuspendedBecause))
            return DateTimeOffset.MinValue;
        if (state.SuspendedBecause != RunSuspended.ForPeople)
            return DateTimeOffset.MaxValue;
        return state.OpenQuestions.Any(q => q.Answers.Count > 0 && Approvals.Tally(q, site.NewEngine().PlanToShow(state).Environment.Groups) != QuestionStatus.Open)
            ? DateTimeOffset.MinValue
            : DueOf(state);
    }

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
