using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>
/// Takes secrets out of what an event says, and leaves what the run is held together by: a password like "redis" must not
/// rename the step "redis_stop", turn a digest or a time into stars, or make the event unreadable.
/// </summary>
static class EventMask
{
    /// <summary>Names from runbook and environment, digests, and words of the engine: nothing that a tool, a server or a person can write into.</summary>
    static readonly HashSet<string> Structure =
    [
        "Path", "Question", "Key", "Uses", "Ask", "Name", "Target", "LoadsFrom", "From", "To", "Reset", "Output", "Host", "Gate", "Source",
        "Choice", "Choices", "Approvers", "OneFromEach", "OnExpiry", "OnReject", "EscalateTo", "Account", "Environment", "Identity",
        "Sha256", "ShownHash", "PlanHash", "Pinned",
    ];

    /// <returns>The same object when no secret is in it.</returns>
    public static RunEvent Of(RunEvent e, Masker masker)
    {
        if (masker.Longest == 0)
            return e;
        var text = JsonSerializer.Serialize(e, StepJson.Options);
        if (ReferenceEquals(masker.Mask(text), text))
            return e;
        var node = (JsonObject)JsonNode.Parse(text)!;
        Record(node, e.GetType(), masker);
        return node.Deserialize<RunEvent>(StepJson.Options)!;
    }

    static void Record(JsonObject node, Type type, Masker masker)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => !Structure.Contains(p.Name)))
            if (JsonNamingPolicy.CamelCase.ConvertName(property.Name) is var name && node[name] is { } value)
                node[name] = Masked(value, property.PropertyType, masker);
    }

    static JsonNode? Masked(JsonNode? node, Type type, Masker masker)
    {
        switch (node)
        {
            case JsonValue value when type == typeof(string) || IsFree(type):
                return value.GetValueKind() == JsonValueKind.String && value.GetValue<string>() is var text && masker.Mask(text) is var masked && !ReferenceEquals(masked, text) ? JsonValue.Create(masked) : value.DeepClone();
            case JsonArray list:
                return new JsonArray([.. list.Select(n => Masked(n, IsFree(type) ? type : ElementOf(type), masker))]);
            case JsonObject map when IsFree(type) || IsMap(type):
                return new JsonObject(map.Select(p => KeyValuePair.Create(p.Key, Masked(p.Value, typeof(JsonNode), masker))));
            case JsonObject record:
                var copy = (JsonObject)record.DeepClone();
                Record(copy, type, masker);
                return copy;
            default:
                return node?.DeepClone();
        }
    }

    /// <summary>Values of options and outputs, whose form the event does not know.</summary>
    static bool IsFree(Type type) => typeof(JsonNode).IsAssignableFrom(type);

    static bool IsMap(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>);

    static Type ElementOf(Type list) => list.IsGenericType ? list.GetGenericArguments()[0] : typeof(JsonNode);
}
