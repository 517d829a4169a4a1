using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model.Schedules;

/// <summary>A valid file of schedules.</summary>
public sealed record ScheduleBook
{
    public required string Name { get; init; }
    public required string Path { get; init; }
    public required IReadOnlyList<Schedule> Schedules { get; init; }
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

    /// <summary>Alarm when no run has succeeded for so long.</summary>
    public required TimeSpan FreshFor { get; init; }
    public required ScheduledMode Mode { get; init; }
    public required bool Enabled { get; init; }
    public required Position Position { get; init; }
}
