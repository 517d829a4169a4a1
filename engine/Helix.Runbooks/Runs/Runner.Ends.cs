using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

sealed partial class Runner
{
    /// <summary>Waits for a step to end, people to write, a time to come, or Ctrl-C.</summary>
    async Task Something(IReadOnlyList<NextAction> next)
    {
        if (_running.Count == 0 && drive.World.Passes(Pause(next)))
            return;
        _tick ??= Task.Delay(Pause(next), drive.Time, drive.Settings.Interrupt).ContinueWith(_ => { }, TaskScheduler.Default);
        var first = await Task.WhenAny(_running.Values.Select(r => r.Task).Append(_tick));
        if (first == _tick)
            _tick = null;
    }

    TimeSpan Pause(IReadOnlyList<NextAction> next)
    {
        var now = drive.Time.GetUtcNow();
        var times = next.Select(a => a switch { Start s => s.NotBefore, Await w => w.Until, Limit l => l.At, _ => null }).OfType<DateTimeOffset>().Where(t => t > now).ToList();
        var soon = times.Count > 0 ? times.Min() - now : settings.Look;
        return soon < settings.Look ? soon : settings.Look;
    }

    /// <summary>Takes in the ends of steps; what a step could not record itself is a fault of the engine.</summary>
    void Reap()
    {
        foreach (var (path, (task, stop)) in _running.Where(r => r.Value.Task.IsCompleted).ToList())
        {
            _running.Remove(path);
            stop.Dispose();
            if (task.Exception?.InnerException is { } fault and not (LeaseLostException or StoreLostException or OperationCanceledException or StepFailedException { Failure: FailureClass.Cancelled }))
                drive.Record.Append(new StepFailed(path, 0, FailureClass.Bug, drive.Masker.Mask($"the engine failed: {fault.Message}"), "Please report it.", null));
        }
    }

    async Task StopAll()
    {
        foreach (var (_, stop) in _running.Values)
            await stop.CancelAsync();
        // After the second Ctrl-C, or without the lease, a step that does not listen is left behind.
        var all = Task.WhenAll(_running.Values.Select(r => r.Task.ContinueWith(_ => { }, TaskScheduler.Default)));
        var killed = new TaskCompletionSource();
        await using (drive.Settings.Kill.Register(() => _ = Task.Delay(Patience, drive.Time).ContinueWith(_ => killed.TrySetResult(), TaskScheduler.Default)))
            await Task.WhenAny(all, killed.Task);
        if (drive.Record.Broken is null)
            Reap();
    }

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    async Task<DriveEnd> Suspend(DriveEnd end, string reason)
    {
        await StopAll();
        drive.Logs.Flush();
        if (drive.Record.Broken is { } broken)
            return await GiveUp(broken);
        drive.Record.Append(new RunSuspended(reason));
        drive.Record.Read(s => { drive.Settings.Changed?.Invoke(s); return 0; });
        return end;
    }

    /// <summary>The lease is lost: end the children and touch nothing more. The store is lost: let what runs come to its end, start nothing.</summary>
    async Task<DriveEnd> GiveUp(Exception broken)
    {
        if (broken is LeaseLostException)
        {
            await StopAll();
            return DriveEnd.LeaseLost;
        }
        await using (drive.Settings.Interrupt.Register(() => _running.Values.ToList().ForEach(r => r.Stop.Cancel())))
            await Task.WhenAll(_running.Values.Select(r => r.Task.ContinueWith(_ => { }, TaskScheduler.Default)));
        return DriveEnd.StoreLost;
    }

    void End(Finish finish)
    {
        drive.Logs.Flush();
        var clocks = drive.Record.Read(s => Clocks.Of(s, drive.Plan, drive.Catalog, drive.Time.GetUtcNow(), _ => null, finish.Outcome));
        var (outputs, reason) = Outputs(finish);
        drive.Record.Append(new RunEnded(finish.Outcome, reason, outputs)
        {
            Rta = clocks.Rta,
            Rpa = clocks.Rpa,
            ObjectivesMet = clocks.ObjectivesMet,
        });
    }

    (JsonObject Outputs, string Reason) Outputs(Finish finish)
    {
        try
        {
            return (finish.Outcome == Outcome.Succeeded ? drive.Record.Read(s => drive.Scope.Outputs(s, drive.Plan.Runbook, "")) : [], finish.Reason);
        }
        catch (RunbookException e)
        {
            return ([], $"{finish.Reason}; its outputs could not be made: {e.Message}");
        }
    }
}

/// <summary>Says while there is still time that by experience the objective will be missed.</summary>
sealed class Forecaster(Drive drive)
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
    readonly Dictionary<string, TimeSpan?> _typical = [];
    long _last;

    public void Look()
    {
        if (drive.Plan.Runbook.Objectives.Rto is null || (_last != 0 && drive.Time.GetElapsedTime(_last) < Every))
            return;
        _last = drive.Time.GetTimestamp();
        var (clocks, known) = drive.Record.Read(s => (Clocks.Of(s, drive.Plan, drive.Catalog, drive.Time.GetUtcNow(), Typical), s.Forecast is not null || s.Ended is not null));
        if (!known && clocks.AtRisk)
            drive.Record.Append(new ForecastMissed(clocks.Eta!.Value, clocks.Due!.Value));
    }

    public TimeSpan? Typical(string path)
    {
        if (!_typical.TryGetValue(path, out var typical))
            _typical[path] = typical = Median(drive.Record.WhenBack(() => drive.Record.Store.Durations(drive.Plan.Runbook.Name, path)));
        return typical;
    }

    public static TimeSpan? Median(IReadOnlyList<TimeSpan> durations) =>
        durations.Count == 0 ? null : durations.Order().ElementAt(durations.Count / 2);
}
