using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model.Shapes;

/// <summary>Shape → JSON Schema.</summary>
/// <param name="defs">Where records are put that are named more than once.</param>
/// <param name="templates">An expression may stand in place of a value.</param>
sealed class ShapeSchema(JsonObject defs, bool templates)
{
    readonly Dictionary<RecordShape, string> _names = [];
    const string SecretPattern = "^(env|file|vault):.";

    public JsonObject Of(Shape shape) => shape switch
    {
        RecordShape { ShortFor: { } name } record => Either(OfMember(record.Members[name]), Reference(record)),
        RecordShape record when record.Type == typeof(RunbookFields) || record.Type == typeof(EnvironmentFields) => Inline(record),
        RecordShape record => OrExpression(Reference(record)),
        MapShape map => OrExpression(new() { ["type"] = "object", ["additionalProperties"] = Of(map.Value) }),
        ListShape list => OrExpression(new() { ["type"] = "array", ["items"] = Of(list.Element) }),
        TextShape => new() { ["type"] = new JsonArray("string", "integer", "boolean") },
        NumberShape number => OrExpression(new() { ["type"] = number.Whole ? "integer" : "number" }),
        BooleanShape => OrExpression(new() { ["type"] = "boolean" }),
        EnumShape choice => OrExpression(new() { ["enum"] = new JsonArray([.. choice.Values.Select(v => (JsonNode)v)]) }, anywhere: true),
        FormShape form => OrExpression(OfForm(form), anywhere: true),
        SecretShape => Secret(),
        BlockShape { Kind: BlockKind.Items } => new() { ["$ref"] = "#/$defs/items" },
        BlockShape { Kind: BlockKind.Branches } => new() { ["type"] = "array", ["items"] = new JsonObject { ["$ref"] = "#/$defs/items" } },
        BlockShape { Kind: BlockKind.Targets } => new()
        {
            ["type"] = "object",
            ["propertyNames"] = new JsonObject { ["pattern"] = Names.IdPattern },
            ["additionalProperties"] = new JsonObject { ["$ref"] = "#/$defs/target" },
        },
        _ => [],
    };

    public JsonObject Inline(RecordShape record)
    {
        var properties = new JsonObject(record.Members.Values.Select(m => KeyValuePair.Create(m.Name, (JsonNode?)OfMember(m))));
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        var required = record.Members.Values.Where(m => m.Required).Select(m => (JsonNode)m.Name).ToArray();
        if (required.Length > 0)
            schema["required"] = new JsonArray(required);
        if (!record.Open)
            schema["additionalProperties"] = false;
        return schema;
    }

    public JsonObject OfMember(Member member)
    {
        var schema = Of(member.Shape);
        Limit(schema["anyOf"]?[0]?.AsObject() ?? schema, member);
        if (member.NoTemplate)
            schema["not"] = new JsonObject { ["type"] = "string", ["pattern"] = @"\{\{" };
        if (member.Description is { } description)
            schema["description"] = description;
        if (member.Default is JsonValue or JsonArray { Count: > 0 } or JsonObject { Count: > 0 })
            schema["default"] = member.Default.DeepClone();
        if (member.Example is { } example && Parsed(example) is { } value)
            schema["examples"] = new JsonArray(value);
        return schema;
    }

    static void Limit(JsonObject schema, Member member)
    {
        if (member.Minimum is { } minimum)
            schema["minimum"] = Number(minimum);
        if (member.Maximum is { } maximum)
            schema["maximum"] = Number(maximum);
        if (member.MinLength is { } least)
            schema[member.Shape is ListShape ? "minItems" : "minLength"] = least;
        if (member.MaxLength is { } most)
            schema[member.Shape is ListShape ? "maxItems" : "maxLength"] = most;
        if (member.Pattern is { } pattern)
        {
            schema["type"] = "string";
            schema["pattern"] = pattern is Names.IdPattern or Names.KebabPattern ? pattern : $"^(?:{pattern})$";
        }
    }

    static JsonValue Number(double value) => Math.Floor(value) == value && Math.Abs(value) < 1e15 ? JsonValue.Create((long)value) : JsonValue.Create(value);

    static JsonObject OfForm(FormShape form)
    {
        var schema = new JsonObject { ["type"] = "string" };
        if (form.Pattern is not null)
            schema["pattern"] = form.Pattern;
        return schema;
    }

    JsonObject Reference(RecordShape record)
    {
        if (!_names.TryGetValue(record, out var name))
        {
            name = NewName(record);
            _names[record] = name;
            defs[name] = new JsonObject();
            defs[name] = Inline(record);
        }
        return new() { ["$ref"] = "#/$defs/" + name };
    }

    /// <summary>Two namespaces may each have a record of one name.</summary>
    string NewName(RecordShape record)
    {
        var name = record.Name + (templates ? "" : "-fixed");
        for (var i = 2; defs.ContainsKey(name); i++)
            name = $"{record.Name}{(templates ? "" : "-fixed")}-{i}";
        return name;
    }

    /// <summary>A whole expression where the value itself is no text; anywhere in the text where it is.</summary>
    JsonObject OrExpression(JsonObject schema, bool anywhere = false) =>
        templates ? Either(schema, new() { ["type"] = "string", ["pattern"] = anywhere ? @"\{\{" : @"^\{\{[\s\S]*\}\}$" }) : schema;

    JsonObject Secret()
    {
        var one = new JsonObject { ["type"] = "string", ["pattern"] = templates ? $@"{SecretPattern}|\{{\{{" : SecretPattern };
        return Either(one, new() { ["type"] = "array", ["minItems"] = 1, ["items"] = one.DeepClone() });
    }

    static JsonObject Either(JsonObject a, JsonObject b) => new() { ["anyOf"] = new JsonArray(a, b) };

    static JsonNode? Parsed(string example)
    {
        var root = new YamlText("example", new ProblemList()).Read(System.Text.Encoding.UTF8.GetBytes(example));
        return root is null ? null : ToJson(root);
    }

    /// <summary>A document as an editor's YAML parser sees it.</summary>
    public static JsonNode? ToJson(Node node) => node switch
    {
        ScalarNode scalar => CoreValue.Of(scalar),
        ListNode list => new JsonArray([.. list.Items.Select(ToJson)]),
        MapNode map => new JsonObject(map.Entries.Select(e => KeyValuePair.Create(e.Key.Text, ToJson(e.Value)))),
        _ => null,
    };
}
