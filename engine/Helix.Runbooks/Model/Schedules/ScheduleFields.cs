using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Schedules;

// The fields of a file of schedules, as they are written.

sealed record SchedulesFields
{
    [Description("The version of the language: helix.runbooks/v1."), Required]
    public ApiVersion? ApiVersion { get; init; }

    [Description("Equals the file name, in kebab-case."), Required, RegularExpression(Names.KebabPattern)]
    public string? Name { get; init; }

    [Description("The time zone of all times, by its IANA name, as Europe/Berlin or UTC."), Required]
    public string? TimeZone { get; init; }

    [Description("The environment of those that name none; relative to this file.")]
    public string? Environment { get; init; }

    [Description("Times in which nothing starts by itself: name to window. Runs that people start are not concerned.")]
    public IReadOnlyDictionary<string, FreezeFields>? Freezes { get; init; }

    [Description("Name to schedule."), Required]
    public IReadOnlyDictionary<string, ScheduleFields>? Schedules { get; init; }
}

sealed record ScheduleFields
{
    [Description("The runbook; relative to this file."), Required]
    public string? Runbook { get; init; }

    [Description("The environment, when it is another one.")]
    public string? Environment { get; init; }

    [Description("Values of the runbook's inputs.")]
    public OptionsField? Inputs { get; init; }

    [Description("Minute, hour, day of the month, month, day of the week by its name: five fields, as '30 * * * *' or '0 4 * * SUN'."), Required]
    public string? Cron { get; init; }

    [Description("The time zone, when it is another one.")]
    public string? TimeZone { get; init; }

    [Description("What happens when clocks are changed. skip: a time that does not exist is left out. once: it comes right after the gap. shift: the rhythm goes on as if no clock had been changed, so that a time that comes twice runs twice; else it runs the first time."), Required]
    public DstPolicy? Dst { get; init; }

    [Description("What happens when the run before is not over: leave this one out, or let it wait.")]
    public OverlapPolicy? Overlap { get; init; }

    [Description("What happens to times at which nothing could start: nothing, or one run when it can again.")]
    public MissedPolicy? Missed { get; init; }

    [Description("A start comes later by up to so much, so that not all begin at once; how much is the same on every server. Less than the shortest pause of the rhythm.")]
    public Duration? Jitter { get; init; }

    [Description("Files, with * ? and ** for folders, relative to this file: at a planned time a run starts only when their content is another one than that of the last run that succeeded.")]
    public IReadOnlyList<string>? OnChange { get; init; }

    [Description("Alarm when no good backup came for so long, where every run makes one; else when no run has succeeded. Default: twice the longest pause of the rhythm.")]
    public Duration? FreshFor { get; init; }

    [Description("live or drill.")]
    public ScheduledMode? Mode { get; init; }

    [Description("false: kept here, and never started.")]
    public bool? Enabled { get; init; }
}

sealed record FreezeFields
{
    [Description("Begins at this moment, once.")]
    public DateTimeOffset? From { get; init; }

    [Description("Ends at this moment.")]
    public DateTimeOffset? Until { get; init; }

    [Description("Begins again and again: five fields, in the time zone of the file.")]
    public string? Cron { get; init; }

    [Description("And lasts so long each time.")]
    public Duration? For { get; init; }

    [Description("Why; shown where something is held."), Required]
    public string? Reason { get; init; }

    [Description("The schedules that it concerns. Default: all. One that removes backups is concerned by every freeze.")]
    public IReadOnlyList<string>? Schedules { get; init; }

    [Description("What happens to what becomes due: hold starts it once when the freeze ends, skip leaves it out. Default: hold.")]
    public FreezePolicy? Then { get; init; }
}

public enum DstPolicy { Skip, Once, Shift }

public enum OverlapPolicy { Skip, Queue }

public enum MissedPolicy { Skip, RunOnce }

public enum ScheduledMode { Live, Drill }
