using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Rules;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model;

/// <summary>What can be judged only when the whole runbook is read: names, order, expressions, and the rules of lint.</summary>
sealed class RunbookChecks(Reading reading, Runbook runbook, MapNode map, RunbookNotes notes, ValueReader values, bool isSub)
{
    readonly ProblemList _problems = reading.Problems;

    public void Check()
    {
        CheckNames();
        new InputChecks(_problems).Check(map["inputs"] as MapNode, runbook);
        CheckExpressions();
        CheckObjective("recoveredAt", runbook.Objectives.RecoveredAt);
        CheckObjective("failedAt", runbook.Objectives.FailedAt);
        if (reading.Environment is { } environment)
            new EnvironmentChecks(_problems, environment, notes).Check(runbook, values);
        var scope = new RuleScope(reading, runbook, notes, isSub);
        foreach (var step in scope.Steps)
            scope.Effects(step);
        foreach (var rule in RuleBook.All)
            _problems.AddAll(rule.Check(scope));
    }

    void CheckNames()
    {
        foreach (var field in new[] { "inputs", "outputs" })
            foreach (var (key, _) in (map[field] as MapNode)?.Entries ?? [])
                if (!Names.IsId(key.Text))
                    _problems.Error("name", key.Position, $"'{key.Text}' cannot be the name of an {field[..^1]}.", Names.IdHint(key.Text));
        foreach (var (key, _) in (map["needs"] as MapNode)?.Entries ?? [])
            if (!Names.IsId(key.Text))
                _problems.Error("name", key.Position, $"'{key.Text}' cannot be the name of a label.", Names.IdHint(key.Text));
        foreach (var item in Items.All(runbook).OfType<StepItem>())
            if (DeclaredIn(item) is { } option && notes[item.Id].Node["with"] is MapNode with && with[option] is MapNode declared)
                foreach (var (key, _) in declared.Entries)
                    if (!Names.IsId(key.Text))
                        _problems.Error("name", key.Position, $"'{key.Text}' cannot be the name of a field or output.", Names.IdHint(key.Text));
    }

    /// <summary>The option under which the step names outputs of its own.</summary>
    string? DeclaredIn(StepItem item) =>
        item.Uses is EngineItems.Approval or EngineItems.Manual ? "inputs" : notes[item.Id].Type?.DeclaresOutputs == true ? "outputs" : null;

    void CheckExpressions()
    {
        var visible = new Visible(InputShapes.Of(runbook), VarShapes.Vars(reading.Environment), VarShapes.Targets(reading.Environment), notes.Ids) { Broken = notes.Broken };
        var templates = new TemplateChecks(_problems, visible);
        var walk = new FlowChecks(reading, notes, visible, templates);
        var start = new Flow();
        var end = walk.Walk(runbook.Steps, start);
        CheckOutputs(templates, end);
        var rescued = walk.Walk(runbook.Rescue, FlowChecks.Unsure(start, end), cleanup: true);
        walk.Walk(runbook.Finally, FlowChecks.Unsure(start, rescued), cleanup: true);
    }

    void CheckOutputs(TemplateChecks templates, Flow end)
    {
        var shapes = new List<Member>();
        foreach (var (key, value) in (map["outputs"] as MapNode)?.Entries ?? [])
            if (value is ScalarNode scalar)
                shapes.Add(new(key.Text, templates.CheckOutput(scalar, end)));
        reading.Outputs[runbook] = RecordShape.Of(runbook.Name, shapes);
    }

    void CheckObjective(string field, string? id)
    {
        if (id is null)
            return;
        var place = ((MapNode)map["objectives"]!)[field]!.Position;
        var all = Items.All(runbook.Steps).ToList();
        var rescue = all.OfType<BlockItem>().SelectMany(b => Items.All(b.Rescue)).Select(i => i.Id).ToHashSet();
        var steps = all.Select(i => i.Id).Where(i => !rescue.Contains(i)).ToList();
        if (rescue.Contains(id))
            _problems.Error("objective", place, $"'{field}' names '{id}', and that is done only when something fails.", Suggestion.Hint("", steps, "Steps"));
        else if (!steps.Contains(id))
            _problems.Error("unknown-step", place, $"'{field}' names '{id}', and there is no such step.", Suggestion.Hint(id, steps, "Steps"));
    }
}
