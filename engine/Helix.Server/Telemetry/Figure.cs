using System.Globalization;
using System.Text;

namespace Helix.Server.Telemetry;

/// <summary>A number of the server under a name, for each value of its labels.</summary>
/// <param name="Samples">Labels as name and value in turn.</param>
sealed record Figure(string Name, string Help, IReadOnlyList<Sample> Samples);

sealed record Sample(IReadOnlyList<KeyValuePair<string, string>> Labels, double Value)
{
    public static Sample Of(double value, params ReadOnlySpan<string> pairs)
    {
        var labels = new List<KeyValuePair<string, string>>();
        for (var i = 0; i < pairs.Length; i += 2)
            labels.Add(new(pairs[i], pairs[i + 1]));
        return new Sample(labels, value);
    }
}

/// <summary>The text form of Prometheus.</summary>
sealed class MetricText
{
    readonly StringBuilder _text = new();

    public void Gauge(Figure figure)
    {
        Head(figure.Name, figure.Help, "gauge");
        foreach (var sample in figure.Samples)
            Line(figure.Name, sample.Labels, sample.Value);
    }

    public void Histogram(string name, string help, IEnumerable<Tally> tallies)
    {
        Head(name, help, "histogram");
        foreach (var tally in tallies)
        {
            foreach (var (limit, count) in tally.UpTo())
                Line(name + "_bucket", [.. tally.Labels, new("le", double.IsPositiveInfinity(limit) ? "+Inf" : limit.ToString(CultureInfo.InvariantCulture))], count);
            Line(name + "_sum", tally.Labels, tally.Sum);
            Line(name + "_count", tally.Labels, tally.Count);
        }
    }

    void Head(string name, string help, string type) => _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    void Line(string name, IReadOnlyList<KeyValuePair<string, string>> labels, double value) => _text.Append(name)
        .Append(labels.Count == 0 ? "" : "{" + string.Join(',', labels.Select(l => $"{l.Key}=\"{Escaped(l.Value)}\"")) + "}")
        .Append(CultureInfo.InvariantCulture, $" {value:0.###}\n");

    static string Escaped(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    public override string ToString() => _text.ToString();
}
