using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model.Schedules;

/// <summary>A valid file of schedules.</summary>
public sealed record ScheduleBook
{
    public required string Name { get; init; }
    public required string Path { get; init; }
    public required IReadOnlyList<Schedule> Schedules { get; init; }
    public IReadOnlyList<FreezeWindow> Freezes { get; init; } = [];

    /// <summary>The freeze in which a schedule starts nothing at this moment, and until when; the longest one.</summary>
    public (FreezeWindow Freeze, DateTimeOffset Until)? FreezeOf(Schedule schedule, DateTimeOffset moment)
    {
        var open = Freezes.Where(f => f.Concerns(schedule)).Select(f => (Freeze: f, Until: f.OpenUntil(moment))).Where(f => f.Until is not null).ToList();
        return open.Count == 0 ? null : open.Select(f => (f.Freeze, f.Until!.Value)).MaxBy(f => f.Value);
    }
}

/// <summary>When a runbook is started, with what, and what happens when that cannot be.</summary>
public sealed record Schedule
{
    /// <summary>Unique in its file.</summary>
    public required string Name { get; init; }
    public required Runbook Runbook { get; init; }
    public required Environment Environment { get; init; }
    public required JsonObject Inputs { get; init; }
    public required Rhythm Rhythm { get; init; }
    public required OverlapPolicy Overlap { get; init; }
    public required MissedPolicy Missed { get; init; }

    /// <summary>A start comes later by up to so much.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Full paths, with wildcards: a planned time starts a run only when one of these files changed. Empty: always.</summary>
    public IReadOnlyList<string> OnChange { get; init; } = [];

    /// <summary>Alarm when no run has succeeded for so long.</summary>
    public required TimeSpan FreshFor { get; init; }
    public required ScheduledMode Mode { get; init; }
    public required bool Enabled { get; init; }
    public required Position Position { get; init; }

    /// <summary>Series of backups of which every run that succeeds adds one.</summary>
    public IReadOnlyList<(string Target, string Prefix)> Produces => [.. Surely(Runbook.Steps)
        .Where(s => s.Uses == "backup.upload" && s.With["onlyIfChanged"]?.ToString() is null or "false")
        .Select(s => (s.With["target"]!.ToString(), s.With["prefix"]!.ToString())).Where(s => !Template.Has(s.Item1) && !Template.Has(s.Item2)).Distinct()];

    /// <summary>It removes backups.</summary>
    public bool Prunes => Items.All(Runbook).OfType<StepItem>().Any(s => s.Uses == "backup.prune");

    /// <summary>When the run of a planned time starts: the same on every machine that computes it.</summary>
    public DateTimeOffset StartOf(DateTimeOffset planned)
    {
        if (Jitter == TimeSpan.Zero)
            return planned;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Name}\n{planned.UtcTicks}\njitter")));
        var share = BitConverter.ToUInt32(hash) / (double)uint.MaxValue;
        return planned + TimeSpan.FromSeconds(Math.Floor(Jitter.TotalSeconds * share));
    }

    /// <summary>Starts after a moment, in order.</summary>
    public IEnumerable<(DateTimeOffset Planned, DateTimeOffset At)> StartsAfter(DateTimeOffset moment) =>
        Rhythm.After(moment - Jitter).Select(t => (t, StartOf(t))).Where(t => t.Item2 > moment);

    /// <summary>Steps that a run cannot go by.</summary>
    static IEnumerable<StepItem> Surely(IReadOnlyList<Item> items) => items.Where(i => i.When is null).SelectMany(i => i switch
    {
        StepItem step => [step],
        ParallelItem parallel => parallel.Branches.SelectMany(Surely),
        GroupItem group => Surely(group.Steps),
        _ => [],
    });
}
