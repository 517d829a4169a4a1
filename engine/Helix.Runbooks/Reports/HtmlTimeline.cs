using System.Globalization;
using System.Text;

namespace Helix.Runbooks.Reports;

/// <summary>Where the time went, step by step: bars for what happened over a thin one for what is usual, and the same in words.</summary>
static class HtmlTimeline
{
    static readonly (string Kind, string Words)[] Kinds =
    [
        ("machine", "machine works"), ("waiting-for-people", "waiting for people"), ("waiting-for-time", "waiting for a time"), ("retry", "pause before another attempt"), ("suspended", "nobody drove it"),
    ];

    public static void Append(StringBuilder html, RunReport report)
    {
        if (report.Timeline.Count == 0)
            return;
        var from = report.Timeline.Min(s => s.Start);
        var to = report.Timeline.Max(s => s.End);
        var whole = Math.Max(0.001, (to - from).TotalSeconds);
        html.Append("<h2>Timeline</h2>\n<ul class=\"legend\">");
        foreach (var (kind, words) in Kinds)
            html.Append($"<li><svg viewBox=\"0 0 16 8\" aria-hidden=\"true\"><rect class=\"{kind}\" width=\"16\" height=\"8\"/></svg>{words}</li>");
        html.Append("<li><svg viewBox=\"0 0 16 8\" aria-hidden=\"true\"><rect class=\"plan\" y=\"5\" width=\"16\" height=\"3\"/></svg>as long as usual</li></ul>\n");
        html.Append($"<p>From {Words.Moment(from)} to {Words.Moment(to)}, {Words.Clock(to - from)}.</p>\n");
        foreach (var row in Rows(report))
            Append(html, report, row, from, whole);
    }

    /// <summary>In the order of the table of steps; spans of the run as a whole first.</summary>
    static IEnumerable<IGrouping<string, ReportedSpan>> Rows(RunReport report)
    {
        var order = report.Steps.Select((s, i) => (s.Path, i)).GroupBy(s => s.Path).ToDictionary(g => g.Key, g => g.Last().i);
        return report.Timeline.GroupBy(s => s.Path).OrderBy(g => g.Key.Length == 0 ? -1 : order.GetValueOrDefault(g.Key, int.MaxValue));
    }

    static void Append(StringBuilder html, RunReport report, IGrouping<string, ReportedSpan> row, DateTimeOffset from, double whole)
    {
        var usually = report.Steps.LastOrDefault(s => s.Path == row.Key)?.Usually;
        var path = row.Key.Length == 0 ? "the run" : row.Key;
        var told = Told(row, usually);
        html.Append($"<div class=\"row\"><span class=\"path\">{HtmlReport.E(path)}</span><svg viewBox=\"0 0 1000 24\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{HtmlReport.E($"{path}: {told}")}\">");
        foreach (var span in row)
            Bar(html, span.Kind, span.Start, span.End - span.Start, from, whole, 2, 15);
        if (usually is { } u)
            Bar(html, "plan", row.Min(s => s.Start), u, from, whole, 19, 4);
        html.Append($"</svg><span class=\"told\">{HtmlReport.E(told)}</span></div>\n");
    }

    static void Bar(StringBuilder html, string kind, DateTimeOffset start, TimeSpan length, DateTimeOffset from, double whole, int y, int height)
    {
        var x = 1000 * (start - from).TotalSeconds / whole;
        // Wide enough to be seen, and never over the edge.
        var width = Math.Max(2, Math.Min(1000 - x, 1000 * length.TotalSeconds / whole));
        html.Append(string.Create(CultureInfo.InvariantCulture, $"<rect class=\"{kind}\" x=\"{Math.Min(x, 998):0.#}\" y=\"{y}\" width=\"{width:0.#}\" height=\"{height}\"/>"));
    }

    static string Told(IEnumerable<ReportedSpan> row, TimeSpan? usually)
    {
        var parts = row.GroupBy(s => s.Kind).Select(g => $"{Words.Span(TimeSpan.FromTicks(g.Sum(s => (s.End - s.Start).Ticks)))} {Kinds.FirstOrDefault(k => k.Kind == g.Key).Words ?? g.Key}");
        return string.Join(", ", parts) + (usually is { } u ? $" (usually {Words.Span(u)})" : "");
    }
}
