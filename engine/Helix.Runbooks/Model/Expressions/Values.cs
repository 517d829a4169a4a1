using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>JSON values as expressions see them.</summary>
static class Values
{
    public static bool? Boolean(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? node.GetValueKind() == JsonValueKind.True : null;

    public static string? Text(JsonNode? node) => node is JsonValue && node.GetValueKind() == JsonValueKind.String ? node.ToString() : null;

    public static double? Number(JsonNode? node) =>
        node is JsonValue && node.GetValueKind() == JsonValueKind.Number && double.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value
            : null;

    /// <summary>A number without a fraction, exactly.</summary>
    public static long? Whole(JsonNode? node)
    {
        if (node is not JsonValue || node.GetValueKind() != JsonValueKind.Number)
            return null;
        return long.TryParse(node.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole
            : Number(node) is { } value && Math.Floor(value) == value && Math.Abs(value) < 1L << 53 ? (long)value
            : null;
    }

    public static string Kind(JsonNode? node) => node switch
    {
        null => "nothing",
        JsonArray => "a list",
        JsonObject => "a map",
        _ => node.GetValueKind() switch
        {
            JsonValueKind.String => "text",
            JsonValueKind.Number => "a number",
            _ => "true or false",
        },
    };

    /// <summary>As it stands in a text.</summary>
    public static string Render(JsonNode? node) => node switch
    {
        null => "null",
        JsonArray or JsonObject => node.ToJsonString(StepJson.Options),
        _ when node.GetValueKind() == JsonValueKind.String => node.ToString(),
        _ when Whole(node) is { } whole => whole.ToString(CultureInfo.InvariantCulture),
        _ when Number(node) is { } number => number.ToString("R", CultureInfo.InvariantCulture),
        _ => node.ToJsonString(),
    };

    public static bool Same(JsonNode? a, JsonNode? b) =>
        Number(a) is { } x && Number(b) is { } y ? Whole(a) is { } i && Whole(b) is { } j ? i == j : x.Equals(y)
        : Text(a) is not null && Text(b) is not null && Compare(a, b) is { } order ? order == 0
        : JsonNode.DeepEquals(a, b);

    /// <summary>Numbers by value, times, durations and sizes by what they mean, other text by its characters. Null: of different types.</summary>
    public static int? Compare(JsonNode? a, JsonNode? b)
    {
        if (Whole(a) is { } i && Whole(b) is { } j)
            return i.CompareTo(j);
        if (Number(a) is { } x && Number(b) is { } y)
            return x.CompareTo(y);
        if (Text(a) is not { } s || Text(b) is not { } t)
            return null;
        if (Duration.TryParse(s, out var d) && Duration.TryParse(t, out var e))
            return d.Value.CompareTo(e.Value);
        if (ByteSize.TryParse(s, out var n) && ByteSize.TryParse(t, out var m))
            return n.Bytes.CompareTo(m.Bytes);
        return Time(s) is { } u && Time(t) is { } v ? u.CompareTo(v) : string.CompareOrdinal(s, t);
    }

    static DateTimeOffset? Time(string text) =>
        text.Length is >= 16 and < 40 && text[4] == '-' && text[10] == 'T'
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
