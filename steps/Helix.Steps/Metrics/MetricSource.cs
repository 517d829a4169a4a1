using System.ComponentModel;
using Helix.Runbooks.Steps;
using Helix.Steps.Http;

namespace Helix.Steps.Metrics;

/// <summary>A measured value, what of several it belongs to, and its history, oldest first.</summary>
sealed record Metric(double Value, string? Where = null)
{
    public IReadOnlyList<(DateTimeOffset At, double Value)> History { get; init; } = [];
}

/// <summary>Where a value comes from: exactly one.</summary>
public sealed record MetricSource
{
    [Description("The result of a query of Prometheus; of several series the worst counts.")]
    public PrometheusMetric? Prometheus { get; init; }

    [Description("A number in the JSON that a server answers.")]
    public HttpMetric? Http { get; init; }

    [Description("A field of INFO of a Redis server.")]
    public RedisMetric? Redis { get; init; }

    [Description("The only value that a query of Neo4j gives.")]
    public CypherMetric? Cypher { get; init; }

    [Description("How full, in percent, the file system of a path of this machine is.")]
    public DiskMetric? Disk { get; init; }

    [Description("CPU or memory of this machine, in percent.")]
    public HostMetric? Host { get; init; }

    [Description("A command that prints a number.")]
    public CommandMetric? Command { get; init; }

    [Description("Size or counts of the backups of a series; it has a history.")]
    public BackupMetric? Backups { get; init; }

    internal string? TargetName => One().Target;

    internal Task<Metric> Read(bool below, StepContext context) => One().Read(below, context);

    /// <exception cref="RunbookException">None, or several.</exception>
    MetricOrigin One()
    {
        var given = new MetricOrigin?[] { Prometheus, Http, Redis, Cypher, Disk, Host, Command, Backups }.OfType<MetricOrigin>().ToList();
        return given.Count == 1 ? given[0] : throw new RunbookException($"A value comes from one source, and {given.Count} are given.", "Give one of prometheus, http, redis, cypher, disk, host, command and backups.");
    }
}

/// <summary>One kind of source.</summary>
public abstract record MetricOrigin
{
    internal virtual string? Target => null;
    internal abstract Task<Metric> Read(bool below, StepContext context);

    /// <summary>A comma is refused: "0,85" is 0.85 to one and 85 to another.</summary>
    internal static double Number(string? text, string source) =>
        double.TryParse(text?.Trim(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value
            : throw StepFailedException.InvalidData($"{source} gives no number: {HttpCall.Short(text ?? "nothing")}.",
                text?.Contains(',') == true ? "Numbers are written with a point and without separators: 0.85, 12500." : null);
}
