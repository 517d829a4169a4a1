using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>The part of the schema that describes lists of steps: which fields an item has hangs on its kind, which options on its step type.</summary>
sealed class ItemSchemas(StepCatalog catalog, JsonObject defs)
{
    readonly ShapeSchema _fields = new(defs, templates: false);
    readonly ShapeSchema _options = new(defs, templates: true);

    public void Add()
    {
        defs["items"] = new JsonObject { ["type"] = "array", ["items"] = Ref("item") };
        defs["item"] = new JsonObject
        {
            ["type"] = "object",
            ["anyOf"] = new JsonArray([.. new[] { "uses", "parallel", "forEach", "steps" }.Select(k => (JsonNode)Has(k))]),
            ["allOf"] = new JsonArray(
                Kind(Has("uses"), "step"),
                Kind(Has("parallel"), "parallel"),
                Kind(Has("forEach"), "forEach"),
                Kind(new JsonObject { ["required"] = new JsonArray("steps"), ["not"] = Has("forEach") }, "group")),
        };
        defs["parallel"] = Fields(typeof(ParallelFields));
        defs["forEach"] = Fields(typeof(ForEachFields));
        defs["group"] = Fields(typeof(GroupFields));
        defs["forEach"]!["properties"]!["forEach"] = _options.Of(ShapeOf.Record(typeof(ForEachFields)).Members["forEach"].Shape);
        defs["step"] = Step();
    }

    JsonObject Step()
    {
        var step = Fields(typeof(StepFields));
        var properties = step["properties"]!.AsObject();
        properties["rescue"] = Ref("items");
        properties["finally"] = Ref("items");
        properties["uses"] = new JsonObject
        {
            ["enum"] = new JsonArray([.. catalog.Steps.Keys.Concat(EngineItems.All.Keys).Append(EngineItems.Runbook).Select(k => (JsonNode)k)]),
            ["description"] = "The step type.",
        };
        step["required"] = new JsonArray("uses", "id");
        step["allOf"] = new JsonArray([
            .. catalog.Steps.Values.Select(t => (JsonNode)SchemaWriter.When("uses", t.Name, OfType(t))),
            .. EngineItems.All.Select(e => (JsonNode)SchemaWriter.When("uses", e.Key, OfEngine(e.Key, e.Value.Options, e.Value.Summary))),
            SchemaWriter.When("uses", EngineItems.Runbook, OfRunbook())]);
        return step;
    }

    JsonObject OfType(StepType type)
    {
        var then = WithOptions(type.Name, type.OptionsType, type.About.Summary, "rescue", "finally");
        if (type.About.StatesEffect)
            (then["required"] as JsonArray ?? (JsonArray)(then["required"] = new JsonArray())).Add("effect");
        else
            then["properties"]!["effect"] = false;
        return then;
    }

    JsonObject OfEngine(string name, Type options, string summary) => WithOptions(name, options, summary, "rescue", "finally", "retry", "effect");

    JsonObject WithOptions(string name, Type options, string summary, params string[] refused)
    {
        var shape = ShapeOf.Record(options);
        defs["options-" + name] = _options.Inline(shape);
        defs["options-" + name]!["description"] = summary;
        var properties = new JsonObject { ["with"] = Ref("options-" + name) };
        foreach (var field in refused)
            properties[field] = false;
        var then = new JsonObject { ["properties"] = properties };
        if (shape.Members.Values.Any(m => m.Required))
            then["required"] = new JsonArray("with");
        return then;
    }

    JsonObject OfRunbook()
    {
        var then = WithOptions(EngineItems.Runbook, typeof(RunbookStepOptions), "Another runbook as one step.", "retry", "effect");
        defs["options-" + EngineItems.Runbook]!["properties"]!["inputs"] = new JsonObject { ["type"] = "object" };
        return then;
    }

    /// <summary>Fields of an item; of those only <c>when</c> takes an expression.</summary>
    JsonObject Fields(Type type)
    {
        var schema = _fields.Inline(ShapeOf.Record(type));
        schema["properties"]!["when"] = _options.OfMember(ShapeOf.Record(type).Members["when"]);
        return schema;
    }

    static JsonObject Kind(JsonObject condition, string name) => new() { ["if"] = condition, ["then"] = Ref(name) };
    static JsonObject Has(string field) => new() { ["required"] = new JsonArray(field) };
    static JsonObject Ref(string name) => new() { ["$ref"] = "#/$defs/" + Uri.EscapeDataString(name) };
}
