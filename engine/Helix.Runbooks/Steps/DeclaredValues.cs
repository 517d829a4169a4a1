using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Helix.Runbooks.Steps;

/// <summary>Takes declared outputs out of what a command printed or a server answered.</summary>
public static partial class DeclaredValues
{
    /// <exception cref="StepFailedException">Invalid data: the text has no such value, or one of another type.</exception>
    public static DeclaredOutputs Read(IReadOnlyDictionary<string, DeclaredOutput> declared, string text, string source) =>
        new() { Values = declared.ToDictionary(d => d.Key, d => (object?)One(d.Key, d.Value, text, source)) };

    /// <summary>The value at a path such as <c>$.nodes[0].name</c> or <c>$['odd name']</c>; null when there is none.</summary>
    /// <exception cref="RunbookException">The path is malformed.</exception>
    public static JsonNode? At(JsonNode? root, string path)
    {
        if (!PathForm().IsMatch(path))
            throw new RunbookException($"'{path}' is no path into JSON.", "Write json:$.name, json:$[0].name or json:$['odd name'].");
        var at = root;
        foreach (Match part in Part().Matches(path[1..]))
            at = part.Groups["index"] is { Success: true } index
                ? at is JsonArray list && int.Parse(index.Value, CultureInfo.InvariantCulture) is var i && i < list.Count ? list[i] : null
                : at is JsonObject map ? map[part.Groups["name"].Success ? part.Groups["name"].Value : part.Groups["quoted"].Value] : null;
        return at;
    }

    static JsonNode One(string name, DeclaredOutput output, string text, string source)
    {
        var value = output.From switch
        {
            "text" => JsonValue.Create(text.Trim()),
            "lines" => new JsonArray([.. text.TrimEnd('\n').Split('\n').Where(l => l.Length > 0).Select(l => JsonValue.Create(l.TrimEnd('\r')))]),
            var from when from.StartsWith("json:", StringComparison.Ordinal) => At(Parse(name, text, source), from["json:".Length..]),
            var from => throw new RunbookException($"The output '{name}' is to come from '{from}', and there is no such source.", "Use text, lines or json:PATH."),
        };
        if (value is null)
            throw StepFailedException.InvalidData($"{source} has no value at {output.From} for the output '{name}'.");
        return Typed(value, output.Type) ?? throw StepFailedException.InvalidData(
            $"The output '{name}' of {source} is not a {JsonSerializer.SerializeToNode(output.Type, StepJson.Options)}: {Short(value.ToJsonString(StepJson.Options))}.",
            output.Type == ValueType.Timestamp ? $"It must be {Moment.Form}: without an offset nobody knows when that was." : null);
    }

    static JsonNode? Parse(string name, string text, string source)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            throw StepFailedException.InvalidData($"{source} gave no JSON, and the output '{name}' is to come from it: {Short(text)}");
        }
    }

    /// <summary>Text that reads as the type is taken for it: commands print nothing but text.</summary>
    static JsonNode? Typed(JsonNode value, ValueType type)
    {
        var text = value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;
        return type switch
        {
            ValueType.Text => text is not null ? value.DeepClone() : value is JsonValue ? JsonValue.Create(value.ToJsonString()) : null,
            ValueType.Number when value.GetValueKind() == JsonValueKind.Number => value.DeepClone(),
            ValueType.Number => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? JsonValue.Create(whole)
                : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? JsonValue.Create(number) : null,
            ValueType.Boolean when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => value.DeepClone(),
            ValueType.Boolean => text switch { "true" => JsonValue.Create(true), "false" => JsonValue.Create(false), _ => null },
            ValueType.Duration => text is not null && Duration.TryParse(text, out _) ? value.DeepClone() : null,
            ValueType.Timestamp => Moment.TryParse(text, out var time) ? JsonValue.Create(time) : null,
            ValueType.List => value is JsonArray ? value.DeepClone() : null,
            ValueType.Object => value is JsonObject ? value.DeepClone() : null,
            _ => null,
        };
    }

    static string Short(string text) => text.Length <= 200 ? text : text[..200] + "…";

    [GeneratedRegex(@"^\$((\.[A-Za-z_][A-Za-z0-9_-]*)|(\[\d{1,9}\])|(\['[^']+'\]))*$")]
    private static partial Regex PathForm();

    [GeneratedRegex(@"\.(?<name>[A-Za-z_][A-Za-z0-9_-]*)|\[(?<index>\d+)\]|\['(?<quoted>[^']+)'\]")]
    private static partial Regex Part();
}
