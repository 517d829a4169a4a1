using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

public sealed partial class Sequencer
{
    Verdict VisitBlock(BlockItem block, string prefix, string? stop, bool collect)
    {
        var path = prefix + block.Id;
        if (_state.StatusOf(path) == StepStatus.Skipped)
            return Verdict.Done;
        // Its own failure: no time is left, or its condition, list or inputs cannot be made.
        var own = _state.Step(path) is { Status: StepStatus.Failed } failed ? failed.Message ?? "the block failed" : null;
        stop ??= own;
        if (!Entered(block, path))
        {
            if (stop is not null)
                return Passed(block, Verdict.Failed);
            _actions.Add(new Enter(path, block));
            return Verdict.Open;
        }
        var body = VisitBody(block, prefix, path, stop, collect);
        if (body == Verdict.Open)
        {
            if ((block.Timeout.Total ?? block.Timeout.Attempt) is { } limit && stop is null)
                _actions.Add(new Limit(path, _state.Entered[path].At + limit));
            return Verdict.Open;
        }
        var inner = Inner(block, prefix, path);
        // A block that never started has nothing to save or to tidy up; what is asked to stop from outside does not pass over it, either.
        if (stop is not null && body == Verdict.Failed && !HasBegunWithin(block, prefix, path))
            return own is null ? Verdict.Failed : Passed(block, body);
        if (block is RunbookItem sub && VisitTail(sub.Runbook.Rescue, sub.Runbook.Finally, inner, body) == Verdict.Open)
            return Verdict.Open;
        return VisitTail(block.Rescue, block.Finally, inner, body) == Verdict.Open ? Verdict.Open : Passed(block, body);
    }

    Verdict VisitTail(IReadOnlyList<Item> rescue, IReadOnlyList<Item> tidy, string prefix, Verdict body)
    {
        if (body == Verdict.Failed && VisitList(rescue, prefix, null, collect: true) == Verdict.Open)
            return Verdict.Open;
        return VisitList(tidy, prefix, null, collect: true);
    }

    Verdict Passed(BlockItem block, Verdict body) =>
        body == Verdict.Failed && block.IfFails == IfFails.Continue ? Verdict.Done : body;

    /// <summary>Rescue and finally of a forEach or sub-runbook stand under its path; other blocks add nothing to paths.</summary>
    static string Inner(BlockItem block, string prefix, string path) => block is ForEachItem or RunbookItem ? path + "/" : prefix;

    bool Entered(BlockItem block, string path) =>
        (block.When is null && (block.Timeout.Total ?? block.Timeout.Attempt) is null && block is not RunbookItem) || _state.Entered.ContainsKey(path);

    /// <summary>In rescue and finally nothing stops the rest of a block; a sub-runbook is one step there, and goes by its own text.</summary>
    Verdict VisitBody(BlockItem block, string prefix, string path, string? stop, bool collect) => block switch
    {
        GroupItem group => VisitList(group.Steps, prefix, stop, collect),
        RunbookItem sub => VisitList(sub.Runbook.Steps, path + "/", stop, collect: false),
        ParallelItem parallel => VisitSideBySide(new(parallel.Branches.Count, i => (parallel.Branches[i], prefix), parallel, path, collect), parallel.FailFast, int.MaxValue, stop),
        ForEachItem each => VisitEach(each, path, stop, collect),
        _ => throw new InvalidOperationException($"Unknown block {block.GetType()}."),
    };

    Verdict VisitEach(ForEachItem each, string path, string? stop, bool collect)
    {
        if (_state.Lists.TryGetValue(path, out var list))
            return VisitSideBySide(new(list.Count, i => (each.Steps, $"{path}[{i}]/"), each, path, collect), each.FailFast, each.MaxParallel, stop);
        if (stop is not null)
            return Verdict.Failed;
        _actions.Add(new Freeze(path, each));
        return Verdict.Open;
    }

    /// <summary>Lists side by side: how many, each with the prefix of its paths, and the block that they belong to.</summary>
    readonly record struct Branches(int Count, Func<int, (IReadOnlyList<Item> Items, string Prefix)> List, object Owner, string Path, bool Collect);

    /// <summary>Lists that go on at the same time, at most so many. The block ends when all have ended.</summary>
    Verdict VisitSideBySide(Branches branches, bool failFast, int atMost, string? stop)
    {
        var mark = _actions.Count;
        var (open, failed) = VisitBranches(branches, atMost, stop);
        if (failed && failFast && !branches.Collect && open > 0 && stop is null)
        {
            // The first failure asks the others to stop: look again, without new starts.
            _actions.RemoveRange(mark, _actions.Count - mark);
            (open, failed) = VisitBranches(branches, int.MaxValue, "a parallel branch failed");
        }
        return open > 0 ? Verdict.Open : failed ? Verdict.Failed : Verdict.Done;
    }

    (int Open, bool Failed) VisitBranches(Branches branches, int atMost, string? stop)
    {
        var open = 0;
        var failed = false;
        var key = (branches.Owner, branches.Path);
        var allDone = true;
        for (var i = _cursors.GetValueOrDefault(key); i < branches.Count && open < atMost; i++)
        {
            var (items, prefix) = branches.List(i);
            var verdict = VisitList(items, prefix, stop, branches.Collect);
            open += verdict == Verdict.Open ? 1 : 0;
            failed |= verdict == Verdict.Failed;
            allDone &= verdict == Verdict.Done;
            if (allDone && stop is null)
                _cursors[key] = i + 1;
        }
        return (open, failed);
    }

    bool HasBegunWithin(BlockItem block, string prefix, string path) => block switch
    {
        ForEachItem => _state.Lists.ContainsKey(path),
        RunbookItem sub => sub.Runbook.Steps.Any(i => HasBegun(i, path + "/")),
        GroupItem group => group.Steps.Any(i => HasBegun(i, prefix)),
        ParallelItem parallel => parallel.Branches.Any(b => b.Any(i => HasBegun(i, prefix))),
        _ => true,
    };

    /// <summary>What failed before it could start has begun, too: the block around it may be past its rescue already.</summary>
    bool HasBegun(Item item, string prefix) =>
        _state.Step(prefix + item.Id) is { } step && (step.Started || step.Status == StepStatus.Failed)
        || (item is BlockItem block && HasBegunWithin(block, prefix, prefix + block.Id));

    /// <summary>What a run without success leaves stopped is started again, unless its data may be half loaded (rule 8).</summary>
    Verdict VisitUndo()
    {
        var down = HalfLoaded.Targets(_state);
        var open = false;
        foreach (var residue in _state.Residue.Values.Where(r => r.Undo is not null).OrderBy(r => r.Key).ToList())
        {
            if (residue.Target is { } target && down.Contains(target))
                continue;
            var item = UndoItem(residue);
            open |= VisitStep(item, item.Id, null, collect: true) == Verdict.Open;
        }
        return open ? Verdict.Open : Verdict.Done;
    }

    /// <summary>A step of the engine's own, under <c>undo/</c>, which no runbook can name.</summary>
    static StepItem UndoItem(Residue residue) => new()
    {
        Id = "undo/" + residue.Key,
        Uses = residue.Undo!.Uses,
        With = residue.Undo.With,
        IfFails = IfFails.Continue,
        Position = Position.None,
    };
}
