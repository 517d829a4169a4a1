using System.Text.RegularExpressions;
using Cronos;

namespace Helix.Runbooks.Model.Schedules;

/// <summary>The one dialect of cron that is taken: what other programs would read differently is refused (TIM-02).</summary>
static partial class CronDialect
{
    /// <returns>Null when there is a fault.</returns>
    public static CronExpression? Read(string text, out string fault, out string? hint)
    {
        (fault, hint) = Fault(text);
        if (fault.Length > 0)
            return null;
        try
        {
            var cron = CronExpression.Parse(text, CronFormat.Standard);
            if (cron.GetNextOccurrence(new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc), inclusive: true) is not null)
                return cron;
            fault = $"'{text}' never comes: there is no such day.";
        }
        catch (CronFormatException e)
        {
            fault = $"'{text}' is no cron expression: {e.Message.TrimEnd('.')}.";
        }
        hint = "Minute, hour, day of the month, month, day of the week: '30 2 * * SUN'.";
        return null;
    }

    static (string Fault, string? Hint) Fault(string text)
    {
        var fields = text.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (text.TrimStart().StartsWith('@'))
            return ($"'{text}' is a short form that not all know.", "Write the five fields: '0 * * * *' is hourly.");
        if (fields.Length is 6 or 7)
            return ($"'{text}' has {fields.Length} fields: in some dialects the first one is seconds, in others the last one is years.", "Write the five fields: minute, hour, day of the month, month, day of the week.");
        if (fields.Length != 5)
            return ($"'{text}' has {fields.Length} {(fields.Length == 1 ? "field" : "fields")} and not five.", "Minute, hour, day of the month, month, day of the week: '30 2 * * SUN'.");
        if (text.Contains('?'))
            return ($"'?' in '{text}' is of another dialect.", "Write '*'.");
        if (fields[2] != "*" && fields[4] != "*")
            return ($"'{text}' names days of the month and of the week: some take days that are either, some those that are both.", "Name one of them, or write two schedules.");
        if (DayNumber().IsMatch(fields[4]))
            return ($"The day of the week in '{text}' is a number: 1 is Monday for some and Sunday for others.", "Write its name: SUN, MON, TUE, WED, THU, FRI, SAT.");
        return ("", null);
    }

    // Not the number after '#' (the second Friday) nor after '/' (every second day).
    [GeneratedRegex(@"(?<![#/\d])\d")]
    private static partial Regex DayNumber();
}
