using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>The loop that drives a run: look at the record, ask the sequencer, do what may be done, wait for something to happen.</summary>
sealed partial class Runner(Drive drive, Sequencer sequencer, EngineSettings settings)
{
    readonly Dictionary<string, (Task Task, CancellationTokenSource Stop)> _running = [];
    readonly Questions _questions = new(drive);
    readonly EngineSteps _engineSteps = new(drive);
    readonly Forecaster _forecaster = new(drive);
    Task? _tick;
    bool _parked;

    /// <summary>What starts anew as soon as nothing of it runs any more.</summary>
    readonly List<string> _goingBack = [];

    public async Task<DriveEnd> Loop()
    {
        try
        {
            return await ToTheEnd();
        }
        catch (Exception e) when (e is LeaseLostException or StoreLostException)
        {
            // What runs has ended before somebody goes on, here or elsewhere.
            return await GiveUp(e);
        }
    }

    async Task<DriveEnd> ToTheEnd()
    {
        while (true)
        {
            if (drive.Record.Broken is { } broken)
                return await GiveUp(broken);
            drive.Record.Refresh();
            drive.Logs.Flush();
            if (drive.Settings.Interrupt.IsCancellationRequested)
                return await Suspend(DriveEnd.Interrupted, drive.Settings.InterruptReason);
            if (_running.Count == 0 && WhyLetGo() is { } why)
                return await Suspend(DriveEnd.Suspended, why);
            _goingBack.Clear();
            var moved = _questions.Settle(IsStill);
            var next = drive.Record.Read(sequencer.Next);
            if (!LetsGo(next))
                foreach (var action in next)
                    moved |= Perform(action);
            _forecaster.Look();
            drive.Record.Read(s => { drive.Settings.Changed?.Invoke(s); return 0; });
            if (drive.Record.Read(s => s.Ended) is not null)
                return DriveEnd.Ended;
            if (moved)
                continue;
            if (_running.Count == 0 && next.All(a => a is Await { Question: not null } or Limit) && (_parked = IsParked(next)))
                return await Suspend(DriveEnd.Waiting, RunSuspended.ForPeople);
            await Something(next);
            Reap();
        }
    }

    /// <summary>Nothing can go on without people, and nobody stays to wait for them.</summary>
    bool IsParked(IReadOnlyList<NextAction> next) =>
        !drive.Settings.StayWhileWaiting
        || drive.Record.Read(s => next.OfType<Await>().All(a => s.Questions[a.Question!].Status == QuestionStatus.Expired));

    /// <summary>A step whose gates are still looked at, and that nothing lets start any more: it ends before anything else begins, or it would start beside what follows.</summary>
    bool LetsGo(IReadOnlyList<NextAction> next)
    {
        var late = _running.Where(r => drive.Record.Read(s => s.Step(r.Key)?.Status ?? StepStatus.Pending) == StepStatus.Pending && !next.Any(a => a is Start && a.Path == r.Key)).ToList();
        late.ForEach(r => r.Value.Stop.Cancel());
        return late.Count > 0;
    }

    /// <returns>True when something was recorded, so that the sequencer must look again.</returns>
    bool Perform(NextAction action)
    {
        switch (action)
        {
            case Start { NotBefore: { } at } start when IsEarly(at, start.Item.Retry ?? new()):
            case Start or Probe when _running.ContainsKey(action.Path) || IsPausing() || Rounds.IsWithin(action.Path, _goingBack):
            case Finish when _goingBack.Count > 0:
                return false;
            case Start start: return Begin(start);
            case Probe probe: return Launch(probe.Path, stop => StepProbe.Run(drive, probe.Path, probe.Item, stop));
            case Enter enter: return EnterBlock(enter);
            case Freeze freeze: return FreezeList(freeze);
            case Ask ask: _questions.Ask(ask.Path, ask.Item, ask.Kind); return true;
            case Interrupt interrupt: return Stop(interrupt);
            case Await { Until: { } until } when until <= drive.Time.GetUtcNow():
                drive.Record.Append(new StepSucceeded(action.Path, []));
                return true;
            case Limit limit when limit.At <= drive.Time.GetUtcNow():
                drive.Record.Append(new StepFailed(limit.Path, 0, FailureClass.TimedOut, $"the time limit of '{limit.Path}' passed", null, null));
                return true;
            case Finish finish: End(finish); return true;
            default: return false;
        }
    }

    /// <summary>A pause between attempts. One longer than any that is asked for is a clock that was set back.</summary>
    bool IsEarly(DateTimeOffset at, Retry retry)
    {
        var left = at - drive.Time.GetUtcNow();
        return left > TimeSpan.Zero && left <= retry.MaxDelay;
    }

    bool IsPausing() => WhyLetGo() is not null;

    string? WhyLetGo() => drive.Record.Read(s => s.HandoverAsked ? "handed over" : s.PauseAsked ? "paused" : null) ?? drive.Settings.LetGo?.Invoke();

