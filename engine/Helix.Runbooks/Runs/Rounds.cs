using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Going back: which items start anew when a run goes back to a step. Pure.</summary>
static class Rounds
{
    /// <summary>The step and all that comes after it: later items of its list and of the lists around it, and every rescue and finally.</summary>
    /// <exception cref="RunbookException">No such step in this run.</exception>
    public static IReadOnlyList<string> Reset(Runbook runbook, string from) => Find(runbook, from).Reset;

    /// <exception cref="RunbookException">No such step in this run.</exception>
    public static RoundStarted Next(Runbook runbook, int round, string from, string reason, JsonObject inputs)
    {
        var (reset, around) = Find(runbook, from);
        return new RoundStarted(round, from, reason, InputBinder.BindSome(runbook, inputs), reset) { Around = around };
    }

    static (IReadOnlyList<string> Reset, IReadOnlyList<string> Around) Find(Runbook runbook, string from)
    {
        var found = new Found([], []);
        if (!Below(runbook.Steps, "", from, found))
            throw new RunbookException($"There is no step '{from}' to go back to.", "Use the path of a step of the runbook, as `helix show` prints it.");
        AddAll(runbook.Rescue, "", found.Reset);
        AddAll(runbook.Finally, "", found.Reset);
        found.Reset.Add("undo");
        return (found.Reset, found.Around);
    }

    sealed record Found(List<string> Reset, List<string> Around);

    /// <summary>The item starts anew when these do.</summary>
    public static bool IsWithin(string path, IReadOnlyList<string> reset) =>
        reset.Any(r => path == r || path.StartsWith(r + "/", StringComparison.Ordinal) || path.StartsWith(r + "[", StringComparison.Ordinal));

    static bool Below(IReadOnlyList<Item> items, string prefix, string from, Found into)
    {
        var found = false;
        foreach (var item in items)
        {
            if (found || prefix + item.Id == from)
            {
                found = true;
                Add(item, prefix, into.Reset);
            }
            else if (item is BlockItem block && Inside(block, prefix, from, into))
            {
                found = true;
                AddTail(block, prefix, into.Reset);
                into.Around.Add(prefix + block.Id);
            }
        }
        return found;
    }

    static bool Inside(BlockItem block, string prefix, string from, Found into) => block switch
    {
        GroupItem g => Below(g.Steps, prefix, from, into),
        ParallelItem p => p.Branches.Any(b => Below(b, prefix, from, into)),
        ForEachItem e when Element(from, prefix + e.Id) is { } element => Below(e.Steps, element, from, into),
        RunbookItem r when from.StartsWith(prefix + r.Id + "/", StringComparison.Ordinal) => InSub(r, prefix + r.Id + "/", from, into),
        _ => false,
    };

    static bool InSub(RunbookItem sub, string prefix, string from, Found into)
    {
        if (!Below(sub.Runbook.Steps, prefix, from, into))
            return false;
        AddAll(sub.Runbook.Rescue, prefix, into.Reset);
        AddAll(sub.Runbook.Finally, prefix, into.Reset);
        return true;
    }

    /// <summary><c>each[3]/copy</c> below <c>each</c> → <c>each[3]/</c>.</summary>
    static string? Element(string from, string each)
    {
        if (!from.StartsWith(each + "[", StringComparison.Ordinal))
            return null;
        var end = from.IndexOf("]/", each.Length, StringComparison.Ordinal);
        return end < 0 ? null : from[..(end + 2)];
    }

    /// <summary>Where the states of these items stand: all that is at one of these paths or below (<see cref="IsWithin"/>).</summary>
    public static IReadOnlyList<string> PathsOf(IReadOnlyList<Item> items, string prefix)
    {
        var paths = new List<string>();
        AddAll(items, prefix, paths);
        return paths;
    }

    static void AddAll(IReadOnlyList<Item> items, string prefix, List<string> paths)
    {
        foreach (var item in items)
            Add(item, prefix, paths);
    }

    static void Add(Item item, string prefix, List<string> paths)
    {
        paths.Add(prefix + item.Id);
        if (item is GroupItem group)
            AddAll(group.Steps, prefix, paths);
        if (item is ParallelItem parallel)
            foreach (var branch in parallel.Branches)
                AddAll(branch, prefix, paths);
        if (item is BlockItem block)
            AddTail(block, prefix, paths);
    }

    static void AddTail(BlockItem block, string prefix, List<string> paths)
    {
        // What stands below a forEach or a sub-runbook goes with its path already.
        var inner = block is ForEachItem or RunbookItem ? prefix + block.Id + "/" : prefix;
        AddAll(block.Rescue, inner, paths);
        AddAll(block.Finally, inner, paths);
    }
}
