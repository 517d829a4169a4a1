using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>Properties as JSON, and which of their texts are times: those must become times again, not texts.</summary>
sealed partial record TypedProperties(JsonObject Values, IReadOnlyDictionary<string, string> Functions)
{
    /// <summary>A part of a query: the names of the properties that really are texts. Before 3.4 there were no times.</summary>
    public static string Texts(string entity, Neo4jVersion version) => version.IsAtLeast(4, 4)
        ? $"[k IN keys({entity}) WHERE toStringOrNull({entity}[k]) = {entity}[k]]"
        : version.IsAtLeast(3, 4) ? "[]" : $"keys({entity})";

    /// <param name="texts">The names of real texts.</param>
    /// <exception cref="StepFailedException">A value that cannot be carried over as what it is.</exception>
    public static TypedProperties Of(JsonObject values, JsonArray? texts, string server)
    {
        var real = (texts ?? []).Select(t => (string)t!).ToHashSet(StringComparer.Ordinal);
        var functions = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in values)
            if (value is JsonObject || (value is JsonArray list && list.Any(v => v is JsonObject)))
                throw StepFailedException.InvalidData($"The property {name} of a node of {server} is a point, which is not copied.", "Copy such nodes by a query of your own.");
            else if (value is JsonValue text && text.TryGetValue<string>(out var written) && !real.Contains(name) && Function(written) is { } function)
                functions[name] = function;
        return new((JsonObject)values.DeepClone(), functions);
    }

    /// <summary>What makes the time again of which this is the text; each form means one type only.</summary>
    static string? Function(string text) =>
        Date().IsMatch(text) ? "date" : Zoned().IsMatch(text) ? "datetime" : Local().IsMatch(text) ? "localdatetime"
        : ZonedTime().IsMatch(text) ? "time" : LocalTime().IsMatch(text) ? "localtime" : Span().IsMatch(text) ? "duration" : null;

    /// <summary>A part of a query that gives the entity these properties.</summary>
    public string Set(string entity, string map) =>
        string.Concat(Functions.Select(f => $", {entity}.{GraphCounts.Quoted(f.Key)} = {f.Value}({map}.{GraphCounts.Quoted(f.Key)})")).Insert(0, $"SET {entity} = {map}");

    /// <summary>Those with the same can be written by one query.</summary>
    public string Shape => string.Join(",", Functions.Select(f => $"{f.Key}:{f.Value}"));

    const string Clock = @"\d{2}:\d{2}(:\d{2}(\.\d+)?)?", Zone = @"(Z|[+-]\d{2}:\d{2}(:\d{2})?)(\[[\w/+-]+\])?";

    [GeneratedRegex(@"^-?\d{4,}-\d{2}-\d{2}$")]
    private static partial Regex Date();

    [GeneratedRegex(@"^-?\d{4,}-\d{2}-\d{2}T" + Clock + Zone + "$")]
    private static partial Regex Zoned();

    [GeneratedRegex(@"^-?\d{4,}-\d{2}-\d{2}T" + Clock + "$")]
    private static partial Regex Local();

    [GeneratedRegex("^" + Clock + Zone + "$")]
    private static partial Regex ZonedTime();

    [GeneratedRegex("^" + Clock + "$")]
    private static partial Regex LocalTime();

    [GeneratedRegex(@"^P(?=.)(-?\d+[YMWD])*(T(-?\d+(\.\d+)?[HMS])+)?$")]
    private static partial Regex Span();
}
