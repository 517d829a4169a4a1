namespace Helix.Runbooks.Model.Schedules;

/// <summary>A planned time and what will be of it, as far as it is known before.</summary>
/// <param name="Planned">By the rhythm.</param>
/// <param name="At">When it starts: later by the schedule's jitter, or by a freeze that holds it.</param>
/// <param name="Freeze">What holds it or leaves it out.</param>
public sealed record Upcoming(Schedule Schedule, DateTimeOffset Planned, DateTimeOffset At, FreezeWindow? Freeze)
{
    public bool IsLeftOut => Freeze is { Then: FreezePolicy.Skip };

    /// <summary>Why it is another time than that of the rhythm; null when it is not.</summary>
    public string? Note => Freeze is not null ? $"{(IsLeftOut ? "left out" : "held")}: {Freeze.Name}, {Freeze.Reason}"
        : Schedule.OnChange.Count > 0 ? "if a file changed"
        : At > Planned ? $"jitter, planned {TimeZoneInfo.ConvertTime(Planned, Schedule.Rhythm.Zone):HH:mm}"
        : null;

    public static IEnumerable<Upcoming> After(ScheduleBook book, Schedule schedule, DateTimeOffset moment) =>
        schedule.StartsAfter(moment).Select(s => book.FreezeOf(schedule, s.At) is { } freeze
            ? new Upcoming(schedule, s.Planned, freeze.Freeze.Then == FreezePolicy.Hold ? freeze.Until : s.At, freeze.Freeze)
            : new Upcoming(schedule, s.Planned, s.At, null));
}
