using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Schedules;
using Helix.Server.Accounts;
using Helix.Server.Schedules;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

public sealed record SchedulesModel(IReadOnlyList<ScheduleLine> Schedules, IReadOnlyList<Upcoming> Next, IReadOnlyList<Problem> Problems, IReadOnlyList<FreezeWindow> Freezes);

public sealed record ScheduleLine(Schedule Schedule, bool Paused, Stale? Stale, (FreezeWindow Freeze, DateTimeOffset Until)? Frozen, IReadOnlyList<PlannedTime> Last);

/// <summary>What runs by itself: the next times, what became of the last ones, pause and fire.</summary>
static class ScheduleEndpoints
{
    const int NextShown = 10;

    public static void MapSchedules(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/schedules", http => Render.Page<SchedulesPage>(http, http.Caller(), Model(site, http.Caller())));
        app.MapPost("/schedules/{schedule}/pause", http => Act(site, http, s => SetPaused(site, http.Caller(), s, true)));
        app.MapPost("/schedules/{schedule}/resume", http => Act(site, http, s => SetPaused(site, http.Caller(), s, false)));
        app.MapPost("/schedules/{schedule}/fire", http => Act(site, http, s => Fire(site, http.Caller(), s, Tickets.New())));
    }

    public static SchedulesModel Model(Site site, Caller caller)
    {
        var seen = site.Timetable.Schedules.Where(s => caller.May(Role.Viewer, s.Environment.Name)).ToList();
        var now = site.Time.GetUtcNow();
        return new SchedulesModel(
            [.. seen.Select(s => new ScheduleLine(s, site.Accounts.IsPaused(s.Name), site.Timetable.Stale(s), site.Timetable.FreezeOf(s), [.. site.Accounts.PlannedOf(s.Name, 6).Where(p => p.Result != "watched")]))],
            [.. seen.Where(s => s.Enabled && !site.Accounts.IsPaused(s.Name)).SelectMany(s => Upcoming.After(site.Timetable.Book!.Value!, s, now).Take(NextShown)).OrderBy(n => n.At).Take(NextShown)],
            site.Timetable.Book?.Problems ?? [], seen.Count > 0 ? site.Timetable.Book?.Value?.Freezes ?? [] : []);
    }

    public static Schedule Known(Site site, Caller caller, string name)
    {
        var schedule = site.Timetable.Find(name) is { } found && caller.May(Role.Viewer, found.Environment.Name) ? found : throw new NotThereException($"There is no schedule '{name}'.");
        return caller.May(Role.Operator, schedule.Environment.Name) ? schedule : throw new RefusedException($"This needs the role operator on {schedule.Environment.Name}.");
    }

    public static string? SetPaused(Site site, Caller caller, Schedule schedule, bool paused)
    {
        site.Accounts.SetPaused(schedule.Name, paused);
        site.Accounts.Audit(caller.Account, null, $"schedule {schedule.Name}", paused ? "paused" : "resumed");
        return null;
    }

    /// <summary>A run beside the plan, started by a person.</summary>
    public static string Fire(Site site, Caller caller, Schedule schedule, string key) => Starting.Start(site, caller, new Wanted
    {
        Runbook = schedule.Runbook.Name,
        Environment = schedule.Environment.Name,
        Mode = schedule.Mode.ToString().ToLowerInvariant(),
        Inputs = (System.Text.Json.Nodes.JsonObject)schedule.Inputs.DeepClone(),
        Trigger = caller.Via,
        Attended = true,
    }, key);

    static Task Act(Site site, HttpContext http, Func<Schedule, string?> act)
    {
        var run = act(Known(site, http.Caller(), http.GetRouteValue("schedule")!.ToString()!));
        http.Response.Redirect(run is null ? "/schedules" : "/runs/" + run);
        return Task.CompletedTask;
    }
}
