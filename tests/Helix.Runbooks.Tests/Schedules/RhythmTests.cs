using System.Globalization;
using Helix.Runbooks.Model.Schedules;

namespace Helix.Runbooks.Tests.Schedules;

/// <summary>Times of the clock on the wall, and what they are on the days on which it is moved.</summary>
public sealed class RhythmTests
{
    // In Berlin 02:00 to 03:00 of 2026-03-29 does not exist, and that of 2026-10-25 comes twice.
    [Theory]
    [InlineData("30 2 * * *", DstPolicy.Skip, "2026-03-28T12:00Z", "03-30 00:30 03-31 00:30")]
    [InlineData("30 2 * * *", DstPolicy.Once, "2026-03-28T12:00Z", "03-29 01:00 03-30 00:30")]
    [InlineData("30 2 * * *", DstPolicy.Shift, "2026-03-28T12:00Z", "03-29 01:30 03-30 00:30")]
    [InlineData("30 2 * * *", DstPolicy.Skip, "2026-10-24T12:00Z", "10-25 00:30 10-26 01:30")]
    [InlineData("30 2 * * *", DstPolicy.Once, "2026-10-24T12:00Z", "10-25 00:30 10-26 01:30")]
    [InlineData("30 2 * * *", DstPolicy.Shift, "2026-10-24T12:00Z", "10-25 00:30 10-25 01:30")]
    public void TIM_02_A_time_that_does_not_exist_or_comes_twice_is_treated_as_stated(string cron, DstPolicy dst, string after, string expected) =>
        Assert.Equal(expected, Next(cron, dst, after, 2));

    [Theory]
    [InlineData(DstPolicy.Shift, "10-24 23:30 10-25 00:30 10-25 01:30 10-25 02:30")]
    [InlineData(DstPolicy.Once, "10-24 23:30 10-25 00:30 10-25 02:30 10-25 03:30")]
    public void An_hourly_rhythm_keeps_its_pause_only_when_it_shifts(DstPolicy dst, string expected) =>
        Assert.Equal(expected, Next("30 * * * *", dst, "2026-10-24T23:00Z", 4));

    [Theory, InlineData(DstPolicy.Skip), InlineData(DstPolicy.Once), InlineData(DstPolicy.Shift)]
    public void No_moment_comes_twice_where_an_hour_is_missing(DstPolicy dst) =>
        Assert.Equal("03-29 00:00 03-29 00:30 03-29 01:00 03-29 01:30 03-29 02:00", Next("*/30 * * * *", dst, "2026-03-28T23:45Z", 5));

    [Fact]
    public void What_is_left_of_an_hour_that_comes_twice_comes_after_a_start_in_its_midst() =>
        Assert.Equal("10-25 00:45 10-25 01:15 10-25 01:45 10-25 02:15", Next("15,45 * * * *", DstPolicy.Shift, "2026-10-25T00:20Z", 4));

    [Theory]
    [InlineData("30 * * * *", DstPolicy.Shift, 1)]
    [InlineData("30 * * * *", DstPolicy.Once, 2)]
    [InlineData("0 2 * * *", DstPolicy.Shift, 24)]
    [InlineData("0 2 * * *", DstPolicy.Once, 25)]
    [InlineData("0 4 * * SUN", DstPolicy.Once, (7 * 24) + 1)]
    public void The_longest_pause_counts_the_days_on_which_clocks_are_moved(string cron, DstPolicy dst, int hours) =>
        Assert.Equal(TimeSpan.FromHours(hours), Of(cron, dst).LongestPause(At("2026-01-01T00:00Z")));

    [Fact]
    public void A_leap_day_is_found_and_the_end_of_time_is_an_end() =>
        Assert.Equal("02-29 00:00 02-29 00:00", string.Join(' ', Of("0 0 29 2 *", DstPolicy.Once, "UTC").After(At("2026-01-01T00:00Z")).Take(2).Select(t => t.ToString("MM-dd HH:mm", CultureInfo.InvariantCulture))));

    [Theory]
    [InlineData("0 30 * * * *", "has 6 fields: in some dialects the first one is seconds")]
    [InlineData("0 0 31 2 *", "never comes")]
    [InlineData("0 0 1 * MON", "names days of the month and of the week")]
    [InlineData("0 0 * * 1", "1 is Monday for some and Sunday for others")]
    [InlineData("0 0 * * MON-5", "1 is Monday for some")]
    [InlineData("0 0 ? * MON", "is of another dialect")]
    [InlineData("@hourly", "short form")]
    [InlineData("30 *", "has 2 fields and not five")]
    [InlineData("61 * * * *", "is no cron expression")]
    [InlineData("", "has 0 fields")]
    public void TIM_02_What_other_programs_read_differently_is_refused(string cron, string words)
    {
        Assert.Null(CronDialect.Read(cron, out var fault, out var hint));
        Assert.Contains(words, fault, StringComparison.Ordinal);
        Assert.NotNull(hint);
    }

    [Theory, InlineData("*/15 6-18 * * MON-FRI"), InlineData("0 4 L * *"), InlineData("0 4 * * FRI#2"), InlineData("0 9 15 1,4,7,10 *")]
    public void What_all_read_alike_is_taken(string cron) => Assert.NotNull(CronDialect.Read(cron, out _, out _));

    static string Next(string cron, DstPolicy dst, string after, int count) =>
        string.Join(' ', Of(cron, dst).After(At(after)).Take(count).Select(t => t.UtcDateTime.ToString("MM-dd HH:mm", CultureInfo.InvariantCulture)));

    static Rhythm Of(string cron, DstPolicy dst, string zone = "Europe/Berlin")
    {
        Assert.SkipUnless(TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found), "No tzdata on this machine.");
        return new Rhythm(cron, CronDialect.Read(cron, out _, out _)!, found!, dst);
    }

    static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
