using System.ComponentModel;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Http;
using Helix.Steps.Redis;

namespace Helix.Steps.Metrics;

public sealed record PrometheusMetric : MetricOrigin
{
    [Description("The server, as a target of kind http.")]
    [TargetName("http")]
    public string? Server { get; init; }

    [Description("Its address, instead of a target.")]
    [Example("http://prometheus:9090")]
    public string? Url { get; init; }

    [Description("The query.")]
    [Example("\"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))\"")]
    public required string Query { get; init; }

    internal override string? Target => Server;

    internal override async Task<Metric> Read(bool below, StepContext context)
    {
        using var call = new HttpCall(context, new() { Target = Server, Url = Url, Path = $"api/v1/query?query={Uri.EscapeDataString(Query)}" });
        var answer = await call.Send();
        if (answer.Json() is not JsonObject { } body || body["status"]?.ToString() != "success")
        {
            if (answer.Json()?["error"] is { } error)
                throw StepFailedException.InvalidData($"Prometheus refused the query {Query}: {HttpCall.Short(error.ToString())}.");
            call.Require(answer);
            throw StepFailedException.InvalidData($"{call.Shown} is no Prometheus: {HttpCall.Short(answer.Body)}.");
        }
        var series = Series(body["data"] as JsonObject).ToList();
        return series.Count == 0
            // No data is not a good value: what should be measured may be what is down.
            ? throw StepFailedException.Missing($"Prometheus has no data for {Query}.", "Is what it measures still scraped?")
            : below ? series.MinBy(m => m.Value)! : series.MaxBy(m => m.Value)!;
    }

    static IEnumerable<Metric> Series(JsonObject? data)
    {
        if (data?["resultType"]?.ToString() is "scalar")
            return [new(Number(data["result"]?[1]?.ToString(), "Prometheus"))];
        return (data?["result"] as JsonArray ?? []).OfType<JsonObject>().Select(s => new Metric(Number(s["value"]?[1]?.ToString(), "Prometheus"), Labels(s["metric"] as JsonObject)));
    }

    static string? Labels(JsonObject? labels)
    {
        var text = string.Join(", ", labels?.Where(l => l.Key != "__name__").Select(l => $"{l.Key}={l.Value}") ?? []);
        return text.Length > 0 ? text : null;
    }
}

public sealed record HttpMetric : MetricOrigin
{
    [Description("The server, as a target of kind http.")]
    [TargetName("http")]
    public string? Server { get; init; }

    [Description("Its address, instead of a target.")]
    [Example("https://dashboard.example.com/api/stats")]
    public string? Url { get; init; }

    [Description("Added to the target's address.")]
    public string? Path { get; init; }

    [Description("Where the number is in the answer.")]
    [Example("$.errors.rate")]
    public required string Value { get; init; }

    internal override string? Target => Server;

    internal override async Task<Metric> Read(bool below, StepContext context)
    {
        using var call = new HttpCall(context, new() { Target = Server, Url = Url, Path = Path });
        var answer = await call.Send();
        call.Require(answer);
        return new(Number(DeclaredValues.At(answer.Json(), Value)?.ToString(), $"{call.Shown} at {Value}"));
    }
}

public sealed record RedisMetric : MetricOrigin
{
    [Description("The Redis server.")]
    [TargetName("redis")]
    [Example("redis")]
    public required string Server { get; init; }

    [Description("A field of INFO.")]
    [Example("used_memory")]
    public required string Field { get; init; }

    [Description("Another field, of which it is shown in percent; 0 there counts as no limit.")]
    [Example("maxmemory")]
    public string? Of { get; init; }

    internal override string? Target => Server;

    internal override async Task<Metric> Read(bool below, StepContext context)
    {
        await using var redis = await RedisConnection.Open(context.Target<RedisTarget>(Server), context);
        var info = await redis.Info();
        var value = Number(info.Text(Field), $"The field {Field} of {redis.Name}");
        if (Of is null)
            return new(value);
        var whole = Number(info.Text(Of), $"The field {Of} of {redis.Name}");
        return new(whole == 0 ? 0 : Math.Round(100 * value / whole, 2));
    }
}
