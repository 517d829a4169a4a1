using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>The references to secrets in the options of a step, so that a pre-flight can say before the first change that one leads nowhere.</summary>
static class NamedSecrets
{
    public static IEnumerable<Secret> In(JsonObject with, StepType type) => Of(with, ShapeOf.Type(type.OptionsType));

    static IEnumerable<Secret> Of(JsonNode? value, Shape shape) => (shape, value) switch
    {
        (SecretShape, JsonArray list) => References(list),
        (SecretShape, JsonValue one) => References([one]),
        (ListShape list, JsonArray items) => items.SelectMany(i => Of(i, list.Element)),
        (MapShape map, JsonObject entries) => entries.SelectMany(e => Of(e.Value, map.Value)),
        (RecordShape record, JsonObject fields) => fields.SelectMany(f => record.Members.TryGetValue(f.Key, out var member) ? Of(f.Value, member.Shape) : []),
        _ => [],
    };

    /// <summary>Nothing while one of them is still an expression.</summary>
    static IEnumerable<Secret> References(IEnumerable<JsonNode?> written)
    {
        var texts = written.Select(w => w?.ToString() ?? "").ToList();
        return texts.Count > 0 && texts.All(t => !Template.Has(t) && Secret.Fault(t) is null) ? [new Secret(texts)] : [];
    }
}
