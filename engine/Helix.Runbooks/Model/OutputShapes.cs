using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>What a step puts out, as later expressions see it.</summary>
static class OutputShapes
{
    /// <summary>Of something that was not understood: everything may be there.</summary>
    public static readonly RecordShape Unknown = RecordShape.Of("unknown", [], open: true);

    public static RecordShape Of(StepItem item, StepType? type)
    {
        if (item.Uses is EngineItems.Approval or EngineItems.Manual)
            return Decision(item);
        if (EngineItems.All.TryGetValue(item.Uses, out var engine))
            return ShapeOf.Record(engine.Outputs);
        if (type is null)
            return Unknown;
        return type.DeclaresOutputs ? Declared(item) : ShapeOf.Record(type.OutputsType);
    }

    static RecordShape Declared(StepItem item) =>
        RecordShape.Of(item.Id, Entries(item.With["outputs"]).Select(o => new Member(o.Key, InputShapes.Of(Read<Steps.ValueType>(o.Value!["type"])))));

    static RecordShape Decision(StepItem item)
    {
        var form = RecordShape.Of(item.Id, Entries(item.With["inputs"]).Select(i =>
            new Member(i.Key, InputShapes.Of(Read<InputType>(i.Value!["type"]), [.. (i.Value["choices"] as JsonArray ?? []).Select(c => c!.ToString())]))));
        return RecordShape.Of(item.Id, ShapeOf.Record(typeof(DecisionOutputs)).Members.Values.Select(m => new Member(m.Name, m.Name == "inputs" ? form : m.Shape)));
    }

    static IEnumerable<KeyValuePair<string, JsonNode?>> Entries(JsonNode? map) => (map as JsonObject ?? []).Where(e => e.Value is JsonObject);

    static T Read<T>(JsonNode? value) where T : struct => value is null ? default : (T)StepJson.Read(value, typeof(T));
}
