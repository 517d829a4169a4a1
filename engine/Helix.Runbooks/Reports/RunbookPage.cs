using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

/// <summary>A runbook for people, on paper: what it is for, who is asked, what is done with boxes to tick, and the way back. Needs no environment.</summary>
public sealed class RunbookPage
{
    readonly StringBuilder _text = new();
    readonly StepCatalog _catalog;

    RunbookPage(StepCatalog catalog) => _catalog = catalog;

    public static string Markdown(Runbook runbook, StepCatalog catalog) => new RunbookPage(catalog).Of(runbook);

    string Of(Runbook runbook)
    {
        _text.Append($"# {runbook.Title}\n\n`{runbook.Name}`{(runbook.Owner is { } owner ? $", kept by {owner}" : "")}. SHA-256 of the file `{runbook.Source.Sha256}`.\n\n");
        if (runbook.Description.Length > 0)
            _text.Append(runbook.Description.Trim()).Append("\n\n");
        List("When", runbook.Symptoms);
        List("Objectives", Objectives(runbook.Objectives));
        List("Needs a machine with", runbook.Needs.Select(n => $"{n.Key}={n.Value}"));
        List("What is asked at the start", runbook.Inputs.Select(Input));
        List("Who must agree", Gates(runbook.Steps, ""));
        _text.Append("Incident: ________________  occurred at: ________________  declared at: ________________\n\nStarted at: ________________  by: ________________\n");
        Part("Steps", runbook.Steps);
        Part("The way back, if it gives up", runbook.Rescue);
        Part("At the end, always", runbook.Finally);
        _text.Append("\nRecovered at: ________________  recovery point: ________________  signed: ________________\n");
        return _text.ToString().TrimEnd();
    }

    void List(string title, IEnumerable<string> points)
    {
        var all = points.ToList();
        if (all.Count > 0)
            _text.Append($"**{title}:**\n\n").AppendJoin("", all.Select(p => $"- {p}\n")).Append('\n');
    }

    void Part(string title, IReadOnlyList<Item> items)
    {
        if (items.Count == 0)
            return;
        _text.Append($"\n## {title}\n\n");
        Items(items, 0);
    }

    void Items(IReadOnlyList<Item> items, int depth)
    {
        foreach (var item in items)
            Item(item, depth);
    }

    void Item(Item item, int depth)
    {
        if (item is StepItem step)
        {
            Step(step, depth);
            return;
        }
        Line(depth, $"- {BlockTitle(item)}{Conditions(item)}");
        switch (item)
        {
            case ParallelItem parallel:
                for (var i = 0; i < parallel.Branches.Count; i++)
                {
                    Line(depth + 1, $"- branch {i + 1}:");
                    Items(parallel.Branches[i], depth + 2);
                }
                break;
            case GroupItem group:
                Items(group.Steps, depth + 1);
                break;
            case ForEachItem each:
                Items(each.Steps, depth + 1);
                break;
            case RunbookItem sub:
                Items(sub.Runbook.Steps, depth + 1);
                Tail("if it gives up:", sub.Runbook.Rescue, depth + 1);
                Tail("always:", sub.Runbook.Finally, depth + 1);
                break;
        }
        if (item is BlockItem block)
        {
            Tail("if this block gives up:", block.Rescue, depth + 1);
            Tail("at the end of this block, always:", block.Finally, depth + 1);
        }
    }

    void Tail(string title, IReadOnlyList<Item> items, int depth)
    {
        if (items.Count == 0)
            return;
        Line(depth, "- " + title);
        Items(items, depth + 1);
    }

    void Step(StepItem step, int depth)
    {
        Line(depth, $"- [ ] **{step.Id}** ({step.Uses}){(step.Name is { } name ? ": " + name : "")}.{Effects(step)}{Conditions(step)}");
        foreach (var (option, value) in step.With)
            if (option == "checklist" && value is JsonArray points)
                foreach (var point in points)
                    Line(depth + 1, $"- [ ] {Plain(point)}");
            else if (value is JsonValue text && text.TryGetValue<string>(out var words) && words.Contains('\n'))
                Line(depth + 1, $"- {option}:\n{string.Join("\n", words.TrimEnd().Split('\n').Select(l => $"{Indent(depth + 2)}> {l}"))}");
            else
                Line(depth + 1, $"- {option}: `{Plain(value)}`");
        Line(depth + 1, "- done at: ____________  result: ________________________");
    }

