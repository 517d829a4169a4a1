using Helix.Server.Accounts;
using Helix.Server.Pages;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Api;

static class RecordApi
{
    public static void MapRecordApi(this IEndpointRouteBuilder api, Site site)
    {
        api.MapGet("/runs/{run}/record", (string run, string? head, HttpContext http) => Verify(site, http, head))
            .WithSummary("Checks the chain of hashes, and against a head that was kept elsewhere.").WithTags("record");
        api.MapGet("/locks", (HttpContext http) => Locks(site, http.Caller())).WithSummary("What is held by whom.").WithTags("runs");
        api.MapGet("/nodes", (HttpContext http) => NodesEndpoints.Seen(site, http.Caller()).ConvertAll(ApiNode.Of)).WithSummary("The servers of the store, and what each drives.").WithTags("nodes");
        api.MapPost("/nodes/{node}/drain", (string node, ApiDrain body, HttpContext http) => Drain(site, http, node, body.Drain))
            .WithSummary("A node takes nothing new and gives away what it drives; or takes work again.").WithTags("nodes").Produces(StatusCodes.Status202Accepted);
    }

    static IResult Drain(Site site, HttpContext http, string node, bool drain)
    {
        NodesEndpoints.Drain(site, http, node, drain);
        return Results.Accepted("/api/v1/nodes");
    }

    static ApiVerified Verify(Site site, HttpContext http, string? head)
    {
        var live = RunEndpoints.RunOf(site, http);
        var faults = site.Store.Verify(live.Run, head);
        var report = live.Look().Report;
        return new ApiVerified(live.Run, faults.Count == 0, report.Events, report.Head, faults);
    }

    static List<ApiLock> Locks(Site site, Caller caller)
    {
        var seen = site.Store.Runs(int.MaxValue, openOnly: true).Where(r => caller.May(Role.Viewer, r.Environment)).Select(r => r.Run).ToHashSet();
        return [.. site.Store.Locks().Where(l => seen.Contains(l.Run)).Select(l => new ApiLock(l.Identity, l.Target, l.Shared, l.Run, l.Runbook, l.Since, l.DriverGone))];
    }
}
