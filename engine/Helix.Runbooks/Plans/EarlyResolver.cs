using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>Resolves the options that need nothing but inputs and vars; the others stay as templates.</summary>
sealed partial class EarlyResolver(StepCatalog catalog, Model.Environment environment, JsonObject inputs)
{
    readonly JsonObject _vars = PlanFacts.Vars(environment);
    readonly JsonObject _targets = PlanFacts.Targets(environment);

    public JsonObject Resolve(Place place, StepItem item)
    {
        var known = new JsonObject(item.With.Where(p => IsKnown(p.Value, place)).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
        if (InputsOf(place.Frame) is not { } visible)
            return (JsonObject)item.With.DeepClone();
        var type = EngineItems.All.TryGetValue(item.Uses, out var own) ? own.Options : catalog.Steps[item.Uses].OptionsType;
        foreach (var (name, list) in PartlyKnown(item, place, type))
            known[name] = new JsonArray([.. list.Select(e => IsKnown(e, place) ? e?.DeepClone() : JsonValue.Create(""))]);
        var resolved = TemplateEvaluator.Resolve(item with { With = known }, Scope(visible), type);
        foreach (var (name, list) in PartlyKnown(item, place, type))
            resolved[name] = new JsonArray([.. list.Select((e, i) => (IsKnown(e, place) ? resolved[name]![i] : e)?.DeepClone())]);
        return new JsonObject(item.With.Select(p => KeyValuePair.Create(p.Key, (resolved[p.Key] ?? p.Value)?.DeepClone())));
    }

    /// <summary>Lists of text of which only some elements need the run: an argument that is known is shown, whatever stands beside it.</summary>
    IEnumerable<(string Name, JsonArray List)> PartlyKnown(StepItem item, Place place, Type type) =>
        from option in item.With
        where option.Value is JsonArray && !IsKnown(option.Value, place) && ShapeOf.Record(type).Members.GetValueOrDefault(option.Key)?.Shape is ListShape { Element: TextShape }
        let list = (JsonArray)option.Value!
        where list.All(e => e is JsonValue v && v.TryGetValue<string>(out _))
        select (option.Key, list);

    bool IsKnown(JsonNode? value, Place place) => value?.ToJsonString(StepJson.Options) is not { } text || !Template.Has(text)
        || (!NeedsTheRun(text) && !place.Loops.Any(l => text.Contains(l.Item.As, StringComparison.Ordinal)));

    ExpressionScope Scope(JsonObject visible) => new() { Inputs = visible, Vars = _vars, Targets = _targets };

    /// <summary>A sub-runbook's inputs are known when they need nothing of the run themselves.</summary>
    JsonObject? InputsOf(Frame frame)
    {
        if (frame.Item is null)
            return inputs;
        if (InputsOf(frame.Item.Frame) is not { } outer || NeedsTheRun(((RunbookItem)frame.Item.Item).Inputs.ToJsonString(StepJson.Options)) || frame.Item.Loops.Count > 0)
            return null;
        var given = TemplateEvaluator.Resolve(((RunbookItem)frame.Item.Item).Inputs, Scope(outer), null, _ => frame.Item.Item.Position);
        foreach (var (name, input) in frame.Runbook.Inputs)
            if (!given.ContainsKey(name) && input.Default is { } value)
                given[name] = value.DeepClone();
        return given;
    }

    /// <summary>It names what only the run knows.</summary>
    public static bool NeedsTheRun(string text) => OfTheRun().IsMatch(text);

    [GeneratedRegex(@"\b(steps|run)\s*\.")]
    private static partial Regex OfTheRun();
}
