using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Helix.Steps.Backups;

/// <summary>Which backups are kept. Times are recovery points in UTC.</summary>
public record Retention
{
    [Description("Keep the newest of each of the last so many hours that have one.")]
    [Range(0, 10_000)]
    public int KeepHourly { get; init; }

    [Description("The same for days.")]
    [Range(0, 10_000)]
    public int KeepDaily { get; init; }

    [Description("The same for weeks (ISO, from Monday).")]
    [Range(0, 10_000)]
    public int KeepWeekly { get; init; }

    [Description("The same for months.")]
    [Range(0, 10_000)]
    public int KeepMonthly { get; init; }

    [Description("The same for years.")]
    [Range(0, 1_000)]
    public int KeepYearly { get; init; }

    [Description("Keep at least so many of the newest complete ones, whatever their age.")]
    [Range(1, 10_000)]
    public int KeepAtLeast { get; init; } = 3;

    [Description("Keep so many of the newest that have a good proof.")]
    [Range(1, 10_000)]
    public int KeepProven { get; init; } = 1;

    /// <summary>For each complete backup the reasons to keep it; none: it may go.</summary>
    /// <param name="complete">None that a restore found bad: it would take the place of a good one. Newest recovery point first.</param>
    internal IReadOnlyDictionary<string, IReadOnlyList<string>> Reasons(IReadOnlyList<BackupManifest> complete)
    {
        var reasons = complete.ToDictionary(m => m.Key, _ => new List<string>());
        foreach (var (manifest, number) in complete.Take(KeepAtLeast).Select((m, i) => (m, i + 1)))
            reasons[manifest.Key].Add(number == 1 ? "newest" : $"one of the {KeepAtLeast} newest");
        foreach (var (manifest, number) in complete.Where(m => m.Proven).Take(KeepProven).Select((m, i) => (m, i + 1)))
            reasons[manifest.Key].Add(number == 1 ? "newest proven" : $"one of the {KeepProven} newest proven");
        foreach (var (name, count, period) in Periods())
            foreach (var newest in complete.GroupBy(m => period(m.RecoveryPoint.UtcDateTime)).Take(count))
                reasons[newest.First().Key].Add($"{name} {newest.Key}");
        return reasons.ToDictionary(r => r.Key, r => (IReadOnlyList<string>)r.Value);
    }

    [JsonIgnore]
    public bool SaysNothing => KeepHourly + KeepDaily + KeepWeekly + KeepMonthly + KeepYearly == 0;

    IEnumerable<(string Name, int Count, Func<DateTime, string> Period)> Periods() =>
    [
        ("hourly", KeepHourly, t => t.ToString("yyyy-MM-dd HH'h'", CultureInfo.InvariantCulture)),
        ("daily", KeepDaily, t => t.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        ("weekly", KeepWeekly, t => $"{ISOWeek.GetYear(t)}-W{ISOWeek.GetWeekOfYear(t):00}"),
        ("monthly", KeepMonthly, t => t.ToString("yyyy-MM", CultureInfo.InvariantCulture)),
        ("yearly", KeepYearly, t => t.ToString("yyyy", CultureInfo.InvariantCulture)),
    ];
}
