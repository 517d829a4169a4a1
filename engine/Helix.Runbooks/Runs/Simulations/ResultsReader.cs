using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs.Simulations;

/// <summary>The scripted results of a scenario, checked against the steps that they are for.</summary>
sealed class ResultsReader(StepCatalog catalog, ProblemList problems, PlanIndex index)
{
    static readonly Answered[] OfApproval = [Answered.Approve, Answered.Reject, Answered.Expire, Answered.Cancel];
    static readonly Answered[] OfManual = [Answered.Done, Answered.Failed, Answered.Expire, Answered.Cancel];
    static readonly Answered[] OfFailure = [Answered.Retry, Answered.Skip, Answered.Done, Answered.GoBack, Answered.Abort, Answered.Override, Answered.Expire, Answered.Cancel];

    readonly ValueReader _values = new(problems, templates: false);

    public Dictionary<string, Script> Read(Node? node)
    {
        var scripts = new Dictionary<string, Script>();
        if (node is not (null or MapNode or BrokenNode))
            problems.Error("wrong-type", node.Position, "'results' must be a map: path of a step to its result.");
        foreach (var (key, value) in (node as MapNode)?.Entries ?? [])
            if (Step(key, blocks: false)?.Item is StepItem step)
                scripts[key.Text] = new Script(
                    [.. (value is ListNode list ? list.Items : [value]).Select(n => Result(n, step)).OfType<ScriptedResult>()], value is not ListNode, key.Position);
        return scripts;
    }

    /// <summary>Paths that an expectation names.</summary>
    public IReadOnlyList<ExpectedStep> Steps(Node? node, bool blocks) =>
        [.. ((node as ListNode)?.Items ?? []).OfType<ScalarNode>().Where(n => Step(n, blocks) is not null).Select(n => new ExpectedStep(n.Text, n.Position))];

    Place? Step(ScalarNode named, bool blocks)
    {
        var text = named.Text;
        var place = index.Find(text);
        if (place is null)
            problems.Error("unknown-step", named.Position, $"The runbook has no step '{text}'.", Suggestion.Hint(text, index.All.Where(p => blocks || p.Item is StepItem).Select(p => p.Pattern), "Steps"));
        else if (!blocks && place.Item is not StepItem)
            problems.Error("unknown-step", named.Position, $"'{text}' is a block, and a step is needed here.", "Name the steps that it holds.");
        else if (text.Contains("[]", StringComparison.Ordinal) && text != place.Pattern)
            problems.Error("path", named.Position, $"'{text}' names one element here and all elements there.", $"Write '{place.Pattern}' for all of them.");
        else
            return place;
        return null;
    }

    ScriptedResult? Result(Node node, StepItem step)
    {
        if (node is not MapNode map)
        {
            if (node is not BrokenNode)
                problems.Error("wrong-type", node.Position, "A result must be a map.", "Write { outputs: { … } }, { fails: { class: … } } or { decision: … }.");
            return null;
        }
        var errors = problems.Errors;
        var fields = _values.Record(map, ShapeOf.Record(typeof(ResultFields)), "", "A result").Deserialize<ResultFields>(StepJson.Options)!;
        CheckKind(map, step);
        if (problems.Errors > errors)
            return null;
        var outputs = map["outputs"] is { } given ? Outputs(given, step) : null;
        if (fields.Fails is { } fails)
            return new ScriptedFailure(fails.Class!.Value, fails.Message ?? "the script lets it fail", map.Position);
        return fields.Decision is { } answer ? Decision(map, step, answer, fields, outputs) : new ScriptedOutputs(outputs ?? [], map.Position);
    }

    /// <summary>Waits have no result; people have no outputs but the form; a result is one thing.</summary>
    void CheckKind(MapNode map, StepItem step)
    {
        var kinds = new[] { "outputs", "fails", "decision" }.Where(k => map[k] is not null).ToList();
        if (kinds.Count == 0)
            problems.Error("result", map.Position, "This is no result: it has none of outputs, fails and decision.");
        else if (kinds.Contains("fails") && kinds.Count > 1)
            problems.Error("result", map.Position, "An attempt that fails has no other result.", "Write a list for what happens one after the other.");
        else if (step.Uses == EngineItems.Wait)
            problems.Error("result", map.Position, "A wait has no result: in a simulation its time passes at once.", "Leave it out.");
        else if (step.Uses is EngineItems.Approval or EngineItems.Manual && kinds is not ["decision"])
            problems.Error("result", map.Position, $"'{step.Id}' is answered by people.", "Write { decision: … }.");
        if (!kinds.Contains("decision"))
            foreach (var (key, _) in map.Entries.Where(e => e.Key.Text is "by" or "reason" or "to" or "inputs"))
                problems.Error("result", key.Position, $"'{key.Text}' belongs to a decision, and this is none.");
    }

    JsonObject Outputs(Node node, StepItem step)
    {
        if (node is not MapNode map)
        {
            problems.Error("wrong-type", node.Position, "'outputs' must be a map: name to value.");
            return [];
        }
        var shape = OutputShapes.Of(step, catalog.Steps.GetValueOrDefault(step.Uses));
        // What the script leaves out is filled in later, so nothing is missing here.
        var loose = new RecordShape(step.Uses) { Lazily = new(() => shape.Members.ToDictionary(m => m.Key, m => m.Value with { Required = false })), Open = shape.Open };
        return _values.Record(map, loose, "", step.Uses);
    }

    ScriptedDecision? Decision(MapNode map, StepItem step, Answered answer, ResultFields fields, JsonObject? outputs)
    {
        var allowed = step.Uses switch { EngineItems.Approval => OfApproval, EngineItems.Manual => OfManual, _ => OfFailure };
        if (!allowed.Contains(answer))
            problems.Error("decision", map["decision"]!.Position, $"'{Word(answer)}' is no answer to what '{step.Id}' asks.", $"Possible: {string.Join(", ", allowed.Select(Word))}.");
        if ((fields.To is not null) != (answer == Answered.GoBack))
            problems.Error("decision", map.Position, "`to` names the step to go back to, and belongs to go-back.");
        else if (map["to"] is ScalarNode to)
            Step(to, blocks: false);
        var inputs = map["inputs"] is { } form ? _values.Read(form, new MapShape(Shape.Any), null, "inputs") as JsonObject : null;
        return new ScriptedDecision(Word(answer), map.Position) { By = fields.By, Reason = fields.Reason, To = fields.To, Inputs = inputs ?? [], Outputs = outputs };
    }

    static string Word(Answered answer) => JsonNamingPolicy.KebabCaseLower.ConvertName(answer.ToString());
}
