using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Schedules;

namespace Helix.Cli.Commands;

static class ScheduleCommand
{
    public static Command Make(Session session) =>
        new Verb("schedule", "What is planned in a file of schedules; with --server also what runs by itself there.", "helix schedule next runbooks/schedules.yaml").Has(Next(session));

    public static Verb Next(Session session)
    {
        var file = new Argument<string>("FILE") { Description = "The file of schedules, or its name below runbooks/." };
        var count = new Option<int>("--count") { Description = "So many for each schedule.", HelpName = "N", DefaultValueFactory = _ => 5 };
        var from = new Option<DateTimeOffset?>("--from") { Description = "After this moment instead of now.", HelpName = "TIME" };
        var only = new Option<string?>("--only") { Description = "Just this schedule.", HelpName = "NAME" };
        return new Verb("next", "Shows the next times of each schedule, in its zone and in UTC.", "helix schedule next runbooks/schedules.yaml --count 3")
            .Takes(file).With(count, from, only)
            .Does(parsed => Next(session, session.Files.Schedules(parsed.GetValue(file)!), Math.Clamp(parsed.GetValue(count), 1, 1000), parsed.GetValue(from) ?? session.Time.GetUtcNow(), parsed.GetValue(only)));
    }

    static int Next(Session session, ScheduleBook book, int count, DateTimeOffset from, string? only)
    {
        var times = book.Schedules.Where(s => only is null || s.Name == only).SelectMany(s => Upcoming.After(book, s, from).Take(count)).ToList();
        session.Terminal.Give(new JsonArray([.. times.Select(ToJson)]), () => TextTable.Of(["SCHEDULE", "RUNBOOK", "CRON", "LOCAL", "ZONE", "UTC", "NOTE"], times.Select(Row)));
        return 0;
    }

    static string[] Row(Upcoming next) =>
    [
        next.Schedule.Name + (next.Schedule.Enabled ? "" : " (off)"), next.Schedule.Runbook.Name, next.Schedule.Rhythm.Text,
        Local(next).ToString("ddd yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture), next.Schedule.Rhythm.Zone.Id, next.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture),
        next.Note ?? "",
    ];

    static JsonObject ToJson(Upcoming next) => new()
    {
        ["schedule"] = next.Schedule.Name,
        ["enabled"] = next.Schedule.Enabled,
        ["runbook"] = next.Schedule.Runbook.Name,
        ["environment"] = next.Schedule.Environment.Name,
        ["cron"] = next.Schedule.Rhythm.Text,
        ["zone"] = next.Schedule.Rhythm.Zone.Id,
        ["planned"] = next.Planned.UtcDateTime.ToString("o", CultureInfo.InvariantCulture),
        ["local"] = Local(next).ToString("o", CultureInfo.InvariantCulture),
        ["utc"] = next.At.UtcDateTime.ToString("o", CultureInfo.InvariantCulture),
        ["leftOut"] = next.IsLeftOut,
        ["note"] = next.Note,
    };

    static DateTimeOffset Local(Upcoming next) => TimeZoneInfo.ConvertTime(next.At, next.Schedule.Rhythm.Zone);
}
