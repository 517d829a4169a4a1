using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Triggers;
using Helix.Server.Accounts;
using Helix.Server.Triggers;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

public sealed record TriggersModel(IReadOnlyList<TriggerLine> Triggers, IReadOnlyList<SuggestedRun> Suggestions, IReadOnlyList<Problem> Problems, Uri Address);

public sealed record TriggerLine(Trigger Trigger, Hook Hook, IReadOnlyList<Firing> Last);

/// <summary>What other programs start or suggest: the triggers with their last firings, and what people do with suggestions.</summary>
static class TriggerEndpoints
{
    const int Shown = 6;

    public static void MapTriggers(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/triggers", http => Render.Page<TriggersPage>(http, http.Caller(), Model(site, http.Caller())));
        app.MapPost("/suggestions/{id}/start", async http =>
        {
            var form = await http.Request.ReadFormAsync();
            http.Response.Redirect("/runs/" + Suggestions.Start(site, http.Caller(), Id(http), form["confirm"].ToString() is { Length: > 0 } typed ? typed.Trim() : null));
        });
        app.MapPost("/suggestions/{id}/dismiss", async http =>
        {
            Suggestions.Dismiss(site, http.Caller(), Id(http), (await http.Request.ReadFormAsync())["reason"]);
            http.Response.Redirect("/decisions");
        });
    }

    public static TriggersModel Model(Site site, Caller caller)
    {
        var suggestions = Suggestions.Open(site, caller);
        var book = site.Triggers.Book;
        return new TriggersModel(
            [.. site.Triggers.Triggers.Where(t => caller.May(Role.Viewer, t.Environment.Name)).Select(t => new TriggerLine(t, book!.Value!.Hooks[t.Hook], site.Accounts.FiringsOf(t.Name, Shown)))],
            suggestions, book?.Problems ?? [], site.Address);
    }

    static string Id(HttpContext http) => http.GetRouteValue("id")!.ToString()!;
}
