using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Server.Accounts;
using Helix.Server.Live;
using Helix.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

public sealed record RunsModel(IReadOnlyList<RunSummary> Runs);
public sealed record RunPageModel(RunModel Run, IReadOnlyList<LogLine> Log);

/// <summary>Looking at runs: the list, one run, what is new of them, logs and reports.</summary>
static class RunEndpoints
{
    const int Shown = 100;
    const int LogShown = 200;

    public static void MapRuns(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/runs", http => Render.Page<RunsPage>(http, http.Caller(), Runs(site, http.Caller())));
        app.MapGet("/live/runs", http => FollowList(site, http)).WithMetadata(new Watches());
        app.MapGet("/runs/{run}", http => Show(site, http));
        app.MapGet("/runs/{run}/live", http => Follow(site, http)).WithMetadata(new Watches());
        app.MapGet("/runs/{run}/log", http => Log(site, http));
        app.MapGet("/runs/{run}/report.{format}", http => Report(site, http));
    }

    /// <summary>The run of the address, if this caller may see it.</summary>
    public static LiveRun RunOf(Site site, HttpContext http)
    {
        var live = site.Live.Of(http.GetRouteValue("run")!.ToString()!);
        return http.Caller().May(Role.Viewer, live.Environment) ? live : throw new NotThereException($"There is no run '{live.Run}'.");
    }

    static RunsModel Runs(Site site, Caller caller) => new(site.Store.Runs(Shown, environments: caller.Sees));

    static Task Show(Site site, HttpContext http)
    {
        var live = RunOf(site, http);
        return Render.Page<RunPage>(http, http.Caller(), new RunPageModel(live.Look(), Tail(site, live.Run)));
    }

    static List<LogLine> Tail(Site site, string run)
    {
        var lines = new Queue<LogLine>();
        for (var last = 0L; site.Store.Logs(run, null, last) is { Count: > 0 } more; last = more[^1].Sequence)
            foreach (var line in more.Skip(Math.Max(0, more.Count - LogShown)))
            {
                lines.Enqueue(line);
                if (lines.Count > LogShown)
                    lines.Dequeue();
            }
        return [.. lines];
    }

    static async Task FollowList(Site site, HttpContext http)
    {
        var stream = Live.Stream.Open(http, site.Time);
        while (Listener(site, http) is { } caller)
        {
            var version = site.Pulse.Version;
            await stream.Region("list", await Render.Fragment<RunsList>(Runs(site, caller), PageFrame.None));
            await stream.Flush(alive: true);
            await Pause(site, version, http.RequestAborted);
        }
    }

    /// <summary>At most a few times in a second, at least now and then.</summary>
    static async Task Pause(Site site, long version, CancellationToken cancelled)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(500), site.Time, cancelled);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        await Task.WhenAny(site.Pulse.Next(version, both.Token), Task.Delay(TimeSpan.FromSeconds(15), site.Time, both.Token));
        await both.CancelAsync();
    }

    /// <summary>Who listens, as long as that person may: after a session is over, a token is revoked or a role is taken away, nothing more is heard.</summary>
    /// <param name="environment">Of the run that is followed; null for what is chosen by the caller's roles anyway.</param>
    public static Caller? Listener(Site site, HttpContext http, string? environment = null) =>
        !http.RequestAborted.IsCancellationRequested && !site.Drivers.Stopping
        && DoorOf(http).CallerNow(http) is { } caller && (environment is null || caller.May(Role.Viewer, environment)) ? caller : null;

    static Door DoorOf(HttpContext http) => (Door)http.RequestServices.GetService(typeof(Door))!;

    static async Task Follow(Site site, HttpContext http)
    {
        var live = RunOf(site, http);
        var frame = DoorOf(http).Frame(http, http.Caller());
        var last = long.TryParse(http.Request.Headers["Last-Event-ID"], out var had) ? had : long.TryParse(http.Request.Query["log"], out var asked) ? asked : 0;
        var stream = Live.Stream.Open(http, site.Time);
        while (Listener(site, http, live.Environment) is { } caller)
        {
            var version = site.Pulse.Version;
            var model = live.Look();
            await Regions(stream, model, frame with { Caller = caller });
            last = await Lines(site, stream, live.Run, last);
            await stream.Flush(alive: true);
            await Task.Delay(TimeSpan.FromMilliseconds(150), site.Time, http.RequestAborted);
            await live.Next(version, http.RequestAborted);
        }
    }

    static async Task Regions(Live.Stream stream, RunModel model, PageFrame frame)
    {
        await stream.Region("head", await Render.Fragment<RunHead>(model, frame));
        await stream.Region("questions", await Render.Fragment<RunQuestions>(model, frame));
        await stream.Region("actions", await Render.Fragment<RunActions>(model, frame));
        await stream.Region("tree", await Render.Fragment<RunSteps>(model, frame));
        await stream.Region("timeline", await Render.Fragment<RunTimeline>(model, frame));
        await stream.Region("left", await Render.Fragment<RunLeft>(model, frame));
    }

    /// <summary>The id of the event is the last line that the page has: a new connection goes on from there.</summary>
    static async Task<long> Lines(Site site, Live.Stream stream, string run, long last)
    {
        while (site.Store.Logs(run, null, last, 500) is { Count: > 0 } lines)
        {
            last = lines[^1].Sequence;
            await stream.Send("log", last.ToString(), new JsonArray([.. lines.Select(l => (JsonNode)new JsonObject { ["at"] = Words.Time(l.At), ["path"] = l.Path, ["stream"] = l.Stream, ["text"] = l.Text })]));
        }
        return last;
    }

    static async Task Log(Site site, HttpContext http)
    {
        var live = RunOf(site, http);
        http.Response.ContentType = "text/plain; charset=utf-8";
        for (var last = 0L; site.Store.Logs(live.Run, null, last) is { Count: > 0 } lines; last = lines[^1].Sequence)
            foreach (var line in lines)
                await http.Response.WriteAsync($"{Words.Moment(line.At)} {line.Path}{(line.Stream == "stderr" ? " !" : " |")} {line.Text}\n", http.RequestAborted);
    }

    static Task Report(Site site, HttpContext http)
    {
        var report = Reporting.Of(site.NewEngine(), RunOf(site, http).Run);
        var (text, type) = http.GetRouteValue("format")!.ToString() switch
        {
            "html" => (HtmlReport.Of(report), "text/html"),
            "md" => (MarkdownReport.Of(report), "text/markdown"),
            "json" => (report.ToJson(), "application/json"),
            var other => throw new NotThereException($"There is no report of the form '{other}': html, md or json."),
        };
        // It brings its own style, and no script.
        http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
        http.Response.Headers.ContentDisposition = $"{(http.Request.Query.ContainsKey("download") ? "attachment" : "inline")}; filename=\"{report.Run}.{http.GetRouteValue("format")}\"";
        http.Response.ContentType = type + "; charset=utf-8";
        return http.Response.WriteAsync(text, http.RequestAborted);
    }
}
