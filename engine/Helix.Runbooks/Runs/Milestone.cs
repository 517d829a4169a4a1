using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What an objective names: a step or a block, alone or within loops. It begins with the first round of these and ends with the last.</summary>
sealed class Milestone
{
    readonly Runbook _runbook;
    readonly IReadOnlyList<Item> _way;

    Milestone(Runbook runbook, IReadOnlyList<Item> way)
    {
        (_runbook, _way) = (runbook, way);
        var prefix = "";
        foreach (var (block, next) in way.Zip(way.Skip(1)))
            prefix = Below(block, next, prefix, "[]");
        Prefix = prefix;
    }

    /// <summary>Null: there is none of this id.</summary>
    public static Milestone? Of(Runbook runbook, string? id) =>
        id is not null && Items.WayTo(runbook.Steps, id) is { Count: > 0 } way ? new(runbook, way) : null;

    Item Item => _way[^1];

    /// <summary>With <c>[]</c> where a forEach puts its index.</summary>
    string Prefix { get; }

    /// <summary>This very step; a block is none.</summary>
    public bool IsStep(string path) => Item is StepItem && StepPath.Pattern(path) == Prefix + Item.Id;

    /// <summary>When it was first begun, in whichever round of the run. A gate or a wait at the beginning of a block does nothing yet.</summary>
    public DateTimeOffset? Begun(RunState state)
    {
        var paths = Rounds.PathsOf([Item], Prefix);
        return state.Earlier.Concat(state.Steps.Values)
            .Where(s => Rounds.IsWithin(StepPath.Pattern(s.Path), paths) && (Item is StepItem || s.Uses is not (EngineItems.Approval or EngineItems.Wait)))
            .Min(s => s.StartedAt);
    }

    /// <summary>When it had succeeded, a block with the last of its steps, rescue and finally aside. Null: it has not, or nothing of it was done.</summary>
    public DateTimeOffset? Ended(RunState state, StepCatalog catalog)
    {
        var ends = new List<DateTimeOffset>();
        return IsOver(state, catalog, 0, "", ends) && ends.Count > 0 ? ends.Max() : null;
    }

    /// <summary>In all rounds of the loops around it; one that skips it is no obstacle.</summary>
    bool IsOver(RunState state, StepCatalog catalog, int depth, string prefix, List<DateTimeOffset> ends)
    {
        var item = _way[depth];
        var path = prefix + item.Id;
        if (state.StatusOf(path) == StepStatus.Skipped)
            return true;
        if (depth == _way.Count - 1)
            return item is BlockItem block ? HasSucceeded(state, catalog, block, path, ends) : HasSucceeded(state.Step(path), ends);
        var next = _way[depth + 1];
        return IsRound(item, next)
            ? state.Lists.TryGetValue(path, out var list) && Enumerable.Range(0, list.Count).All(i => IsOver(state, catalog, depth + 1, Below(item, next, prefix, $"[{i}]"), ends))
            : IsOver(state, catalog, depth + 1, Below(item, next, prefix, ""), ends);
    }

    static bool HasSucceeded(StepState? step, List<DateTimeOffset> ends)
    {
        if (step is not { Status: StepStatus.Succeeded, EndedAt: { } at })
            return false;
        ends.Add(at);
        return true;
    }

    bool HasSucceeded(RunState state, StepCatalog catalog, BlockItem block, string path, List<DateTimeOffset> ends)
    {
        if (new Sequencer(_runbook, catalog).StatusOf(state, block, path) != StepStatus.Succeeded)
            return false;
        var steps = StepsOf(state, block, path);
        ends.AddRange(state.Steps.Values.Where(s => s.Status == StepStatus.Succeeded && Rounds.IsWithin(s.Path, steps)).Select(s => s.EndedAt!.Value));
        return true;
    }

    static IReadOnlyList<string> StepsOf(RunState state, BlockItem block, string path) => block switch
    {
        ForEachItem => [.. Enumerable.Range(0, state.Lists[path].Count).Select(i => $"{path}[{i}]")],
        RunbookItem sub => Rounds.PathsOf(sub.Runbook.Steps, path + "/"),
        GroupItem group => Rounds.PathsOf(group.Steps, path[..^block.Id.Length]),
        ParallelItem parallel => [.. parallel.Branches.SelectMany(b => Rounds.PathsOf(b, path[..^block.Id.Length]))],
        _ => [],
    };

    /// <summary>The prefix of what stands in a block: its rounds, or the rescue and finally of a block that adds to paths.</summary>
    static string Below(Item block, Item next, string prefix, string round) => block switch
    {
        ForEachItem when IsRound(block, next) => $"{prefix}{block.Id}{round}/",
        ForEachItem or RunbookItem => $"{prefix}{block.Id}/",
        _ => prefix,
    };

    static bool IsRound(Item block, Item next) => block is ForEachItem each && each.Steps.Any(i => ReferenceEquals(i, next));
}
