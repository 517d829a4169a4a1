using Helix.Runbooks.Model.Schedules;
using Helix.Server.Accounts;
using Helix.Server.Pages;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Api;

/// <param name="State">on, paused, off, frozen or overdue.</param>
public sealed record ApiSchedule(string Name, string Runbook, string Environment, string Cron, string Zone, string State, DateTimeOffset? Next, ApiPlanned? Last);

public sealed record ApiPlanned(DateTimeOffset Planned, DateTimeOffset At, string Result, string? Run, string Detail)
{
    public static ApiPlanned Of(PlannedTime p) => new(p.Planned, p.At, p.Result, p.Run, p.Detail);
}

static class SchedulesApi
{
    public static void MapSchedulesApi(this IEndpointRouteBuilder api, Site site)
    {
        api.MapGet("/schedules", (HttpContext http) => All(ScheduleEndpoints.Model(site, http.Caller()), site)).WithSummary("What runs by itself: state, next time, what became of the last.").WithTags("schedules");
        api.MapPost("/schedules/{schedule}/pause", (string schedule, HttpContext http) => Set(site, http, schedule, true)).WithSummary("Keeps a schedule from starting anything.").WithTags("schedules").Produces(StatusCodes.Status204NoContent);
        api.MapPost("/schedules/{schedule}/resume", (string schedule, HttpContext http) => Set(site, http, schedule, false)).WithSummary("Lets a schedule start its runs again.").WithTags("schedules").Produces(StatusCodes.Status204NoContent);
        api.MapPost("/schedules/{schedule}/fire", (string schedule, [FromHeader(Name = "Idempotency-Key")] string? key, ApiConfirmation? body, HttpContext http) => Fire(site, http, schedule, body?.ConfirmEnvironment, key))
            .WithSummary("Starts a run of a schedule now, beside its plan.").WithTags("schedules").Produces<ApiStarted>(StatusCodes.Status201Created);
    }

    static List<ApiSchedule> All(SchedulesModel model, Site site) =>
        [.. model.Schedules.Select(l => new ApiSchedule(l.Schedule.Name, l.Schedule.Runbook.Name, l.Schedule.Environment.Name, l.Schedule.Rhythm.Text, l.Schedule.Rhythm.Zone.Id, State(l), Next(l, site), l.Last.Select(ApiPlanned.Of).FirstOrDefault()))];

    static string State(ScheduleLine line) => !line.Schedule.Enabled ? "off" : line.Paused ? "paused" : line.Stale is not null ? "overdue" : line.Frozen is not null ? "frozen" : "on";

    static DateTimeOffset? Next(ScheduleLine line, Site site) => !line.Schedule.Enabled || line.Paused ? null
        : Upcoming.After(site.Timetable.Book!.Value!, line.Schedule, site.Time.GetUtcNow()).FirstOrDefault(n => !n.IsLeftOut)?.At;

    static IResult Set(Site site, HttpContext http, string name, bool paused)
    {
        ScheduleEndpoints.SetPaused(site, http.Caller(), ScheduleEndpoints.Known(site, http.Caller(), name), paused);
        return Results.NoContent();
    }

    static IResult Fire(Site site, HttpContext http, string name, string? confirmed, string? key)
    {
        var run = ScheduleEndpoints.Fire(site, http.Caller(), ScheduleEndpoints.Known(site, http.Caller(), name), confirmed, key ?? Tickets.New());
        return Results.Created($"/api/v1/runs/{run}", new ApiStarted(run, new Uri(site.Address, "/runs/" + run)));
    }
}
