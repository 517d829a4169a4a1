using Helix.Runbooks.Model;

namespace Helix.Runbooks.Plans;

/// <summary>Which approval covers which step: the nearest one before it in the same path.</summary>
public static class Gates
{
    public static string? Covering(Place place)
    {
        // What precedes in every case: earlier items of the same list, then of the lists around it.
        var runbook = place.Frame.Runbook;
        var found = Before(runbook.Steps, place);
        if (found is null && place.Part != Part.Steps)
            found = LastApproval(runbook.Steps, place.Frame.Prefix);
        return found ?? (place.Frame.Item is { } outer ? Covering(outer) : null);
    }

    static string? Before(IReadOnlyList<Item> items, Place place)
    {
        string? gate = null;
        foreach (var (item, prefix) in Preceding(items, place.Frame.Prefix, place.Item))
            if (item is StepItem { Uses: EngineItems.Approval, When: null } approval)
                gate = prefix + approval.Id;
        return gate;
    }

    /// <summary>All items of the lists that lead to the item, up to it; empty when it is not below.</summary>
    static List<(Item Item, string Prefix)> Preceding(IReadOnlyList<Item> items, string prefix, Item sought)
    {
        var before = new List<(Item, string)>();
        foreach (var item in items)
        {
            if (ReferenceEquals(item, sought))
                return before;
            foreach (var (list, inner) in Inner(item, prefix))
                if (Contains(list, sought))
                    return [.. before, .. Preceding(list, inner, sought)];
            before.Add((item, prefix));
            // A plain group always runs; what it holds precedes too.
            if (item is GroupItem { When: null } group)
                before.AddRange(group.Steps.Select(s => (s, prefix)));
        }
        return [];
    }

    static IEnumerable<(IReadOnlyList<Item> List, string Prefix)> Inner(Item item, string prefix) => item switch
    {
        GroupItem g => [(g.Steps, prefix), (g.Rescue, prefix), (g.Finally, prefix)],
        ParallelItem p => [.. p.Branches.Select(b => (b, prefix)), (p.Rescue, prefix), (p.Finally, prefix)],
        ForEachItem e => [(e.Steps, prefix + e.Id + "[]/"), (e.Rescue, prefix + e.Id + "/"), (e.Finally, prefix + e.Id + "/")],
        _ => [],
    };

    static bool Contains(IReadOnlyList<Item> items, Item sought) =>
        items.Any(i => ReferenceEquals(i, sought) || Inner(i, "").Any(l => Contains(l.List, sought)));

    static string? LastApproval(IReadOnlyList<Item> items, string prefix) =>
        items.OfType<StepItem>().LastOrDefault(i => i is { Uses: EngineItems.Approval, When: null }) is { } a ? prefix + a.Id : null;
}
