using Helix.Server.Accounts;
using Helix.Server.Pages;
using Helix.Server.Triggers;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Api;

public sealed record ApiTrigger(string Name, string Hook, string Runbook, string Environment, bool Enabled, IReadOnlyList<ApiFiring> Last);

public sealed record ApiFiring(string Id, string Trigger, DateTimeOffset At, string Result, string? Run, string Detail, string Environment, string Effect, string Words, DateTimeOffset? Began, DateTimeOffset? Expires)
{
    public static ApiFiring Of(Firing f) => new(f.Id, f.Trigger, f.At, f.Result, f.Run, f.Detail, f.Environment, f.Effect, f.Words, f.Began, f.Expires);
}

static class TriggersApi
{
    public static void MapTriggersApi(this IEndpointRouteBuilder api, Site site)
    {
        api.MapGet("/triggers", (HttpContext http) => TriggerEndpoints.Model(site, http.Caller()).Triggers
                .Select(l => new ApiTrigger(l.Trigger.Name, l.Trigger.Hook, l.Trigger.Runbook.Name, l.Trigger.Environment.Name, l.Trigger.Enabled, [.. l.Last.Select(ApiFiring.Of)])).ToList())
            .WithSummary("What other programs start or suggest, with the last firings.").WithTags("triggers");
        api.MapGet("/suggestions", (HttpContext http) => Suggestions.Open(site, http.Caller()).Select(s => ApiFiring.Of(s.Firing)).ToList())
            .WithSummary("Runs that triggers suggest, and that nobody has started or dismissed yet.").WithTags("triggers");
        api.MapPost("/suggestions/{id}/start", (string id, ApiConfirmation body, HttpContext http) => Started(site, Suggestions.Start(site, http.Caller(), id, body.ConfirmEnvironment)))
            .WithSummary("Starts a run that is suggested; a second time gives the same run.").WithTags("triggers").Produces<ApiStarted>(StatusCodes.Status201Created);
        api.MapPost("/suggestions/{id}/dismiss", (string id, ApiReason body, HttpContext http) =>
        {
            Suggestions.Dismiss(site, http.Caller(), id, body.Reason);
            return Results.NoContent();
        }).WithSummary("Dismisses a suggestion; the reason stands in the record of the door.").WithTags("triggers").Produces(StatusCodes.Status204NoContent);
    }

    static IResult Started(Site site, string run) => Results.Created($"/api/v1/runs/{run}", new ApiStarted(run, new Uri(site.Address, "/runs/" + run)));
}
