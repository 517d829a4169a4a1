using System.Globalization;

namespace Helix.Steps.Redis;

/// <summary>The answer of INFO.</summary>
sealed class RedisInfo(string text)
{
    readonly Dictionary<string, string> _values = text.Split('\n')
        .Select(line => line.TrimEnd('\r'))
        .Where(line => line.Length > 0 && line[0] != '#' && line.Contains(':'))
        .Select(line => line.Split(':', 2))
        .GroupBy(pair => pair[0])
        .ToDictionary(pairs => pairs.Key, pairs => pairs.First()[1]);

    public string? Text(string name) => _values.GetValueOrDefault(name);
    public long? Number(string name) =>
        long.TryParse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    public bool Flag(string name) => Text(name) == "1";

    /// <summary>Values of the form <c>slave0:ip=…,port=…</c> whose name is the prefix and a number.</summary>
    public IEnumerable<(int Number, Dictionary<string, string> Fields)> Rows(string prefix) =>
        from pair in _values
        where pair.Key.StartsWith(prefix, StringComparison.Ordinal) && int.TryParse(pair.Key[prefix.Length..], NumberStyles.None, null, out _)
        select (int.Parse(pair.Key[prefix.Length..], CultureInfo.InvariantCulture),
            pair.Value.Split(',').Select(f => f.Split('=', 2)).Where(f => f.Length == 2).ToDictionary(f => f[0], f => f[1]));
}
