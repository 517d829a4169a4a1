using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs.Simulations;

/// <summary>The outputs of a step that succeeded, where no script says them: the least value of each type.</summary>
static class OutputStandIn
{
    /// <param name="file">The path of the file that the step would have written.</param>
    public static JsonObject For(StepItem item, StepType type, string file)
    {
        var outputs = new JsonObject();
        foreach (var member in OutputShapes.Of(item, type).Members.Values)
            if (member.Name != "warning")
                outputs[member.Name] = Special(member, file) ?? member.Default?.DeepClone() ?? Least(member.Shape, member.Name);
        return outputs;
    }

    /// <summary>What gates look at: a backup that nothing is said about is a good one.</summary>
    static JsonValue? Special(Member member, string file) => (member.Name, member.Shape) switch
    {
        ("file", TextShape) => JsonValue.Create(file),
        ("proven", BooleanShape) => JsonValue.Create(true),
        ("sha256", TextShape) => JsonValue.Create(new string('0', 64)),
        _ => null,
    };

    public static JsonNode Least(Shape shape, string name) => shape switch
    {
        NumberShape number => number.Whole ? JsonValue.Create(0L) : JsonValue.Create(0.0),
        BooleanShape => JsonValue.Create(false),
        EnumShape { Values.Count: > 0 } choice => JsonValue.Create(choice.Values[0]),
        FormShape form => JsonValue.Create(form.Sample),
        SecretShape => JsonValue.Create("env:SIMULATED"),
        ListShape => new JsonArray(),
        MapShape or AnyShape => new JsonObject(),
        RecordShape record => new JsonObject(record.Members.Values.Where(m => m.Required)
            .Select(m => KeyValuePair.Create(m.Name, (JsonNode?)Least(m.Shape, m.Name)))),
        _ => JsonValue.Create(name),
    };
}
