using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>JSON Schema (2020-12) of the kinds of document, from the same shapes that the readers check.</summary>
public static class SchemaWriter
{
    static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>File name below <c>schema/</c> → text.</summary>
    public static IReadOnlyDictionary<string, string> Files(StepCatalog catalog) => new Dictionary<string, string>
    {
        ["runbook.schema.json"] = Runbook(catalog),
        ["environment.schema.json"] = Environment(catalog),
        ["schedules.schema.json"] = Schedules(),
        ["triggers.schema.json"] = Triggers(),
        ["sign-on.schema.json"] = SignOn(),
    };

    public static string Runbook(StepCatalog catalog) => RunbookNode(catalog).ToJsonString(Indented) + "\n";
    public static string Environment(StepCatalog catalog) => EnvironmentNode(catalog).ToJsonString(Indented) + "\n";

    public static string Schedules() => SchedulesNode().ToJsonString(Indented) + "\n";

    internal static JsonObject SchedulesNode()
    {
        var defs = new JsonObject();
        var root = Document("Helix schedules", new ShapeSchema(defs, templates: false).Inline(ShapeOf.Record(typeof(Schedules.SchedulesFields))));
        root["properties"]!["schedules"]!["propertyNames"] = new JsonObject { ["pattern"] = Names.IdPattern };
        root["properties"]!["freezes"]!["propertyNames"] = new JsonObject { ["pattern"] = Names.IdPattern };
        root["$defs"] = defs;
        return root;
    }

    public static string Triggers()
    {
        var defs = new JsonObject();
        var root = Document("Helix triggers", new ShapeSchema(defs, templates: false).Inline(ShapeOf.Record(typeof(Model.Triggers.TriggersFields))));
        root["properties"]!["hooks"]!["propertyNames"] = new JsonObject { ["pattern"] = Names.KebabPattern };
        root["properties"]!["triggers"]!["propertyNames"] = new JsonObject { ["pattern"] = Names.IdPattern };
        root["$defs"] = defs;
        return root.ToJsonString(Indented) + "\n";
    }

    public static string SignOn()
    {
        var defs = new JsonObject();
        var root = Document("Helix sign-on", new ShapeSchema(defs, templates: false).Inline(ShapeOf.Record(typeof(SignOns.SignOnFields))));
        root["properties"]!["roles"]!["additionalProperties"]!["items"]!["pattern"] = SignOns.SignOnFields.RolePattern;
        if (defs.Count > 0)
            root["$defs"] = defs;
        return root.ToJsonString(Indented) + "\n";
    }

    internal static JsonObject RunbookNode(StepCatalog catalog)
    {
        var defs = new JsonObject();
        var head = new ShapeSchema(defs, templates: false);
        var root = Document("Helix runbook", head.Of(ShapeOf.Record(typeof(RunbookFields))));
        new ItemSchemas(catalog, defs).Add();
        foreach (var named in new[] { "inputs", "outputs", "needs" })
            root["properties"]![named]!["propertyNames"] = new JsonObject { ["pattern"] = Names.IdPattern };
        root["properties"]!["steps"]!["minItems"] = 1;
        root["$defs"] = defs;
        return root;
    }

    internal static JsonObject EnvironmentNode(StepCatalog catalog)
    {
        var defs = new JsonObject();
        var schema = new ShapeSchema(defs, templates: false);
        var root = Document("Helix environment", schema.Of(ShapeOf.Record(typeof(EnvironmentFields))));
        root["properties"]!["vars"]!["propertyNames"] = new JsonObject { ["pattern"] = Names.IdPattern };
        defs["target"] = new JsonObject
        {
            ["type"] = "object",
            ["required"] = new JsonArray("kind"),
            ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["enum"] = new JsonArray([.. catalog.TargetKinds.Keys.Select(k => (JsonNode)k)]) } },
            ["allOf"] = new JsonArray([.. catalog.TargetKinds.Values.Select(k => (JsonNode)When("kind", k.Name, Target(schema, k)))]),
        };
        root["$defs"] = defs;
        return root;
    }

    static JsonObject Document(string title, JsonObject schema)
    {
        var root = new JsonObject { ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["title"] = title };
        foreach (var (name, value) in schema.ToList())
        {
            schema.Remove(name);
            root[name] = value;
        }
        return root;
    }

    static JsonObject Target(ShapeSchema schema, TargetKind kind)
    {
        var record = schema.Inline(ShapeOf.Record(kind.Type));
        record["description"] = kind.About.Summary;
        record["properties"]!.AsObject().Insert(0, "kind", true);
        return record;
    }

    /// <summary>Without <c>required</c> the condition would hold where the field is missing.</summary>
    internal static JsonObject When(string field, string value, JsonObject then) => new()
    {
        ["if"] = new JsonObject { ["properties"] = new JsonObject { [field] = new JsonObject { ["const"] = value } }, ["required"] = new JsonArray(field) },
        ["then"] = then,
    };
}
