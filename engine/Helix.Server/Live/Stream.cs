using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Microsoft.AspNetCore.Http;

namespace Helix.Server.Live;

/// <summary>Server-sent events to one browser. A page that lost its connection comes back by itself and says what it had last.</summary>
sealed class Stream(HttpContext http, TimeProvider time)
{
    readonly Dictionary<string, string> _sent = [];

    public static Stream Open(HttpContext http, TimeProvider time)
    {
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        return new Stream(http, time);
    }

    /// <summary>A region of the page, if it is another than what this page has.</summary>
    public async Task Region(string region, string html)
    {
        if (_sent.TryGetValue(region, out var sent) && sent == html)
            return;
        _sent[region] = html;
        await Send("region", null, new JsonObject { ["id"] = region, ["html"] = html, ["now"] = time.GetUtcNow().ToUnixTimeMilliseconds() });
    }

    public async Task Send(string name, string? id, JsonNode data)
    {
        if (id is not null)
            await http.Response.WriteAsync($"id: {id}\n", http.RequestAborted);
        await http.Response.WriteAsync($"event: {name}\ndata: {data.ToJsonString(StepJson.Options)}\n\n", http.RequestAborted);
    }

    /// <summary>Tells proxies and the browser that the line still stands.</summary>
    public async Task Flush(bool alive)
    {
        if (alive)
            await http.Response.WriteAsync(": here\n\n", http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }
}
