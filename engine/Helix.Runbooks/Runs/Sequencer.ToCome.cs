using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;

namespace Helix.Runbooks.Runs;

public sealed partial class Sequencer
{
    /// <summary>Paths of the steps of the run's own lists that have not ended and may yet start, run or be asked about in this round; those of a loop whose list is not known yet as patterns.</summary>
    public IReadOnlyList<string> StillToCome(RunState state)
    {
        Next(state);
        return state.Ended is null && state.Cancel is null ? [.. LeftOf(runbook.Steps, "")] : [];
    }

    /// <summary>Behind an item that failed a list does not go on; behind one that starts anew there may be some that have ended.</summary>
    IEnumerable<string> LeftOf(IReadOnlyList<Item> items, string prefix)
    {
        foreach (var item in items)
            switch (Visit(item, prefix, null, collect: false))
            {
                case Verdict.Failed:
                    yield break;
                case Verdict.Open:
                    foreach (var path in LeftWithin(item, prefix))
                        yield return path;
                    break;
            }
    }

    IEnumerable<string> LeftWithin(Item item, string prefix)
    {
        var path = prefix + item.Id;
        if (item is not BlockItem block || !Entered(block, path))
            return AllOf(item, prefix);
        return block switch
        {
            GroupItem group => LeftOf(group.Steps, prefix),
            ParallelItem parallel => parallel.Branches.SelectMany(b => LeftOf(b, prefix)),
            RunbookItem sub => LeftOf(sub.Runbook.Steps, path + "/"),
            ForEachItem each when _state.Lists.TryGetValue(path, out var list) => Enumerable.Range(0, list.Count).SelectMany(i => LeftOf(each.Steps, $"{path}[{i}]/")),
            _ => AllOf(item, prefix),
        };
    }

    static IEnumerable<string> AllOf(Item item, string prefix) => item switch
    {
        GroupItem group => group.Steps.SelectMany(i => AllOf(i, prefix)),
        ParallelItem parallel => parallel.Branches.SelectMany(b => b.SelectMany(i => AllOf(i, prefix))),
        RunbookItem sub => sub.Runbook.Steps.SelectMany(i => AllOf(i, prefix + sub.Id + "/")),
        ForEachItem each => each.Steps.SelectMany(i => AllOf(i, prefix + each.Id + "[]/")),
        _ => [prefix + item.Id],
    };
}
