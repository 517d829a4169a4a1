using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>Typed text or JSON → values of the inputs' types.</summary>
public static class InputBinder
{
    /// <exception cref="RunbookException">All that is wrong with the inputs, in one message.</exception>
    public static JsonObject Bind(Runbook runbook, JsonObject given)
    {
        var faults = new List<string>();
        foreach (var (name, _) in given)
            if (!runbook.Inputs.ContainsKey(name))
                faults.Add($"There is no input '{name}'.");
        var bound = new JsonObject();
        foreach (var (name, input) in runbook.Inputs)
        {
            var value = given[name] ?? input.Default;
            if (value is null && input.Required)
                faults.Add($"Input '{name}' is required{(input.Description is { } d ? $": {d}" : ".")}");
            else if (value is not null && Fit(input.Type, value, input.Choices) is not { } fit)
                faults.Add($"Input '{name}' is {Shown(input, value)}, and {Form(input.Type, input.Choices)} is due.");
            else if (value is not null && OutOfBounds(input, Fit(input.Type, value, input.Choices)!) is { } why)
                faults.Add($"Input '{name}' {why}");
            else
                bound[name] = value is null ? null : Fit(input.Type, value, input.Choices);
        }
        return faults.Count == 0 ? bound : throw new RunbookException(string.Join("\n", faults), Known(runbook));
    }

    /// <summary>Just the inputs that are given.</summary>
    public static JsonObject BindSome(Runbook runbook, JsonObject given)
    {
        var names = given.Select(g => g.Key).ToHashSet();
        var some = runbook with { Inputs = runbook.Inputs.Where(i => names.Contains(i.Key)).ToDictionary() };
        return Bind(given.Count > 0 && some.Inputs.Count < names.Count ? runbook : some, given);
    }

    /// <summary>The value in its type, or null when it does not fit.</summary>
    public static JsonNode? Fit(InputType type, JsonNode value, IReadOnlyList<string> choices)
    {
        var text = value is JsonValue v && v.TryGetValue<string>(out var s) ? s : null;
        return type switch
        {
            InputType.String => JsonValue.Create(text ?? value.ToJsonString()),
            InputType.Backup => text is { Length: > 0 } ? JsonValue.Create(text) : null,
            InputType.Number => Number(value, text),
            InputType.Boolean => Boolean(value, text),
            InputType.Duration => text is not null && Duration.TryParse(text, out _) ? JsonValue.Create(text) : null,
            InputType.Timestamp => Timestamp(text),
            InputType.Choice => text is not null && choices.Contains(text) ? JsonValue.Create(text) : null,
            InputType.Secret => text is not null && Secret.Fault(text) is null ? JsonValue.Create(text) : null,
            _ => null,
        };
    }

    public static string Form(InputType type, IReadOnlyList<string> choices) => type switch
    {
        InputType.Number => "a number",
        InputType.Boolean => "true or false",
        InputType.Duration => Duration.Form,
        InputType.Timestamp => Moment.Form,
        InputType.Choice => "one of " + string.Join(", ", choices),
        InputType.Secret => "a reference such as env:NAME or file:/path, never the value",
        InputType.Backup => "latest, latest-proven, before:TIMESTAMP or the key of a backup",
        _ => "text",
    };

    static JsonNode? Number(JsonNode value, string? text) =>
        text is null
            ? value.GetValueKind() == System.Text.Json.JsonValueKind.Number ? JsonNode.Parse(value.ToJsonString()) : null
            // As in the file: a whole number keeps all its digits.
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? JsonNode.Parse(whole.ToString(CultureInfo.InvariantCulture))
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? JsonNode.Parse(number.ToString("R", CultureInfo.InvariantCulture)) : null;

    static JsonValue? Boolean(JsonNode value, string? text) =>
        text is null
            ? value is JsonValue v && v.TryGetValue<bool>(out var b) ? JsonValue.Create(b) : null
            : text switch { "true" => JsonValue.Create(true), "false" => JsonValue.Create(false), _ => null };

    static JsonValue? Timestamp(string? text) =>
        // The blank that people write is a T to every step that reads it.
        Moment.TryParse(text, out _) ? JsonValue.Create(text!.Replace(' ', 'T')) : null;

    static string? OutOfBounds(Input input, JsonNode value)
    {
        if (input.Type == InputType.Number && value.GetValue<double>() is var number && (number < input.Minimum || number > input.Maximum))
            return $"is {number}, outside {input.Minimum?.ToString() ?? "…"} to {input.Maximum?.ToString() ?? "…"}.";
        if (input.Pattern is { } pattern && value is JsonValue v && v.TryGetValue<string>(out var text)
            && !Regex.IsMatch(text, $"^(?:{pattern})$", RegexOptions.None, TimeSpan.FromSeconds(1)))
            return $"does not match {pattern}.";
        return null;
    }

    // A value typed for a secret by mistake must not be repeated.
    static string Shown(Input input, JsonNode value) => input.Type == InputType.Secret ? "no reference" : value.ToJsonString(StepJson.Options);

    static string Known(Runbook runbook) =>
        runbook.Inputs.Count == 0 ? "This runbook has no inputs." : "Inputs are given as --input name=value; this runbook has " + string.Join(", ", runbook.Inputs.Keys) + ".";
}
