using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Metrics;

public sealed record GrowthOptions
{
    [Description("The most that there is room for.")]
    public double? Limit { get; init; }

    [Description("It is a warning when the limit will be reached within this time.")]
    public Duration Horizon { get; init; } = new(TimeSpan.FromDays(90));

    [Description("What was planned: value by day. Between two days it is a straight line.")]
    [Example("[{ on: 2026-01-01T00:00:00Z, value: 1000 }, { on: 2026-07-01T00:00:00Z, value: 10000 }]")]
    public IReadOnlyList<PlannedValue> Plan { get; init; } = [];

    [Description("So much more than planned is no warning yet, in percent.")]
    [Range(0, 1000)]
    public double Tolerance { get; init; } = 20;

    [Description("Only the newest so long a time counts: what grew a year ago says little of today.")]
    public Duration Window { get; init; } = new(TimeSpan.FromDays(30));
}

public sealed record PlannedValue
{
    [Description("The day.")]
    [Example("2026-07-01T00:00:00Z")]
    public required DateTimeOffset On { get; init; }

    [Description("The value planned for it.")]
    [Example("10000")]
    public required double Value { get; init; }
}

/// <summary>Where a value is going: the straight line that fits its history best.</summary>
sealed record Growth(GrowthOptions Options, double Now, double? PerDay, DateTimeOffset? LimitAt, double? Planned, DateTimeOffset Today)
{
    public static Growth Of(IReadOnlyList<(DateTimeOffset At, double Value)> history, GrowthOptions options, DateTimeOffset today)
    {
        if (history.Count == 0)
            throw StepFailedException.Missing("There is no history to read a growth from.");
        var recent = history.Where(p => p.At >= today - options.Window.Value).ToList();
        var (now, perDay) = (history[^1].Value, Slope(recent));
        return new(options, now, perDay, LimitOf(now, perDay, options.Limit, today), PlannedOn(options.Plan, today), today);
    }

    public IEnumerable<string> Findings(string name, Func<double, string> shown)
    {
        if (LimitAt is { } at && at <= Today + Options.Horizon.Value)
            yield return at <= Today
                ? $"{name} has reached its limit of {shown(Options.Limit!.Value)}."
                : $"{name} grows by {shown(PerDay!.Value)} a day and reaches its limit of {shown(Options.Limit!.Value)} on {at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.";
        if (Planned is { } planned && Now > planned * (1 + Options.Tolerance / 100))
            yield return $"{name} is {shown(Now)}, and {shown(planned)} was planned for today.";
    }

    /// <summary>Least squares; nothing to say of less than two moments.</summary>
    static double? Slope(List<(DateTimeOffset At, double Value)> points)
    {
        if (points.Count < 2 || points[^1].At == points[0].At)
            return null;
        var days = points.Select(p => (p.At - points[0].At).TotalDays).ToList();
        var (meanDay, meanValue) = (days.Average(), points.Average(p => p.Value));
        var spread = days.Sum(d => (d - meanDay) * (d - meanDay));
        return points.Select((p, i) => (days[i] - meanDay) * (p.Value - meanValue)).Sum() / spread;
    }

    static DateTimeOffset? LimitOf(double now, double? perDay, double? limit, DateTimeOffset today) => (limit, perDay) switch
    {
        (null, _) => null,
        ({ } l, _) when now >= l => today,
        ({ } l, > 0) when (l - now) / perDay < 36_500 => today.AddDays((l - now) / perDay.Value),
        _ => null,
    };

    static double? PlannedOn(IReadOnlyList<PlannedValue> plan, DateTimeOffset day)
    {
        var points = plan.OrderBy(p => p.On).ToList();
        if (points.Count == 0)
            return null;
        var after = points.FindIndex(p => p.On >= day);
        if (after <= 0)
            return points[after == 0 ? 0 : ^1].Value;
        var (a, b) = (points[after - 1], points[after]);
        return a.Value + (b.Value - a.Value) * ((day - a.On) / (b.On - a.On));
    }
}
