using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Helix.Runbooks.Model.Yaml;

enum CoreKind { Text, Null, Boolean, Integer, Float, Octal, Sexagesimal, OldBoolean }

/// <summary>What YAML 1.2 makes of a plain scalar, and what older YAML would have made of it.</summary>
static partial class CoreValue
{
    public static CoreKind KindOf(ScalarNode scalar)
    {
        if (!scalar.IsPlain)
            return CoreKind.Text;
        var text = scalar.Text;
        return text is "" or "~" or "null" or "Null" or "NULL" ? CoreKind.Null
            : text is "true" or "True" or "TRUE" or "false" or "False" or "FALSE" ? CoreKind.Boolean
            : Octal().IsMatch(text) ? CoreKind.Octal
            : Integer().IsMatch(text) ? CoreKind.Integer
            : Float().IsMatch(text) ? CoreKind.Float
            : Sexagesimal().IsMatch(text) ? CoreKind.Sexagesimal
            : OldBoolean().IsMatch(text) ? CoreKind.OldBoolean
            : CoreKind.Text;
    }

    /// <summary>The value where any type is allowed. Numbers of doubtful form stay text.</summary>
    public static JsonNode? Of(ScalarNode scalar) => KindOf(scalar) switch
    {
        CoreKind.Null => null,
        CoreKind.Boolean => JsonValue.Create(scalar.Text[0] is 't' or 'T'),
        CoreKind.Integer or CoreKind.Float => Number(scalar.Text) ?? JsonValue.Create(scalar.Text),
        _ => JsonValue.Create(scalar.Text),
    };

    /// <summary>Null when it does not fit a number.</summary>
    public static JsonValue? Number(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return JsonValue.Create(whole);
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? JsonValue.Create(value)
            : null;
    }

    [GeneratedRegex(@"^[-+]?(0\d+|0o[0-7]+|0x[0-9a-fA-F]+|0b[01]+)$")]
    private static partial Regex Octal();

    [GeneratedRegex(@"^[-+]?\d+$")]
    private static partial Regex Integer();

    [GeneratedRegex(@"^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$")]
    private static partial Regex Float();

    [GeneratedRegex(@"^[-+]?\d{1,3}(:[0-5]?\d)+(\.\d*)?$")]
    private static partial Regex Sexagesimal();

    [GeneratedRegex("^(y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$")]
    private static partial Regex OldBoolean();
}
