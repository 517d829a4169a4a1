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

    /// <summary>What the run reads back and acts upon: there a password that is no more than a word stays what it is.</summary>
    static readonly HashSet<string> Kept = ["With", "Outputs", "Value", "Items", "Inputs", "Shown"];

    /// <returns>The same object when no secret is in it.</returns>
    public static RunEvent Of(RunEvent e, Masker masker)
    {
        if (masker.Longest == 0)
            return e;
        var text = JsonSerializer.Serialize(e, Chain.Options);
        if (ReferenceEquals(masker.Mask(text), text))
            return e;
        var node = (JsonObject)JsonNode.Parse(text)!;
        Record(node, e.GetType(), masker);
        // As it is read from the journal: what is absent is null.
        return node.Deserialize<RunEvent>(Chain.Options)!;
    }

    /// <summary>What the run is going to do must stand in the record word for word, or a retry and a resume would do something else.</summary>
    /// <exception cref="RunbookException">A secret is written out in it.</exception>
    public static void RefusePlain(Masker masker, string what, JsonNode? value)
    {
        if (Hides(masker, value))
            throw new RunbookException($"{what} holds a secret in plain text; the record, from which retries and a resume read it, must not hold it.",
                "Name the secret where the step takes one (env:NAME, file:/path, vault:target/path#field). If no secret is meant there, the password is a common word: set another.");
    }

    /// <summary>The record does not keep it as it is.</summary>
    public static bool Hides(Masker masker, JsonNode? value) =>
        masker.Longest > 0 && value?.ToJsonString(StepJson.Options) is { } text && !ReferenceEquals(masker.MaskKept(text), text);

    static void Record(JsonObject node, Type type, Masker masker)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => !Structure.Contains(p.Name)))
            if (JsonNamingPolicy.CamelCase.ConvertName(property.Name) is var name && node[name] is { } value)
                node[name] = Masked(value, property.PropertyType, masker, Kept.Contains(property.Name) ? masker.MaskKept : masker.Mask);
    }

    static JsonNode? Masked(JsonNode? node, Type type, Masker masker, Func<string, string> mask)
    {
        switch (node)
        {
            case JsonValue value when type == typeof(string) || IsFree(type):
                return value.GetValueKind() == JsonValueKind.String && value.GetValue<string>() is var text && mask(text) is var masked && !ReferenceEquals(masked, text) ? JsonValue.Create(masked) : value.DeepClone();
            case JsonArray list:
                return new JsonArray([.. list.Select(n => Masked(n, IsFree(type) ? type : ElementOf(type), masker, mask))]);
            case JsonObject map when IsFree(type) || IsMap(type):
                return new JsonObject(map.Select(p => KeyValuePair.Create(p.Key, Masked(p.Value, typeof(JsonNode), masker, mask))));
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
