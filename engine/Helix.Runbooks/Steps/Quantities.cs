using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Helix.Runbooks.Steps;

/// <summary>A span of time written <c>90s</c>, <c>15m</c>, <c>4h</c>, <c>7d</c>, <c>250ms</c>, or combined, <c>1h30m</c>.</summary>
[JsonConverter(typeof(TextConverter<Duration>))]
public readonly partial record struct Duration(TimeSpan Value) : ITextValue<Duration>
{
    public const string Pattern = @"^(?=.)(\d+d)?(\d+h)?(\d+m(?!s))?(\d+s)?(\d+ms)?$";
    public static string Form => "a duration such as 90s, 15m, 4h, 7d or 1h30m";

    public static implicit operator TimeSpan(Duration duration) => duration.Value;

    public static bool TryParse(string text, out Duration value)
    {
        value = default;
        var match = Regex().Match(text);
        if (!match.Success)
            return false;
        double[] milliseconds = [86_400_000, 3_600_000, 60_000, 1_000, 1];
        double total = 0;
        for (var i = 0; i < milliseconds.Length; i++)
        {
            var part = match.Groups[i + 1].Value.TrimEnd('d', 'h', 'm', 's');
            if (part.Length > 9)
                return false;
            if (part.Length > 0)
                total += double.Parse(part, CultureInfo.InvariantCulture) * milliseconds[i];
        }
        if (total > TimeSpan.FromDays(36_500).TotalMilliseconds)
            return false;
        value = new Duration(TimeSpan.FromMilliseconds(total));
        return true;
    }

    public override string ToString()
    {
        var v = Value;
        var text = (v.Days > 0 ? $"{v.Days}d" : "") + (v.Hours > 0 ? $"{v.Hours}h" : "") + (v.Minutes > 0 ? $"{v.Minutes}m" : "")
            + (v.Seconds > 0 ? $"{v.Seconds}s" : "") + (v.Milliseconds > 0 ? $"{v.Milliseconds}ms" : "");
        return text.Length == 0 ? "0s" : text;
    }

    [GeneratedRegex(Pattern)]
    private static partial Regex Regex();
}

/// <summary>A number of bytes written <c>10MiB</c>, <c>5GB</c>, <c>512B</c>.</summary>
[JsonConverter(typeof(TextConverter<ByteSize>))]
public readonly partial record struct ByteSize(long Bytes) : ITextValue<ByteSize>
{
    public const string Pattern = @"^(\d+)(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$";
    public static string Form => "a size such as 10MiB, 5GB or 512B";

    static readonly Dictionary<string, long> Units = new()
    {
        ["B"] = 1,
        ["kB"] = 1_000,
        ["MB"] = 1_000_000,
        ["GB"] = 1_000_000_000,
        ["TB"] = 1_000_000_000_000,
        ["KiB"] = 1L << 10,
        ["MiB"] = 1L << 20,
        ["GiB"] = 1L << 30,
        ["TiB"] = 1L << 40,
    };

    public static bool TryParse(string text, out ByteSize value)
    {
        value = default;
        var match = Regex().Match(text);
        if (!match.Success || match.Groups[1].Length > 15)
            return false;
        var total = (Int128)long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * Units[match.Groups[2].Value];
        if (total > long.MaxValue)
            return false;
        value = new ByteSize((long)total);
        return true;
    }

    /// <summary>For people: "9.8 MiB".</summary>
    public static string Words(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        double value = bytes;
        var unit = 0;
        while (value >= 1024 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    public override string ToString()
    {
        var bytes = Bytes;
        foreach (var (unit, size) in Units.OrderByDescending(u => u.Value))
            if (bytes >= size && bytes % size == 0)
                return $"{bytes / size}{unit}";
        return "0B";
    }

    [GeneratedRegex(Pattern)]
    private static partial Regex Regex();
}

/// <summary>The permission bits of a file, written as text: <c>0644</c>; <c>0o644</c> means the same, 644 without the zero is refused (YML-02).</summary>
[JsonConverter(typeof(TextConverter<Mode>))]
public readonly partial record struct Mode(UnixFileMode Value) : ITextValue<Mode>
{
    public const string Pattern = "^0o?[0-7]{3,4}$";
    public static string Form => "a file mode such as \"0644\"";

    public static bool TryParse(string text, out Mode value)
    {
        value = default;
        if (!Regex().IsMatch(text))
            return false;
        value = new Mode((UnixFileMode)Convert.ToInt32(text.Replace("o", "", StringComparison.Ordinal), 8));
        return true;
    }

    public override string ToString() => "0" + Convert.ToString((int)Value, 8).PadLeft(3, '0');

    [GeneratedRegex(Pattern)]
    private static partial Regex Regex();
}

/// <summary>A value that is written as text of a fixed form.</summary>
public interface ITextValue<T>
{
    /// <summary>In words, with an article and examples, for messages.</summary>
    static abstract string Form { get; }
    static abstract bool TryParse(string text, out T value);
}

sealed class TextConverter<T> : JsonConverter<T> where T : struct, ITextValue<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && T.TryParse(reader.GetString()!, out var value)
            ? value
            : throw new JsonException($"This must be {T.Form}.");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
