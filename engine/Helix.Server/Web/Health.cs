using Helix.Runbooks.Journal;
using Helix.Server.Accounts;
using Helix.Server.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Web;

/// <summary>For those who watch the watcher: is it alive, can it work, and numbers in the text form of Prometheus.</summary>
static class Health
{
    public static void MapHealth(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/health/live", () => Results.Text("alive\n")).WithMetadata(new Open()).ExcludeFromDescription();
        app.MapGet("/health/ready", () => IsReady(site) is { } why ? Results.Text(why + "\n", statusCode: StatusCodes.Status503ServiceUnavailable) : Results.Text("ready\n"))
            .WithMetadata(new Open()).ExcludeFromDescription();
        app.MapGet("/metrics", async (HttpContext http, CancellationToken cancelled) => Results.Text(await Metrics.Of(site, http.Caller(), cancelled), "text/plain; version=0.0.4")).ExcludeFromDescription();
    }

    /// <summary>Null: it takes work. Says nothing that strangers should not know.</summary>
    static string? IsReady(Site site)
    {
        if (site.Drivers.Stopping)
            return "stopping";
        if (site.Membership.Drains)
            return "draining";
        try
        {
            _ = site.Store.DataVersion();
            return null;
        }
        catch (StoreLostException)
        {
            return "the store is lost";
        }
    }
}

static class Metrics
{
    public static async Task<string> Of(Site site, Caller caller, CancellationToken cancelled)
    {
        bool Sees(string environment) => caller.May(Role.Viewer, environment);
        var text = new MetricText();
        foreach (var figure in await Figures.Of(site, Sees, cancelled))
            text.Gauge(figure);
        text.Histogram(Durations.Steps, Durations.StepsHelp, site.Telemetry.Durations.Of(Durations.Steps, Sees));
        text.Histogram(Durations.Waits, Durations.WaitsHelp, site.Telemetry.Durations.Of(Durations.Waits, Sees));
        return text.ToString();
    }
}
