using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Says what may start now: a pure function of plan and state, without clock, I/O or store.</summary>
/// <remarks>The cursors only skip what is finished for good in the present round; a fresh sequencer gives the same answers.</remarks>
public sealed partial class Sequencer(Runbook runbook, StepCatalog catalog)
{
    enum Verdict { Open, Done, Failed }

    readonly Dictionary<(object List, string Prefix), int> _cursors = [];
    RunState _state = null!;
    List<NextAction> _actions = null!;
    int _round;

    public IReadOnlyList<NextAction> Next(RunState state)
    {
        _state = state;
        _actions = [];
        if (_round != state.Round)
        {
            _cursors.Clear();
            _round = state.Round;
        }
        if (state.Ended is null)
            VisitRun();
        return _actions;
    }

    void VisitRun()
    {
        var body = VisitList(runbook.Steps, "", stop: _state.Cancel is null ? null : "the run was cancelled", collect: false);
        if (body == Verdict.Open)
            return;
        if (body == Verdict.Failed && VisitList(runbook.Rescue, "", null, collect: true) == Verdict.Open)
            return;
        if (VisitList(runbook.Finally, "", null, collect: true) == Verdict.Open)
            return;
        if (body == Verdict.Failed && VisitUndo() == Verdict.Open)
            return;
        _actions.Add(End(body));
    }

    Finish End(Verdict body)
    {
        // A block whose failure the run survives passes also when it was cancelled in its middle, or before it began.
        if (_state.Cancel is { } cancel && (body != Verdict.Done || _state.Steps.Values.Any(s => s.Shown == StepStatus.Interrupted && s.EndedAt >= cancel.At) || IsSomethingLeft()))
            return new Finish(Outcome.Cancelled, cancel.Reason);
        if (body == Verdict.Done)
            return new Finish(Outcome.Succeeded, "all steps are done");
        var failed = _state.Steps.Values.Where(s => s.Status is StepStatus.Failed).OrderBy(s => s.EndedAt).ToList();
        var rejected = failed.Find(s => s.Question is { } q && _state.Questions[q] is { Status: QuestionStatus.Rejected or QuestionStatus.Expired, Asked.Kind: QuestionKind.Approval });
        if (rejected is not null)
            return new Finish(Outcome.Rejected, $"{rejected.Path}: {rejected.Message}");
        var cause = failed.Find(s => !Continues(s));
        return new Finish(Outcome.Failed, cause is null ? "a step failed" : $"{cause.Path}: {cause.Message}");
    }

    /// <summary>Whether anything would go on if nobody had cancelled the run.</summary>
    bool IsSomethingLeft()
    {
        var actions = _actions;
        _actions = [];
        var body = VisitList(runbook.Steps, "", stop: null, collect: false);
        _actions = actions;
        return body == Verdict.Open;
    }

    bool Continues(StepState step) => _continued.Contains(step.Path);
    readonly HashSet<string> _continued = [];

    /// <summary>A list of items in order. <paramref name="stop"/>: no new starts, end what runs. <paramref name="collect"/>: failures never stop the rest (rescue, finally).</summary>
    Verdict VisitList(IReadOnlyList<Item> items, string prefix, string? stop, bool collect)
    {
        var first = _cursors.GetValueOrDefault((items, prefix));
        var failed = false;
        for (var i = first; i < items.Count; i++)
        {
            var verdict = Visit(items[i], prefix, stop, collect);
            if (verdict == Verdict.Open)
                return Verdict.Open;
            failed |= verdict == Verdict.Failed;
            if (failed && !collect)
                return Verdict.Failed;
            if (stop is null && !failed)
                _cursors[(items, prefix)] = i + 1;
        }
        return failed ? Verdict.Failed : Verdict.Done;
    }

    Verdict Visit(Item item, string prefix, string? stop, bool collect) => item switch
    {
        StepItem step => VisitStep(step, prefix + step.Id, stop, collect),
        BlockItem block => VisitBlock(block, prefix, stop, collect),
        _ => throw new InvalidOperationException($"Unknown item {item.GetType()}."),
    };

    Verdict VisitStep(StepItem item, string path, string? stop, bool collect)
    {
        var step = _state.Step(path);
        switch (step?.Status ?? StepStatus.Pending)
        {
            case StepStatus.Succeeded or StepStatus.Skipped:
                return Verdict.Done;
            case StepStatus.Failed:
                return Failed(item, step!, stop, collect);
            case StepStatus.Cancelled:
                return Verdict.Failed;
            case StepStatus.Pending when stop is not null:
                return Verdict.Failed;
            case StepStatus.Running when stop is null:
                return Verdict.Open;
            case StepStatus.Waiting when stop is null:
                _actions.Add(new Await(path, step!.WaitUntil is null ? step.Question : null, step.WaitUntil));
                return Verdict.Open;
            case StepStatus.InDoubt when stop is null:
                return InDoubt(item, step!);
            case StepStatus.Running or StepStatus.Waiting or StepStatus.Retrying or StepStatus.InDoubt when stop is not null:
                _actions.Add(new Interrupt(path, stop));
                return Verdict.Open;
            default:
                _actions.Add(new Start(path, item, step?.RetryAt));
                return Verdict.Open;
        }
    }

    Verdict InDoubt(StepItem item, StepState step)
    {
        if (step.Probe is null)
            _actions.Add(new Probe(step.Path, item));
        else if (QuestionOf(step, QuestionKind.InDoubt) is not { } question)
            _actions.Add(new Ask(step.Path, item, QuestionKind.InDoubt));
        else
            _actions.Add(new Await(step.Path, question.Id, null));
        return Verdict.Open;
    }

    Verdict Failed(StepItem item, StepState step, string? stop, bool collect)
    {
        var policy = PolicyOf(item, collect);
        if (policy == IfFails.Continue)
        {
            _continued.Add(step.Path);
            return Verdict.Done;
        }
        if (policy == IfFails.Abort || stop is not null)
            return Verdict.Failed;
        if (step.Question is { } id && _state.Questions[id] is { Asked.Kind: QuestionKind.FailedStep or QuestionKind.InDoubt } question)
        {
            if (question.Status == QuestionStatus.Open)
            {
                _actions.Add(new Await(step.Path, id, null));
                return Verdict.Open;
            }
            if (question.Status is QuestionStatus.Rejected or QuestionStatus.Expired)
                return Verdict.Failed;
        }
        _actions.Add(new Ask(step.Path, item, QuestionKind.FailedStep));
        return Verdict.Open;
    }

    /// <summary>What a failure means: what the item says; else continue for messages and in finally, ask where a person is there, abort where nobody is.</summary>
    IfFails PolicyOf(StepItem item, bool collect)
    {
        if (item.Uses is EngineItems.Approval)
            return IfFails.Abort;
        if (item.IfFails is { } said)
            return said;
        if (collect || catalog.Steps.GetValueOrDefault(item.Uses)?.About.FailureIsWarning == true)
            return IfFails.Continue;
        return _state.Started.Attended ? IfFails.Ask : IfFails.Abort;
    }

    Question? QuestionOf(StepState step, QuestionKind kind) =>
        step.Question is { } id && _state.Questions[id] is { } q && q.Asked.Kind == kind && q.Status == QuestionStatus.Open ? q : null;
}
