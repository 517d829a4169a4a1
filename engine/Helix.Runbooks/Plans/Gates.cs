using Helix.Runbooks.Model;

namespace Helix.Runbooks.Plans;

/// <summary>Which approval covers which step: the nearest one before it in the same path. One walk over each runbook answers for all of its steps.</summary>
public sealed class Gates
{
    readonly Dictionary<Frame, Dictionary<Item, string>> _known = new(ReferenceEqualityComparer.Instance);

    public string? Covering(Place place)
    {
        // What precedes in every case: earlier items of the same list, then of the lists around it.
        var found = Of(place.Frame).GetValueOrDefault(place.Item);
        if (found is null && place.Part != Part.Steps)
            found = LastApproval(place.Frame.Runbook.Steps, place.Frame.Prefix);
        return found ?? (place.Frame.Item is { } outer ? Covering(outer) : null);
    }

    Dictionary<Item, string> Of(Frame frame)
    {
        if (!_known.TryGetValue(frame, out var gates))
        {
            _known[frame] = gates = new(ReferenceEqualityComparer.Instance);
            Walk(frame.Runbook.Steps, frame.Prefix, null, gates);
        }
        return gates;
    }

    static void Walk(IReadOnlyList<Item> items, string prefix, string? gate, Dictionary<Item, string> gates)
    {
        foreach (var item in items)
        {
            if (gate is not null)
                gates[item] = gate;
            foreach (var (list, inner) in Inner(item, prefix))
                Walk(list, inner, gate, gates);
            // A plain group always runs; what it holds precedes too.
            gate = item switch
            {
                StepItem { Uses: EngineItems.Approval, When: null } approval => prefix + approval.Id,
                GroupItem { When: null } group => LastApproval(group.Steps, prefix) ?? gate,
                _ => gate,
            };
        }
    }

    static IEnumerable<(IReadOnlyList<Item> List, string Prefix)> Inner(Item item, string prefix) => item switch
    {
        GroupItem g => [(g.Steps, prefix), (g.Rescue, prefix), (g.Finally, prefix)],
        ParallelItem p => [.. p.Branches.Select(b => (b, prefix)), (p.Rescue, prefix), (p.Finally, prefix)],
        ForEachItem e => [(e.Steps, prefix + e.Id + "[]/"), (e.Rescue, prefix + e.Id + "/"), (e.Finally, prefix + e.Id + "/")],
        _ => [],
    };

    static string? LastApproval(IReadOnlyList<Item> items, string prefix) =>
        items.OfType<StepItem>().LastOrDefault(i => i is { Uses: EngineItems.Approval, When: null }) is { } a ? prefix + a.Id : null;
}
