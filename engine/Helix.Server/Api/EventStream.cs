using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Server.Pages;
using Microsoft.AspNetCore.Http;

namespace Helix.Server.Api;

/// <summary>The record of a run as server-sent events: each event once and in order, also over a broken line.</summary>
static class EventStream
{
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    public static async Task Follow(Site site, HttpContext http, long after)
    {
        var live = RunEndpoints.RunOf(site, http);
        var last = long.TryParse(http.Request.Headers["Last-Event-ID"], out var had) ? had : after;
        var stream = Live.Stream.Open(http, site.Time);
        while (RunEndpoints.Listener(site, http, live.Environment) is not null)
        {
            var version = site.Pulse.Version;
            var fresh = site.Store.Read(live.Run, last);
            foreach (var entry in fresh)
            {
                await stream.Send(Name(entry), entry.Sequence.ToString(), ToJson(entry));
                last = entry.Sequence;
            }
            // An end is not always the last of the record: notes come after it, and a run may be reopened.
            var over = fresh.Count > 0 && live.IsOver(last);
            await stream.Flush(alive: !over);
            if (over)
                return;
            using var both = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            await Task.WhenAny(site.Pulse.Next(version, both.Token), Task.Delay(Quiet, site.Time, both.Token));
            await both.CancelAsync();
        }
    }

    static JsonObject ToJson(JournalEntry entry) => new()
    {
        ["sequence"] = entry.Sequence,
        ["at"] = entry.At,
        ["epoch"] = entry.Epoch,
        ["by"] = entry.By is { } by ? JsonSerializer.SerializeToNode(by, StepJson.Options) : null,
        ["event"] = JsonSerializer.SerializeToNode(entry.Event, StepJson.Options),
        ["hash"] = entry.Hash,
    };

    static string Name(JournalEntry entry) => JsonSerializer.SerializeToNode(entry.Event, StepJson.Options)!["event"]!.GetValue<string>();
}
