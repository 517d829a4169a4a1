using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Helix.Server.Telemetry;

/// <summary>Times that were measured since this server started: how many, together, and how many up to each limit.</summary>
sealed class Tally(IReadOnlyList<KeyValuePair<string, string>> labels)
{
    static readonly double[] Limits = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, double.PositiveInfinity];

    readonly Lock _lock = new();
    readonly long[] _counts = new long[Limits.Length];

    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; } = labels;
    public double Sum { get; private set; }
    public long Count { get; private set; }

    public void Add(double seconds)
    {
        lock (_lock)
        {
            _counts[Array.FindIndex(Limits, l => seconds <= l)]++;
            Sum += seconds;
            Count++;
        }
    }

    public List<(double Limit, long Count)> UpTo()
    {
        lock (_lock)
            return [.. Limits.Select((limit, i) => (limit, _counts.Take(i + 1).Sum()))];
    }
}

/// <summary>How long steps took and people were waited for, in runs that this server drives.</summary>
sealed class Durations(Meter meter)
{
    public const string Steps = "helix_step_seconds", Waits = "helix_wait_seconds";
    public const string StepsHelp = "Duration of attempts of steps in runs that this server drove.", WaitsHelp = "Time that its runs waited, for people or for a time.";

    readonly Histogram<double> _steps = meter.CreateHistogram<double>(Steps, "s", StepsHelp);
    readonly Histogram<double> _waits = meter.CreateHistogram<double>(Waits, "s", WaitsHelp);
    readonly ConcurrentDictionary<string, Tally> _tallies = [];

    public void Step(TimeSpan took, string environment, string uses, string result) => Add(_steps, Steps, took, [new("environment", environment), new("uses", uses), new("result", result)]);

    public void Wait(TimeSpan took, string environment, string what) => Add(_waits, Waits, took, [new("environment", environment), new("for", what)]);

    /// <summary>Those of one name in environments that may be seen.</summary>
    public IEnumerable<Tally> Of(string name, Func<string, bool> sees) =>
        _tallies.OrderBy(t => t.Key, StringComparer.Ordinal).Where(t => t.Key.StartsWith(name, StringComparison.Ordinal) && sees(t.Value.Labels[0].Value)).Select(t => t.Value);

    void Add(Histogram<double> histogram, string name, TimeSpan took, IReadOnlyList<KeyValuePair<string, string>> labels)
    {
        histogram.Record(took.TotalSeconds, [.. labels.Select(l => KeyValuePair.Create(l.Key, (object?)l.Value))]);
        _tallies.GetOrAdd(name + string.Concat(labels.Select(l => "\n" + l.Value)), _ => new Tally(labels)).Add(took.TotalSeconds);
    }
}
