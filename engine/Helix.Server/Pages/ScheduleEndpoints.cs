using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Schedules;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Schedules;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Server.Pages;

public sealed record SchedulesModel(IReadOnlyList<ScheduleLine> Schedules, IReadOnlyList<Upcoming> Next, IReadOnlyList<Problem> Problems, IReadOnlyList<FreezeWindow> Freezes);

/// <param name="NeedsName">Whoever starts it now types the name of its environment.</param>
public sealed record ScheduleLine(Schedule Schedule, bool Paused, Stale? Stale, (FreezeWindow Freeze, DateTimeOffset Until)? Frozen, IReadOnlyList<PlannedTime> Last, bool NeedsName);

/// <summary>What runs by itself: the next times, what became of the last ones, pause and fire.</summary>
static class ScheduleEndpoints
{
    const int NextShown = 10;

    public static void MapSchedules(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/schedules", http => Render.Page<SchedulesPage>(http, http.Caller(), Model(site, http.Caller())));
        app.MapPost("/schedules/{schedule}/pause", http => Act(site, http, (s, _) => SetPaused(site, http.Caller(), s, true)));
        app.MapPost("/schedules/{schedule}/resume", http => Act(site, http, (s, _) => SetPaused(site, http.Caller(), s, false)));
        app.MapPost("/schedules/{schedule}/fire", http => Act(site, http, (s, form) => Fire(site, http.Caller(), s, form["confirm"].ToString() is { Length: > 0 } typed ? typed.Trim() : null, Tickets.New())));
    }

    public static SchedulesModel Model(Site site, Caller caller)
    {
        var seen = site.Timetable.Schedules.Where(s => caller.May(Role.Viewer, s.Environment.Name)).ToList();
        var now = site.Time.GetUtcNow();
        return new SchedulesModel(
            [.. seen.Select(s => new ScheduleLine(s, site.Accounts.IsPaused(s.Name), site.Timetable.Stale(s), site.Timetable.FreezeOf(s), [.. site.Accounts.PlannedOf(s.Name, 6).Where(p => p.Result != "watched")], NeedsName(site, s)))],
            [.. seen.Where(s => s.Enabled && !site.Accounts.IsPaused(s.Name)).SelectMany(s => Upcoming.After(site.Timetable.Book!.Value!, s, now).Take(NextShown)).OrderBy(n => n.At).Take(NextShown)],
            site.Timetable.Book?.Problems ?? [], seen.Count > 0 ? site.Timetable.Book?.Value?.Freezes ?? [] : []);
    }

    static bool NeedsName(Site site, Schedule schedule)
    {
        try
        {
            return schedule.Environment.Protected && schedule.Mode == ScheduledMode.Live && new Planner(site.Catalog).Plan(schedule.Runbook, schedule.Environment, schedule.Inputs, Mode.Live).Destroys;
        }
        catch (RunbookException)
        {
            // It cannot be started either, and then it says why.
            return false;
        }
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
    /// <param name="confirmed">The name of its protected environment, as it was typed.</param>
    public static string Fire(Site site, Caller caller, Schedule schedule, string? confirmed, string key) => Starting.Start(site, caller, new Wanted
    {
        Runbook = schedule.Runbook.Name,
        Environment = schedule.Environment.Name,
        Mode = schedule.Mode.ToString().ToLowerInvariant(),
        Inputs = (System.Text.Json.Nodes.JsonObject)schedule.Inputs.DeepClone(),
        Confirmed = confirmed,
        Trigger = caller.Via,
        Attended = true,
    }, key);

    static async Task Act(Site site, HttpContext http, Func<Schedule, IFormCollection, string?> act)
    {
        var run = act(Known(site, http.Caller(), http.GetRouteValue("schedule")!.ToString()!), await http.Request.ReadFormAsync());
        http.Response.Redirect(run is null ? "/schedules" : "/runs/" + run);
    }
}
