using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model;

/// <summary>A value in place of an expression that has none yet: the least that its shape takes. Text keeps the expression.</summary>
static class StandIn
{
    /// <summary>The value with each expression in it replaced where its shape takes no text.</summary>
    public static JsonNode For(JsonNode value, Shape shape, Member? member = null) => value switch
    {
        JsonValue scalar when scalar.TryGetValue<string>(out var text) && Template.Has(text) => Least(text, shape, member),
        JsonObject map => Map(map, shape),
        JsonArray list => new JsonArray([.. list.Select(item => item is null ? null : For(item, shape is ListShape of ? of.Element : Shape.Any, member is null ? null : member with { Default = null }))]),
        _ => value.DeepClone(),
    };

    static JsonObject Map(JsonObject map, Shape shape)
    {
        var result = new JsonObject();
        foreach (var (name, value) in map)
            result[name] = value is null ? null
                : shape is RecordShape record && record.Members.TryGetValue(name, out var member) ? For(value, member.Shape, member)
                : For(value, shape is MapShape of ? of.Value : Shape.Any);
        return result;
    }

    static JsonNode Least(string text, Shape shape, Member? member)
    {
        if (shape is not (TextShape or AnyShape or ListShape) && member?.Default is { } usual)
            return usual.DeepClone();
        return shape switch
        {
            NumberShape number => number.Whole ? JsonValue.Create((long)(member?.Minimum ?? 0)) : JsonValue.Create(member?.Minimum ?? 0),
            BooleanShape => JsonValue.Create(false),
            EnumShape choice => JsonValue.Create(choice.Values[0]),
            FormShape form => JsonValue.Create(form.Sample),
            SecretShape => JsonValue.Create("env:UNRESOLVED"),
            ListShape list => new JsonArray(Least(text, list.Element, null)),
            MapShape => new JsonObject(),
            RecordShape record => new JsonObject(record.Members.Values.Where(m => m.Required)
                .Select(m => KeyValuePair.Create(m.Name, (JsonNode?)Least(text, m.Shape, m)))),
            _ => Fitting(text, member),
        };
    }

    /// <summary>Text must have a form here and there: then its example stands for it.</summary>
    static JsonValue Fitting(string text, Member? member) =>
        member is { Rules: { } rules, Example: { } example } && rules.Faults(member.Name, JsonValue.Create(text)).Any() ? JsonValue.Create(example) : JsonValue.Create(text);
}
