using Cronos;

namespace Helix.Runbooks.Model.Schedules;

/// <summary>Times of the clock on the wall in a zone, and the moments that they are. Pure.</summary>
public sealed class Rhythm
{
    readonly CronExpression _cron;

    internal Rhythm(string text, CronExpression cron, TimeZoneInfo zone, DstPolicy dst)
    {
        _cron = cron;
        (Text, Zone, Dst) = (text, zone, dst);
    }

    public string Text { get; }
    public TimeZoneInfo Zone { get; }
    public DstPolicy Dst { get; }

    /// <summary>The moments after this one, in order, each once.</summary>
    public IEnumerable<DateTimeOffset> After(DateTimeOffset moment)
    {
        var last = moment;
        // A day earlier: what the clock on the wall showed before may come again.
        var day = TimeZoneInfo.ConvertTime(moment, Zone).Date.AddDays(-1);
        while (Next(day) is { } next)
        {
            day = next.Date;
            foreach (var at in Moments(day))
                if (at > last)
                    yield return last = at;
            if (day >= DateTime.MaxValue.Date.AddDays(-2))
                yield break;
            day = day.AddDays(1);
        }
    }

    /// <summary>The longest pause between two runs: of the next year, or of so many runs.</summary>
    public TimeSpan LongestPause(DateTimeOffset from, int runs = 10_000)
    {
        var (longest, before) = (TimeSpan.Zero, (DateTimeOffset?)null);
        foreach (var at in After(from).Take(runs).TakeWhile(t => before is null || t < from.AddDays(800)))
        {
            if (before is { } b && at - b > longest)
                longest = at - b;
            before = at;
        }
        return longest;
    }

    /// <summary>The shortest pause between two of so many runs; null when there are not two.</summary>
    public TimeSpan? ShortestPause(DateTimeOffset from, int runs = 2_000)
    {
        var times = After(from).Take(runs).ToList();
        return times.Count < 2 ? null : times.Zip(times.Skip(1), (a, b) => b - a).Min();
    }

    /// <summary>Everything of one day of the clock on the wall, as moments.</summary>
    List<DateTimeOffset> Moments(DateTime day) =>
        [.. _cron.GetOccurrences(Utc(day), Utc(day.AddDays(1)), fromInclusive: true, toInclusive: false).SelectMany(t => Moment(DateTime.SpecifyKind(t, DateTimeKind.Unspecified))).Distinct().Order()];

    IEnumerable<DateTimeOffset> Moment(DateTime wall)
    {
        if (Zone.IsInvalidTime(wall))
            return Dst == DstPolicy.Skip ? [] : [Dst == DstPolicy.Once ? AfterTheGap(wall) : At(wall, OffsetBefore(wall))];
        if (!Zone.IsAmbiguousTime(wall))
            return [At(wall, Zone.GetUtcOffset(wall))];
        var twice = Zone.GetAmbiguousTimeOffsets(wall).OrderDescending().Select(o => At(wall, o));
        return Dst == DstPolicy.Shift ? twice : twice.Take(1);
    }

    DateTimeOffset AfterTheGap(DateTime wall)
    {
        while (Zone.IsInvalidTime(wall))
            wall = wall.AddMinutes(1);
        return At(wall, Zone.GetUtcOffset(wall));
    }

    TimeSpan OffsetBefore(DateTime wall)
    {
        while (Zone.IsInvalidTime(wall))
            wall = wall.AddMinutes(-1);
        return Zone.GetUtcOffset(wall);
    }

    DateTime? Next(DateTime day) => _cron.GetNextOccurrence(Utc(day), inclusive: true);

    static DateTimeOffset At(DateTime wall, TimeSpan offset) => new DateTimeOffset(wall, offset).ToOffset(TimeSpan.Zero);

    /// <summary>The library counts in UTC; what it counts here are times of the wall.</summary>
    static DateTime Utc(DateTime wall) => DateTime.SpecifyKind(wall, DateTimeKind.Utc);
}