    bool Begin(Start start)
    {
        if (start.Item.When is { } when && drive.Record.Read(s => s.Step(start.Path)?.With is null) && !Holds(start.Path, when))
            return true;
        if (EngineItems.All.ContainsKey(start.Item.Uses))
        {
            _engineSteps.Start(start.Path, start.Item);
            return true;
        }
        return Launch(start.Path, stop => new StepExecution(drive).Run(start.Path, start.Item, stop));
    }

    /// <summary>False when the item was skipped, or when its condition is no condition.</summary>
    bool Holds(string path, Template when)
    {
        try
        {
            var holds = drive.Record.Read(s => drive.Scope.Condition(s, path, when));
            if (!holds)
                drive.Record.Append(new StepSkipped(path, $"its condition is false: {when.Text}"));
            return holds;
        }
        catch (RunbookException e)
        {
            Invalid(path, e);
            return false;
        }
    }

    void Invalid(string path, RunbookException e) =>
        drive.Record.Append(new StepFailed(path, 0, FailureClass.InvalidData, drive.Masker.Mask(e.Message), e.Hint, null));

    bool EnterBlock(Enter enter)
    {
        if (enter.Item.When is { } when && !Holds(enter.Path, when))
            return true;
        try
        {
            var inputs = enter.Item is RunbookItem sub ? drive.Record.Read(s => drive.Scope.ResolveInputs(s, enter.Path, sub)) : null;
            EventMask.RefusePlain(drive.Masker, $"What '{enter.Path}' is given", inputs);
            drive.Record.Append(new BlockEntered(enter.Path, inputs));
        }
        catch (RunbookException e)
        {
            Invalid(enter.Path, e);
        }
        return true;
    }

    bool FreezeList(Freeze freeze)
    {
        try
        {
            var list = drive.Record.Read(s => drive.Scope.List(s, freeze.Path, freeze.Item.List));
            if (list.Count > freeze.Item.AtMost)
                throw new RunbookException($"The list of '{freeze.Path}' has {list.Count} elements, and at most {freeze.Item.AtMost} are allowed; nothing was done with any of them.", "Is it the right list? Then raise `atMost` in the runbook, by a reviewed change.");
            EventMask.RefusePlain(drive.Masker, $"The list of '{freeze.Path}'", list);
            drive.Record.Append(new ListFrozen(freeze.Path, list));
        }
        catch (RunbookException e)
        {
            Invalid(freeze.Path, e);
        }
        return true;
    }

    bool Launch(string path, Func<CancellationToken, Task> work)
    {
        var stop = new CancellationTokenSource();
        _running[path] = (Task.Run(() => work(stop.Token)), stop);
        return false;
    }

    /// <summary>Asks what runs to stop; what only waits ends at once.</summary>
    bool Stop(Interrupt interrupt)
    {
        if (_running.TryGetValue(interrupt.Path, out var running))
        {
            running.Stop.Cancel();
            return false;
        }
        if (LeftOverProcess.Of(drive.Folders.Pids, interrupt.Path) is { Count: > 0 } children)
            return Launch(interrupt.Path, _ => EndAll(children));
        var question = drive.Record.Read(s => s.Step(interrupt.Path)?.Question is { } id && s.Questions[id].Status == QuestionStatus.Open ? id : null);
        var failed = new StepFailed(interrupt.Path, 0, FailureClass.Cancelled, interrupt.Reason, null, null) { Stopped = true };
        drive.Record.Append(question is null ? [failed] : [new QuestionClosed(question, interrupt.Reason), failed]);
        return true;
    }

    /// <summary>Before it starts anew, nothing of the old attempt may go on: asks what runs of it to stop.</summary>
    bool IsStill(IReadOnlyList<string> reset)
    {
        foreach (var path in drive.Record.Read(s => s.Steps.Values.Where(p => p.Status == StepStatus.InDoubt).Select(p => p.Path).ToList()))
            if (Rounds.IsWithin(path, reset) && !_running.ContainsKey(path) && LeftOverProcess.Of(drive.Folders.Pids, path) is { Count: > 0 } children)
                Launch(path, _ => EndAll(children));
        var running = _running.Where(r => Rounds.IsWithin(r.Key, reset)).Select(r => r.Value.Stop).ToList();
        running.ForEach(stop => stop.Cancel());
        if (running.Count > 0)
            _goingBack.AddRange(reset);
        return running.Count == 0;
    }

    /// <summary>What an engine before this one has started and nobody needs any more (WFE-11).</summary>
    async Task EndAll(IReadOnlyList<LeftOverProcess> children)
    {
        foreach (var child in children)
        {
            await child.KillGroup(Grace, drive.Time, drive.Settings.Kill);
            File.Delete(child.PidFile);
        }
    }

    static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
}
