using System.Globalization;

namespace Helix.Runbooks.Reports;

/// <summary>Times and counts as people read them; always the same on every machine.</summary>
public static class Words
{
    /// <summary><c>2026-03-01 02:00:00Z</c>.</summary>
    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary><c>02:00:00</c>, in UTC.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>For clocks: <c>0:12:07</c>, <c>27:00:00</c>; a negative one begins with a minus.</summary>
    public static string Clock(TimeSpan span)
    {
        var seconds = (long)Math.Floor(Math.Abs(span.TotalSeconds));
        return string.Create(CultureInfo.InvariantCulture, $"{(span < TimeSpan.Zero && seconds > 0 ? "-" : "")}{seconds / 3600}:{seconds / 60 % 60:00}:{seconds % 60:00}");
    }

    /// <summary>For steps: <c>85 ms</c>, <c>2.1 s</c>, <c>3 min 4 s</c>, <c>2 h 5 min</c>.</summary>
    public static string Span(TimeSpan span) => span.TotalSeconds switch
    {
        < 0 => "0 ms",
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms"),
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s"),
        < 3600 => span.Seconds == 0 ? $"{span.Minutes} min" : $"{span.Minutes} min {span.Seconds} s",
        _ => span.Minutes == 0 ? $"{(int)span.TotalHours} h" : $"{(int)span.TotalHours} h {span.Minutes} min",
    };

    /// <summary>What something took, with the waiting told apart: <c>2.1 s</c>, <c>2 h waited</c>, <c>2.1 s and 2 h waited</c>.</summary>
    /// <remarks>The moments between two entries of the record are no waiting: below a second they count as work.</remarks>
    public static string Took(TimeSpan machine, TimeSpan waited) =>
        machine <= TimeSpan.Zero && waited > TimeSpan.Zero ? $"{Span(waited)} waited"
        : waited < TimeSpan.FromSeconds(1) ? Span(machine + waited)
        : $"{Span(machine)} and {Span(waited)} waited";

    /// <summary>Objectives as they are written in a runbook: <c>4h</c>.</summary>
    public static string Objective(TimeSpan span) => new Steps.Duration(span).ToString();

    public static string Ago(DateTimeOffset at, DateTimeOffset now) => now - at < TimeSpan.FromSeconds(2) ? "just now" : $"{Span(now - at)} ago";

    public static string Count(int n, string one, string? many = null) => n == 1 ? $"1 {one}" : $"{n} {many ?? one + "s"}";

    /// <summary>The beginning of a hash, enough to tell two apart by eye.</summary>
    public static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;

    /// <summary>Of a run whose pinned files another version wrote.</summary>
    public const string Unreadable = "This version of helix cannot read the runbook that was pinned: only what stands in the record is shown.";

    /// <summary>Upper case for the first letter.</summary>
    public static string Sentence(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}
