using Helix.Runbooks.Journal;
using Helix.Server.Accounts;
using Helix.Server.Pages;
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
    const int Recent = 5000;

    public static async Task<string> Of(Site site, Caller caller, CancellationToken cancelled)
    {
        var text = new MetricText();
        var now = site.Time.GetUtcNow();
        var runs = site.Store.Runs(Recent).Where(r => caller.May(Role.Viewer, r.Environment)).ToList();
        text.Gauge("helix_runs", "Runs by how they stand, of the newest 5000.", runs.GroupBy(r => (r.Status, r.Mode)).Select(g => (Labels("status", g.Key.Status, "mode", g.Key.Mode), (double)g.Count())));
        text.Gauge("helix_runs_driven", "Runs that this server drives now.", [("", site.Drivers.Now.Count)]);
        var last = runs.Where(r => r.Rta is not null).DistinctBy(r => (r.Runbook, r.Environment, r.Mode)).ToList();
        text.Gauge("helix_last_rta_seconds", "Time to recovery of the last run that recovered.", last.Select(r => (Run(r), r.Rta!.Value.TotalSeconds)));
        text.Gauge("helix_last_rpa_seconds", "Data lost by the last run that measured it.", runs.Where(r => r.Rpa is not null).DistinctBy(r => (r.Runbook, r.Environment, r.Mode)).Select(r => (Run(r), r.Rpa!.Value.TotalSeconds)));
        text.Gauge("helix_objectives_missed", "Runs that missed an objective, of the newest 5000.", [("", runs.Count(r => r.ObjectivesMet == false))]);
        var questions = AnswerEndpoints.Open(site, caller);
        text.Gauge("helix_decisions_open", "Questions that people are asked.", [("", questions.Count)]);
        text.Gauge("helix_decision_oldest_seconds", "For how long the oldest of them waits.", [("", questions.Count == 0 ? 0 : (now - questions.Min(q => q.Asked)).TotalSeconds)]);
        text.Gauge("helix_schedule_overdue", "1: nothing good came for longer than the schedule allows.",
            site.Timetable.Schedules.Where(s => caller.May(Role.Viewer, s.Environment.Name)).Select(s => (Labels("schedule", s.Name), site.Timetable.Stale(s) is null ? 0.0 : 1)));
        var letters = site.Accounts.LetterCounts().Where(l => caller.May(Role.Viewer, l.Environment)).ToList();
        text.Gauge("helix_messages", "Messages to the outside by how they stand: sent, waiting, given-up.", letters.Select(l => (Labels("environment", l.Environment, "channel", l.Channel, "state", l.State), (double)l.Count)));
        text.Gauge("helix_message_oldest_seconds", "For how long the oldest message waits to be delivered.",
            letters.Where(l => l.State == "waiting").Select(l => (Labels("environment", l.Environment, "channel", l.Channel), (now - l.Oldest).TotalSeconds)));
        var scenarios = await site.Readiness.Look(ReadyEndpoints.Seen(site, caller), cancelled);
        text.Gauge("helix_scenario_ready", "1 ready, 0.5 doubtful, 0 not ready.", scenarios.Select(s => (Labels("runbook", s.Runbook, "environment", s.Environment), s.Verdict switch { "ready" => 1.0, "doubtful" => 0.5, _ => 0 })));
        text.Gauge("helix_backup_age_seconds", "Age of the newest complete backup, from its recovery point.", scenarios
            .SelectMany(s => s.Series.Where(x => x.Newest is not null).Select(x => (Labels("environment", s.Environment, "target", x.Target, "prefix", x.Prefix), (now - x.Newest!.Value).TotalSeconds))).DistinctBy(x => x.Item1));
        return text.ToString();
    }

    static string Run(RunSummary r) => Labels("runbook", r.Runbook, "environment", r.Environment, "mode", r.Mode);

    static string Labels(params ReadOnlySpan<string> pairs)
    {
        var parts = new List<string>();
        for (var i = 0; i < pairs.Length; i += 2)
            parts.Add($"{pairs[i]}=\"{pairs[i + 1].Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"");
        return "{" + string.Join(',', parts) + "}";
    }
}

sealed class MetricText
{
    readonly System.Text.StringBuilder _text = new();

    public void Gauge(string name, string help, IEnumerable<(string Labels, double Value)> values)
    {
        _text.Append(System.Globalization.CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} gauge\n");
        foreach (var (labels, value) in values)
            _text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{name}{labels} {value:0.###}\n");
    }

    public override string ToString() => _text.ToString();
}
