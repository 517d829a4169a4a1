using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

public sealed partial class Sequencer
{
    Verdict VisitBlock(BlockItem block, string prefix, string? stop)
    {
        var path = prefix + block.Id;
        if (_state.StatusOf(path) == StepStatus.Skipped)
            return Verdict.Done;
        if (_state.Step(path) is { Status: StepStatus.Failed } overdue)
            stop ??= overdue.Message ?? "the block failed";
        if (!Entered(block, path))
        {
            if (stop is not null)
                return Passed(block, Verdict.Failed);
            _actions.Add(new Enter(path, block));
            return Verdict.Open;
        }
        var body = VisitBody(block, prefix, path, stop);
        if (body == Verdict.Open)
        {
            if ((block.Timeout.Total ?? block.Timeout.Attempt) is { } limit && stop is null)
                _actions.Add(new Limit(path, _state.Entered[path].At + limit));
            return Verdict.Open;
        }
        var inner = Inner(block, prefix, path);
        // A block that never started has nothing to save or to tidy up.
        if (stop is not null && !HasBegun(block, prefix, path))
            return Verdict.Failed;
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

    Verdict VisitBody(BlockItem block, string prefix, string path, string? stop) => block switch
    {
        GroupItem group => VisitList(group.Steps, prefix, stop, collect: false),
        RunbookItem sub => VisitList(sub.Runbook.Steps, path + "/", stop, collect: false),
        ParallelItem parallel => VisitSideBySide(parallel.Branches.Count, i => (parallel.Branches[i], prefix), parallel.FailFast, int.MaxValue, parallel, path, stop),
        ForEachItem each => VisitEach(each, path, stop),
        _ => throw new InvalidOperationException($"Unknown block {block.GetType()}."),
    };

    Verdict VisitEach(ForEachItem each, string path, string? stop)
    {
        if (_state.Lists.TryGetValue(path, out var list))
            return VisitSideBySide(list.Count, i => (each.Steps, $"{path}[{i}]/"), each.FailFast, each.MaxParallel, each, path, stop);
        if (stop is not null)
            return Verdict.Failed;
        _actions.Add(new Freeze(path, each));
        return Verdict.Open;
    }

    /// <summary>Lists that go on at the same time, at most so many. The block ends when all have ended.</summary>
    Verdict VisitSideBySide(int count, Func<int, (IReadOnlyList<Item> Items, string Prefix)> list, bool failFast, int atMost, object owner, string path, string? stop)
    {
        var mark = _actions.Count;
        var (open, failed) = VisitBranches(count, list, atMost, owner, path, stop);
        if (failed && failFast && open > 0 && stop is null)
        {
            // The first failure asks the others to stop: look again, without new starts.
            _actions.RemoveRange(mark, _actions.Count - mark);
            (open, failed) = VisitBranches(count, list, int.MaxValue, owner, path, "a parallel branch failed");
        }
        return open > 0 ? Verdict.Open : failed ? Verdict.Failed : Verdict.Done;
    }

    (int Open, bool Failed) VisitBranches(int count, Func<int, (IReadOnlyList<Item> Items, string Prefix)> list, int atMost, object owner, string path, string? stop)
    {
        var open = 0;
        var failed = false;
        var done = _cursors.GetValueOrDefault((owner, path));
        var allDone = true;
        for (var i = done; i < count && open < atMost; i++)
        {
            var (items, prefix) = list(i);
            var verdict = VisitList(items, prefix, stop, collect: false);
            open += verdict == Verdict.Open ? 1 : 0;
            failed |= verdict == Verdict.Failed;
            allDone &= verdict == Verdict.Done;
            if (allDone && stop is null)
                _cursors[(owner, path)] = i + 1;
        }
        return (open, failed);
    }

    bool HasBegun(BlockItem block, string prefix, string path) => block switch
    {
        ForEachItem => _state.Lists.ContainsKey(path),
        RunbookItem sub => sub.Runbook.Steps.Any(i => HasBegun(i, path + "/")),
        GroupItem group => group.Steps.Any(i => HasBegun(i, prefix)),
        ParallelItem parallel => parallel.Branches.Any(b => b.Any(i => HasBegun(i, prefix))),
        _ => true,
    };

    bool HasBegun(Item item, string prefix) =>
        item is BlockItem block ? HasBegun(block, prefix, prefix + block.Id) : _state.Step(prefix + item.Id) is { Started: true };

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
