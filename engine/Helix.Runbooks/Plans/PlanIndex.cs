using Helix.Runbooks.Model;

namespace Helix.Runbooks.Plans;

/// <summary>Where every item of a runbook stands: by path pattern, with the loops and sub-runbooks around it.</summary>
public sealed class PlanIndex
{
    readonly Dictionary<string, Place> _byPattern = [];

    /// <summary>In document order.</summary>
    public List<Place> All { get; } = [];

    public PlanIndex(Runbook runbook) => AddRunbook(runbook, new Frame(runbook, "", null), [], []);

    public Place? Find(string path) => _byPattern.GetValueOrDefault(StepPath.Pattern(path));

    void AddRunbook(Runbook runbook, Frame frame, IReadOnlyList<Loop> loops, IReadOnlyList<string> within)
    {
        foreach (var (list, part) in ((IReadOnlyList<Item>, Part)[])[(runbook.Steps, Part.Steps), (runbook.Rescue, Part.Rescue), (runbook.Finally, Part.Finally)])
        {
            if (frame.Item is null)
                _section = part;
            AddList(list, frame, loops, part, frame.Prefix,
                frame.Item is { } item && part != Part.Steps ? [.. within, $"{part.ToString().ToLowerInvariant()} of {item.Item.Id}"] : within);
        }
    }

    Part _section;

    void AddList(IReadOnlyList<Item> items, Frame frame, IReadOnlyList<Loop> loops, Part part, string prefix, IReadOnlyList<string> within)
    {
        foreach (var item in items)
            AddItem(item, frame, loops, part, prefix, within);
    }

    void AddItem(Item item, Frame frame, IReadOnlyList<Loop> loops, Part part, string prefix, IReadOnlyList<string> within)
    {
        var path = prefix + item.Id;
        var place = new Place(path, item, frame, loops, part, _section, All.Count, within, items: prefix);
        All.Add(place);
        _byPattern.Add(path, place);
        frame.Ids[item.Id] = path;
        IReadOnlyList<string> Inside(string word) => [.. within, word];
        switch (item)
        {
            case GroupItem group:
                AddList(group.Steps, frame, loops, part, prefix, Inside(item.Name ?? "group " + item.Id));
                AddTail(group, frame, loops, prefix, within);
                break;
            case ParallelItem parallel:
                for (var i = 0; i < parallel.Branches.Count; i++)
                    AddList(parallel.Branches[i], frame, loops, part, prefix, Inside($"parallel {item.Name ?? item.Id}, branch {i + 1}"));
                AddTail(parallel, frame, loops, prefix, within);
                break;
            case ForEachItem each:
                AddList(each.Steps, frame, [.. loops, new Loop(each, path)], part, path + "[]/", Inside($"{each.Id}, for each {each.As} of {each.List.Text}"));
                AddTail(each, frame, loops, path + "/", within);
                break;
            case RunbookItem sub:
                AddRunbook(sub.Runbook, new Frame(sub.Runbook, path + "/", place), loops, within);
                AddTail(sub, frame, loops, path + "/", within);
                break;
        }
    }

    void AddTail(BlockItem block, Frame frame, IReadOnlyList<Loop> loops, string prefix, IReadOnlyList<string> within)
    {
        AddList(block.Rescue, frame, loops, Part.Rescue, prefix, [.. within, "rescue of " + block.Id]);
        AddList(block.Finally, frame, loops, Part.Finally, prefix, [.. within, "finally of " + block.Id]);
    }
}

/// <summary>A runbook in a plan: the root, or a sub-runbook under its item.</summary>
public sealed record Frame(Runbook Runbook, string Prefix, Place? Item)
{
    /// <summary>Id → path pattern of every item of this runbook.</summary>
    public Dictionary<string, string> Ids { get; } = [];
}

public sealed record Loop(ForEachItem Item, string Pattern);

public sealed class Place(string pattern, Item item, Frame frame, IReadOnlyList<Loop> loops, Part part, Part section, int order, IReadOnlyList<string> within, string items)
{
    public string Pattern { get; } = pattern;
    public Item Item { get; } = item;
    public Frame Frame { get; } = frame;

    /// <summary>All loops around it, outermost first, also those around its runbook.</summary>
    public IReadOnlyList<Loop> Loops { get; } = loops;

    /// <summary>The list that it stands in: of the run, or of a block or sub-runbook.</summary>
    public Part Part { get; } = part;

    /// <summary>The list of the run in which it stands, or the block around it.</summary>
    public Part Section { get; } = section;
    public int Order { get; } = order;
    public IReadOnlyList<string> Within { get; } = within;

    /// <summary>The prefix that the ids of its list have.</summary>
    public string Prefix { get; } = items;
}
