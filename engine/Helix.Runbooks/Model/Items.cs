namespace Helix.Runbooks.Model;

/// <summary>Ways through the items of a runbook.</summary>
public static class Items
{
    /// <summary>The lists that an item holds, in the order of the text. A sub-runbook's steps are its own.</summary>
    public static IEnumerable<IReadOnlyList<Item>> Lists(this Item item)
    {
        IEnumerable<IReadOnlyList<Item>> own = item switch
        {
            ParallelItem parallel => parallel.Branches,
            GroupItem group => [group.Steps],
            ForEachItem loop => [loop.Steps],
            _ => [],
        };
        return item is BlockItem block ? own.Append(block.Rescue).Append(block.Finally) : own;
    }

    /// <summary>All items in the order of the text, blocks before what they hold.</summary>
    public static IEnumerable<Item> All(IReadOnlyList<Item> items) =>
        items.SelectMany(item => item.Lists().SelectMany(All).Prepend(item));

    /// <summary>The item of this id, after the blocks around it, outermost first; empty: there is none.</summary>
    public static IReadOnlyList<Item> WayTo(IReadOnlyList<Item> items, string id)
    {
        foreach (var item in items)
        {
            if (item.Id == id)
                return [item];
            if (item.Lists().Select(list => WayTo(list, id)).FirstOrDefault(way => way.Count > 0) is { } below)
                return [item, .. below];
        }
        return [];
    }

    public static IEnumerable<Item> All(Runbook runbook) => All(runbook.Steps).Concat(All(runbook.Rescue)).Concat(All(runbook.Finally));
}
