using Helix.Runbooks.Journal;
using Helix.Server.Accounts;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

public sealed record NodesModel(IReadOnlyList<Node> Nodes, string Own, DateTimeOffset Now);

/// <summary>The servers of the store, and taking one out of work.</summary>
static class NodesEndpoints
{
    public static void MapNodes(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/nodes", http => Render.Page<NodesPage>(http, http.Caller(), new NodesModel(Seen(site, http.Caller()), site.Membership.Name, site.Time.GetUtcNow())));
        app.MapPost("/nodes/drain", async http =>
        {
            var form = await http.Request.ReadFormAsync();
            Drain(site, http, form["node"].ToString(), form["lift"] != "yes");
            http.Response.Redirect("/nodes");
        });
    }

    /// <summary>Whoever sees something sees the nodes, and of what they drive the runs that he may see.</summary>
    public static List<Node> Seen(Site site, Caller caller)
    {
        var runs = site.Store.Runs(int.MaxValue, openOnly: true).Where(r => caller.May(Role.Viewer, r.Environment)).Select(r => r.Run).ToHashSet();
        return [.. site.Store.Nodes().Select(n => n with { Drives = [.. n.Drives.Where(runs.Contains)] })];
    }

    public static void Drain(Site site, HttpContext http, string node, bool drain)
    {
        var caller = http.Caller();
        if (!caller.IsAdmin)
            throw new RefusedException("Nodes are drained by administrators.");
        site.Store.Drain(node, caller.Person, drain);
        site.Accounts.Audit(caller.Account, Door.Address(http), "node " + node, drain ? "drained" : "takes work again");
    }
}
