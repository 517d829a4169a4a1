using Helix.Runbooks.Reports;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Pages;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Api;

static class RunsApi
{
    public static void MapRunsApi(this IEndpointRouteBuilder api, Site site)
    {
        api.MapGet("/runs", (int? limit, string? runbook, bool? open, HttpContext http) =>
                site.Store.Runs(Math.Clamp(limit ?? 100, 1, 10_000), runbook, open ?? false, http.Caller().Sees).Select(ApiRun.Of).ToList())
            .WithSummary("Runs, newest first.").WithTags("runs");
        api.MapPost("/runs", (ApiWish wish, [FromHeader(Name = "Idempotency-Key")] string? key, HttpContext http) => Start(site, wish, key, http))
            .WithSummary("Starts a run. The same Idempotency-Key never starts a second one.").WithTags("runs").Produces<ApiStarted>(StatusCodes.Status201Created);
        api.MapGet("/runs/{run}", (string run, HttpContext http) => One(site, http)).WithSummary("One run as its report; ETag is the head of its record.").WithTags("runs").Produces<object>();
        api.MapGet("/runs/{run}/events", (string run, long? after, HttpContext http) => EventStream.Follow(site, http, after ?? 0))
            .WithSummary("Events of the record as they come (server-sent events; Last-Event-ID goes on after one).").WithTags("runs").Produces(StatusCodes.Status200OK, contentType: "text/event-stream");
        api.MapGet("/runs/{run}/logs", (string run, string? step, long? after, int? limit, HttpContext http) => Logs(site, http, step, after ?? 0, Math.Clamp(limit ?? 1000, 1, 10_000)))
            .WithSummary("What steps wrote, in order.").WithTags("runs");
        api.MapGet("/runs/{run}/report", (string run, string? format, HttpContext http) => Report(site, http, format ?? "json")).WithSummary("The report as html, md or json.").WithTags("runs").Produces<string>();
    }

    static IResult Start(Site site, ApiWish wish, string? key, HttpContext http)
    {
        var run = Starting.Start(site, http.Caller(), new Wanted
        {
            Runbook = wish.Runbook,
            Environment = wish.Environment,
            Mode = wish.Mode,
            Inputs = wish.Inputs,
            Incident = wish.Incident,
            OccurredAt = wish.OccurredAt,
            DeclaredAt = wish.DeclaredAt,
            Comms = wish.Comms,
            Confirmed = wish.ConfirmEnvironment,
            Trigger = Ways.Api,
            Attended = wish.Attended,
        }, key);
        return Results.Created($"/api/v1/runs/{run}", new ApiStarted(run, new Uri(site.Address, "/runs/" + run)));
    }

    static IResult One(Site site, HttpContext http)
    {
        var model = RunEndpoints.RunOf(site, http).Look();
        // A driver that dies writes nothing, and the run is another than before all the same.
        return ApiEndpoints.Versioned(http, model.Report.Head + (model.Lost ? "-lost" : ""), () => ApiEndpoints.Written(model.Report.ToJson()));
    }

    static List<ApiLine> Logs(Site site, HttpContext http, string? step, long after, int limit) =>
        [.. site.Store.Logs(RunEndpoints.RunOf(site, http).Run, step, after, limit).Select(l => new ApiLine(l.Sequence, l.At, l.Path, l.Attempt, l.Stream, l.Text))];

    static IResult Report(Site site, HttpContext http, string format)
    {
        var report = Reporting.Of(site.NewEngine(), RunEndpoints.RunOf(site, http).Run);
        return format switch
        {
            "html" => Results.Text(HtmlReport.Of(report), "text/html"),
            "md" => Results.Text(MarkdownReport.Of(report), "text/markdown"),
            "json" => ApiEndpoints.Written(report.ToJson()),
            _ => throw new RunbookException($"There is no report of the form '{format}'.", "html, md or json."),
        };
    }
}