    static string BlockTitle(Item item) => item switch
    {
        ParallelItem parallel => $"{item.Name ?? "At the same time"} ({parallel.Branches.Count} branches):",
        ForEachItem each => $"{item.Name ?? "Repeat"} for each `{each.As}` in `{each.List.Text}`:",
        RunbookItem sub => $"**{item.Id}**: {item.Name ?? sub.Runbook.Title} (the runbook `{sub.Runbook.Name}`):",
        _ => $"{item.Name ?? "Together"}:",
    };

    string Effects(StepItem step)
    {
        if (!_catalog.Steps.TryGetValue(step.Uses, out var type))
            return "";
        var effects = OptionStandIn.Effects(type, step.With).Where(e => e.Effect > Effect.Reads)
            .Select(e => $"{(step.Effect ?? e.Effect).ToString().ToLowerInvariant()} {e.Target ?? "local files"}{(e.What is { } what ? $" ({what})" : "")}").ToList();
        return effects.Count == 0 ? "" : $" {Words.Sentence(string.Join(", ", effects))}.";
    }

    static string Conditions(Item item) =>
        (item.When is { } when ? $" Only when `{when.Text}`." : "") + (item.IfFails == IfFails.Continue ? " If it fails, go on." : "");

    static IEnumerable<string> Gates(IReadOnlyList<Item> items, string prefix)
    {
        foreach (var item in Model.Items.All(items))
            if (item is StepItem { Uses: EngineItems.Approval or EngineItems.Manual } step)
                yield return $"**{prefix}{step.Id}**: {Who(step)}{(step.With["expiresAfter"] is { } time ? $", within {Plain(time)}" : "")}";
            else if (item is RunbookItem sub)
                foreach (var gate in Gates(sub.Runbook.Steps, $"{prefix}{sub.Id}/"))
                    yield return gate;
    }

    static string Who(StepItem step)
    {
        var people = (step.With[step.Uses == EngineItems.Approval ? "approvers" : "assignees"] as JsonArray)?.Select(Plain).ToList() ?? [];
        var each = (step.With["oneFromEach"] as JsonArray)?.Select(Plain).ToList() ?? [];
        return (people.Count == 0 ? "anybody" : string.Join(" or ", people))
            + (step.With["minimum"] is { } minimum ? $", {Plain(minimum)} people" : "")
            + (each.Count > 0 ? $", one of each of {string.Join(" and ", each)}" : "")
            + (step.Uses == EngineItems.Manual ? " does it and says so" : " approves");
    }

    static IEnumerable<string> Objectives(Objectives o)
    {
        (string Name, TimeSpan? Value)[] all = [("RTO", o.Rto), ("RPO", o.Rpo), ("MTTR", o.Mttr)];
        foreach (var (name, value) in all)
            if (value is { } time)
                yield return $"{name} {Words.Objective(time)}{(name != "RTO" ? "" : $"{(o.FailedAt is { } failure ? $", from the start of **{failure}**" : "")}{(o.RecoveredAt is { } step ? $", until **{step}** has succeeded" : "")}")}";
    }

    static string Input(KeyValuePair<string, Input> input) =>
        $"**{input.Key}** ({input.Value.Type.ToString().ToLowerInvariant()}{(input.Value.Required ? ", required" : "")}){(input.Value.Description is { } d ? $": {d}" : "")}{(input.Value.Default is { } value ? $" Default: `{Plain(value)}`." : "")} ________________";

    void Line(int depth, string text) => _text.Append(Indent(depth)).Append(text).Append('\n');
    static string Indent(int depth) => new(' ', 2 * depth);
    static string Plain(JsonNode? value) => value is JsonValue v && v.TryGetValue<string>(out var text) ? text : value?.ToJsonString(StepJson.Options) ?? "null";
}
