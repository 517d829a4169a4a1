using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Metrics;

public enum MetricLevel { Good, Warning, Critical }

public enum MetricReaction { Continue, Fail }

public sealed record MetricCheckOptions
{
    [Description("What is measured, in words.")]
    [Example("\"disk of the database\"")]
    public required string Name { get; init; }

    [Description("Where the value comes from: exactly one of these.")]
    [Example("{ disk: { path: /var/lib/neo4j } }")]
    public required MetricSource From { get; init; }

    [Description("From here on it is a warning.")]
    public double? Warning { get; init; }

    [Description("From here on it is critical.")]
    public double? Critical { get; init; }

    [Description("Low values are the bad ones.")]
    public bool Below { get; init; }

    [Description("The unit, for messages; B shows sizes.")]
    [Example("\"%\"")]
    public string Unit { get; init; } = "";

    [Description("What to do about it, for the message.")]
    [Example("Expand the storage.")]
    public string? Action { get; init; }

    [Description("At a warning: go on with a warning, or fail.")]
    public MetricReaction AtWarning { get; init; } = MetricReaction.Continue;

    [Description("When it is critical: fail, or go on with a warning.")]
    public MetricReaction AtCritical { get; init; } = MetricReaction.Fail;

    [Description("Where it is going, judged by the history that the source has.")]
    public GrowthOptions? Growth { get; init; }
}

public sealed record MetricCheckOutputs
{
    public required double Value { get; init; }
    public required MetricLevel Level { get; init; }

    /// <summary>The value and what it means, in a sentence.</summary>
    public required string Text { get; init; }

    /// <summary>Growth for each day, where there is a history.</summary>
    public double? PerDay { get; init; }

    /// <summary>When the limit will be reached if it goes on like this; nothing when it does not grow.</summary>
    public DateTimeOffset? LimitReachedAt { get; init; }

    /// <summary>What was planned for today.</summary>
    public double? Planned { get; init; }
    public string? Warning { get; init; }
}

[Step("metric.check", "Compares a measured value with its thresholds, and its growth with the plan.")]
sealed class MetricCheck : Step<MetricCheckOptions, MetricCheckOutputs>
{
    public override IEnumerable<TargetEffect> Effects(MetricCheckOptions options) => [TargetEffect.Reads(options.From.TargetName)];

    public override Task<StepPlan> Plan(MetricCheckOptions options, PlanContext context)
    {
        CheckOptions(options);
        return Task.FromResult(new StepPlan { Lines = [$"compare {options.Name} with {string.Join(" and ", Thresholds(options))}"] });
    }

    public override async Task<MetricCheckOutputs> Run(MetricCheckOptions options, StepContext context)
    {
        CheckOptions(options);
        var metric = await options.From.Read(options.Below, context);
        var growth = options.Growth is { } how ? Growth.Of(metric.History, how, context.Time.GetUtcNow()) : null;
        var level = LevelOf(options, metric.Value);
        var findings = new List<string>(growth?.Findings(options.Name, v => Shown(v, options.Unit)) ?? []);
        var text = Sentence(options, metric, level);
        context.Log(text);
        if (level != MetricLevel.Good)
            findings.Insert(0, text);
        var worst = level == MetricLevel.Good && findings.Count > 0 ? MetricLevel.Warning : level;
        if (worst != MetricLevel.Good && (worst == MetricLevel.Critical ? options.AtCritical : options.AtWarning) == MetricReaction.Fail)
            throw StepFailedException.InvalidData(string.Join(" ", findings), options.Action);
        return new()
        {
            Value = metric.Value,
            Level = worst,
            Text = text,
            PerDay = growth?.PerDay,
            LimitReachedAt = growth?.LimitAt,
            Planned = growth?.Planned,
            Warning = findings.Count == 0 ? null : $"{string.Join(" ", findings)}{(options.Action is { } action ? $" {action}" : "")}",
        };
    }

    public override Task<ProbeResult<MetricCheckOutputs>> Probe(MetricCheckOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<MetricCheckOutputs>.NotDone("it only looks"));

    static void CheckOptions(MetricCheckOptions options)
    {
        _ = options.From.TargetName;
        if (options is { Warning: null, Critical: null, Growth: null })
            throw new RunbookException($"{options.Name} is compared with nothing.", "Give `warning`, `critical` or `growth`.");
        if (options is { Warning: { } warning, Critical: { } critical } && (options.Below ? warning < critical : warning > critical))
            throw new RunbookException($"The warning of {options.Name} ({warning}) would come after the critical value ({critical}).", options.Below ? "Low values are the bad ones here, because of `below`." : null);
        if (options.Growth is not null && options.From.Backups is null)
            throw new RunbookException($"There is no history of {options.Name}.", "Growth is read from the manifests of a backup series: `from: { backups: … }`.");
    }

    static MetricLevel LevelOf(MetricCheckOptions options, double value) =>
        Passes(options.Critical, value, options.Below) ? MetricLevel.Critical : Passes(options.Warning, value, options.Below) ? MetricLevel.Warning : MetricLevel.Good;

    static bool Passes(double? threshold, double value, bool below) => threshold is { } t && (below ? value <= t : value >= t);

    static IEnumerable<string> Thresholds(MetricCheckOptions options)
    {
        if (options.Warning is { } warning)
            yield return $"{Shown(warning, options.Unit)} (warning)";
        if (options.Critical is { } critical)
            yield return $"{Shown(critical, options.Unit)} (critical)";
        if (options.Growth is not null)
            yield return "the plan of its growth";
    }

    static string Sentence(MetricCheckOptions options, Metric metric, MetricLevel level)
    {
        var value = $"{options.Name}{(metric.Where is { } where ? $" of {where}" : "")} is {Shown(metric.Value, options.Unit)}";
        return level switch
        {
            MetricLevel.Critical => $"{value}; critical {Words(options)} {Shown(options.Critical!.Value, options.Unit)}.",
            MetricLevel.Warning => $"{value}; a warning {Words(options)} {Shown(options.Warning!.Value, options.Unit)}.",
            _ => $"{value}.",
        };
    }

    static string Words(MetricCheckOptions options) => options.Below ? "is at most" : "begins at";

    internal static string Shown(double value, string unit) => unit == "B"
        ? ByteSize.Words((long)value)
        : $"{value.ToString("#,0.###", System.Globalization.CultureInfo.InvariantCulture)}{(unit is "" or "%" ? unit : " " + unit)}";
}
