using System.Buffers;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model;

/// <summary>One written value as the shape that is due. Text stays as written; what YAML versions disagree about is refused where it matters.</summary>
static class ScalarValue
{
    /// <returns>Null when it does not fit; then <paramref name="fault"/> goes on after the name of the thing.</returns>
    public static JsonNode? Of(ScalarNode scalar, Shape shape, out string fault, out string? hint)
    {
        (fault, hint) = ("", null);
        var kind = CoreValue.KindOf(scalar);
        switch (shape)
        {
            case BooleanShape:
                return Boolean(scalar, kind, ref fault, ref hint);
            case NumberShape number:
                return Number(scalar, kind, number, ref fault, ref hint);
            case EnumShape choice:
                if (choice.Values.Contains(scalar.Text))
                    return JsonValue.Create(scalar.Text);
                fault = $"is '{scalar.Text}', and must be {choice.Words}.";
                hint = Suggestion.Nearest(scalar.Text, choice.Values) is { } near ? $"Did you mean '{near}'?" : null;
                return null;
            case FormShape form:
                if (form.Fits(scalar.Text))
                    return JsonValue.Create(scalar.Text);
                fault = $"is '{scalar.Text}', and must be {form.Form}.";
                hint = FormHint(scalar, form);
                return null;
            default:
                return Text(scalar, kind, ref fault, ref hint);
        }
    }

    static JsonValue? Text(ScalarNode scalar, CoreKind kind, ref string fault, ref string? hint)
    {
        if (kind != CoreKind.Float)
            return JsonValue.Create(scalar.Text);
        fault = $"must be text, and {scalar.Text} without quotes is a number.";
        hint = $"Write \"{scalar.Text}\": as a number 5.10 and 5.1 would be the same.";
        return null;
    }

    static readonly SearchValues<char> SignsOfExpressions = SearchValues.Create(".=<>&|!");

    static JsonValue? Boolean(ScalarNode scalar, CoreKind kind, ref string fault, ref string? hint)
    {
        if (kind == CoreKind.Boolean)
            return JsonValue.Create(scalar.Text[0] is 't' or 'T');
        fault = $"is '{scalar.Text}', and must be true or false.";
        hint = kind == CoreKind.OldBoolean ? $"Write {(scalar.Text[0] is 'y' or 'Y' || scalar.Text is "on" or "On" or "ON" ? "true" : "false")}."
            : scalar.Text is "true" or "false" ? "Remove the quotes."
            : scalar.Text.AsSpan().ContainsAny(SignsOfExpressions) ? "Write {{ … }} around it: without, it is text."
            : null;
        return null;
    }

    static JsonValue? Number(ScalarNode scalar, CoreKind kind, NumberShape shape, ref string fault, ref string? hint)
    {
        if (kind is CoreKind.Integer or CoreKind.Float && CoreValue.Number(scalar.Text) is JsonValue value)
        {
            if (!shape.Whole || value.TryGetValue<long>(out _))
                return value;
            fault = $"is {scalar.Text}, and must be a whole number.";
            return null;
        }
        fault = $"is '{scalar.Text}', and must be {shape.Words}.";
        hint = kind switch
        {
            CoreKind.Octal => "A number is decimal and has no leading zero.",
            CoreKind.Sexagesimal => "Some read 1:30 as 90: write the number itself.",
            CoreKind.Text when !scalar.IsPlain && CoreValue.Number(scalar.Text) is not null => "Remove the quotes.",
            _ => null,
        };
        return null;
    }

    static string? FormHint(ScalarNode scalar, FormShape form) =>
        form.Type == typeof(Steps.Mode) && CoreValue.KindOf(scalar) == CoreKind.Integer ? $"Write 0{scalar.Text}: a mode begins with 0."
        : form.Type == typeof(Steps.Duration) && CoreValue.KindOf(scalar) == CoreKind.Integer ? $"Write {scalar.Text}s for seconds, {scalar.Text}m for minutes."
        : form.Type == typeof(Steps.ByteSize) && CoreValue.KindOf(scalar) == CoreKind.Integer ? $"Write {scalar.Text}B for bytes, {scalar.Text}MiB for mebibytes."
        : null;
}
