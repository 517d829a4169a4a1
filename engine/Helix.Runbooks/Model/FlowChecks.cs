using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model;

/// <summary>Goes through the runbook in its order and checks each expression against what is known there.</summary>
sealed class FlowChecks(Reading reading, RunbookNotes notes, Visible visible, TemplateChecks templates)
{
    /// <param name="cleanup">In rescue and finally an error never stops the rest, so nothing is certain of what stands before.</param>
    public Flow Walk(IReadOnlyList<Item> items, Flow flow, bool cleanup = false)
    {
        foreach (var item in items)
            flow = Visit(item, flow, cleanup);
        return flow;
    }

    /// <summary>All that may have run before, and nothing certain.</summary>
    public static Flow Unsure(Flow before, Flow after) => before with { Seen = before.Seen.Union(after.Seen) };

    Flow Visit(Item item, Flow flow, bool cleanup)
    {
        var inside = Enter(item, flow);
        var after = item switch
        {
            StepItem step => VisitStep(step, inside),
            RunbookItem sub => VisitRunbook(sub, inside),
            GroupItem group => Walk(group.Steps, inside, cleanup),
            ParallelItem parallel => VisitParallel(parallel, inside, cleanup),
            ForEachItem loop => VisitLoop(loop, inside, cleanup),
            _ => inside,
        };
        if (item is BlockItem block)
        {
            var rescue = Walk(block.Rescue, Unsure(inside, after), cleanup: true);
            after = after with { Seen = after.Seen.Union(Walk(block.Finally, Unsure(inside, rescue), cleanup: true).Seen).Union(rescue.Seen) };
        }
        var sure = !cleanup && item.When is null && item.IfFails != IfFails.Continue && !FailureIsWarning(item);
        return sure
            ? flow with { Seen = after.Seen, Certain = after.Certain }
            : flow with { Seen = after.Seen };
    }

    bool FailureIsWarning(Item item) => item is StepItem { IfFails: null } && notes[item.Id].Type?.About.FailureIsWarning == true;

    /// <summary>Checks the condition; inside the item it holds.</summary>
    Flow Enter(Item item, Flow flow)
    {
        foreach (var use in notes[item.Id].Fields.Values.Templates.Where(u => u.Path != "when" && !u.Path.StartsWith("forEach", StringComparison.Ordinal) && !u.Path.StartsWith("with.", StringComparison.Ordinal)))
            reading.Problems.Error("no-template", use.Node.Position, $"'{use.Path}' takes no expressions.", "Expressions are for `with`, `when` and `forEach`.");
        if (notes[item.Id].Node["when"] is not ScalarNode when || !Template.Has(when.Text))
            return flow;
        return templates.CheckCondition(when, flow) is { } condition ? flow.Knowing(Narrowing.Of(condition, true, visible)) : flow;
    }

    Flow VisitStep(StepItem step, Flow flow)
    {
        var noted = notes[step.Id];
        foreach (var use in noted.Options?.Templates ?? [])
            templates.Check(use, flow);
        if (step.Uses == EngineItems.Approval && step.With["onReject"]?.ToString() is { } back && back != "abort" && !flow.Seen.Contains(back))
            reading.Problems.Error("on-reject", step.Places["onReject"], $"'onReject' goes back to '{back}', and that is no earlier step.",
                Suggestion.Hint(back, flow.Seen.Append("abort"), "Earlier steps"));
        Note(step.Id, OutputShapes.Of(step, noted.Type), flow);
        return flow.After(step.Id, certain: true);
    }

    Flow VisitRunbook(RunbookItem sub, Flow flow)
    {
        foreach (var use in notes[sub.Id].Fields.Values.Templates.Where(u => u.Path.StartsWith("with.", StringComparison.Ordinal)))
            templates.Check(use, flow);
        Note(sub.Id, reading.Outputs.GetValueOrDefault(sub.Runbook, OutputShapes.Unknown), flow);
        return flow.After(sub.Id, certain: true);
    }

    Flow VisitParallel(ParallelItem parallel, Flow flow, bool cleanup)
    {
        var ids = parallel.Branches.Select(b => Items.All(b).Select(i => i.Id).ToImmutableHashSet()).ToList();
        var ends = parallel.Branches.Select((branch, i) =>
            Walk(branch, flow with { Beside = flow.Beside.Union(ids.Where((_, j) => j != i).SelectMany(s => s)) }, cleanup)).ToList();
        return ends.Aggregate(flow, (all, end) => all with { Seen = all.Seen.Union(end.Seen), Certain = all.Certain.Union(end.Certain) });
    }

    Flow VisitLoop(ForEachItem loop, Flow flow, bool cleanup)
    {
        var element = ElementOf(loop, flow);
        if (loop.As is "inputs" or "vars" or "steps" or "run" or "targets")
            reading.Problems.Error("name", notes[loop.Id].Node["as"]!.Position, $"'{loop.As}' is a variable already.", "Take another name for the element.");
        else if (flow.Elements.ContainsKey(loop.As))
            reading.Problems.Error("name", (notes[loop.Id].Node["as"] ?? notes[loop.Id].Node).Position, $"'{loop.As}' is the element of the forEach around.", "Add `as:` with another name.");
        var inside = flow with { Elements = flow.Elements.SetItem(loop.As, element), Loops = flow.Loops.Add(loop.Id) };
        var after = Walk(loop.Steps, inside, cleanup);
        return flow with { Seen = after.Seen, Certain = after.Certain };
    }

    Shape ElementOf(ForEachItem loop, Flow flow)
    {
        var node = notes[loop.Id].Node["forEach"];
        if (node is ScalarNode scalar)
            return templates.CheckList(scalar, flow);
        foreach (var use in notes[loop.Id].Fields.Values.Templates.Where(u => u.Path.StartsWith("forEach", StringComparison.Ordinal)))
            templates.Check(use, flow);
        return notes[loop.Id].LiteralList is JsonArray { Count: > 0 } list && list.All(i => Values.Text(i) is not null) ? Shape.Text : Shape.Any;
    }

    void Note(string id, RecordShape outputs, Flow flow) => visible.Steps[id] = new StepFacts(outputs, flow.Loops, flow.Certain);
}
