using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Helix.Benchmarks.ServerLoad;

static class Times
{
    public static string P95(IEnumerable<double> milliseconds) => milliseconds.Order().ToList() is { Count: > 0 } all
        ? $"median {all[all.Count / 2]:0} ms, 95 % within {all[(int)(all.Count * 0.95)]:0} ms, longest {all[^1]:0} ms ({all.Count})"
        : "nothing";

    public static async Task<double> Of(Func<Task> work)
    {
        var watch = Stopwatch.StartNew();
        await work();
        return watch.Elapsed.TotalMilliseconds;
    }

    public static Task Pass(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System);
}

/// <summary>Nobody does anything.</summary>
static class Rest
{
    const double Seconds = 60;

    public static async Task Measure(Served served, int waiting)
    {
        await Times.Pass(20);
        var before = served.Cpu;
        await Times.Pass(Seconds);
        Table.Row($"CPU of one core at rest with {waiting} waiting runs, over {Seconds:0} s", $"{(served.Cpu - before) / Seconds * 100:0.0} %");
        Table.Row("memory at rest", $"{served.MemoryMiB:0} MiB (peak {served.PeakMiB:0} MiB)");
    }
}

/// <summary>Pages and API, one after the other.</summary>
static class Pages
{
    static readonly string[] Paths = ["/ready", "/runs", "/decisions", "/runbooks", "/schedules", "/api/v1/runs?limit=100", "/api/v1/decisions", "/metrics"];

    public static async Task Measure(Served served, string when)
    {
        foreach (var path in Paths)
            Table.Row($"GET {path}, {when}", Times.P95(await Take(served, path, 20)));
        Table.Row("memory after that", $"{served.MemoryMiB:0} MiB");
    }

    public static async Task<List<double>> Take(Served served, string path, int times)
    {
        var took = new List<double>();
        for (var i = 0; i < times; i++)
            took.Add(await Times.Of(async () => (await served.Client.GetAsync(path)).EnsureSuccessStatusCode()));
        return took;
    }
}

/// <summary>Many runs at the same time.</summary>
static class Crowd
{
    public static async Task Measure(Served served, int runs)
    {
        var token = await served.FormToken();
        var (watch, starts, pages) = (Stopwatch.StartNew(), new ConcurrentBag<double>(), new List<double>());
        var starting = Parallel.ForEachAsync(Enumerable.Range(0, runs), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) => starts.Add(await Times.Of(() => served.Run(token, "busy"))));
        while (!starting.IsCompleted || await served.Open("busy") > 0)
        {
            pages.AddRange(await Pages.Take(served, "/runs", 1));
            await Times.Pass(0.5);
        }
        await starting;
        Table.Row($"{runs} runs of 3 steps of 1 s each at once, until the last has ended", $"{watch.Elapsed.TotalSeconds:0.0} s");
        Table.Row("starting one of them", Times.P95(starts));
        Table.Row("GET /runs meanwhile", Times.P95(pages));
        var all = (await served.Client.GetFromJsonAsync<JsonArray>($"/api/v1/runs?limit={runs}&runbook=busy"))!;
        Table.Row("of them succeeded", $"{all.Count(r => (string)r!["status"]! == "succeeded")} of {runs}");
        Table.Row("memory after that", $"{served.MemoryMiB:0} MiB (peak {served.PeakMiB:0} MiB)");
    }
}

/// <summary>Many who watch one run: half on its page, half on the stream of the API.</summary>
static class Watchers
{
    public static async Task Measure(Served served, int viewers)
    {
        var run = await served.Run(await served.FormToken(), "long");
        using var over = new CancellationTokenSource();
        var (events, pages) = (new ConcurrentBag<(DateTimeOffset At, DateTimeOffset Came)>(), new ConcurrentBag<List<DateTimeOffset>>());
        var watching = Enumerable.Range(0, viewers).Select(i => i % 2 == 0 ? Stream(served, run, events, over.Token) : Page(served, run, pages, over.Token)).ToList();
        var (cpu, watch) = (served.Cpu, Stopwatch.StartNew());
        while (await served.Open("long") > 0)
            await Times.Pass(1);
        Table.Row($"CPU of one core with {viewers} viewers of one run", $"{(served.Cpu - cpu) / watch.Elapsed.TotalSeconds * 100:0} %");
        await Times.Pass(2);
        await over.CancelAsync();
        await Task.WhenAll(watching);
        var live = events.Where(e => e.Came - e.At < TimeSpan.FromMinutes(1)).ToList();
        // The first second brings what had happened before each of them came.
        var began = live.Min(e => e.At) + TimeSpan.FromSeconds(3);
        Table.Row("from an event of the record to the API's viewers", Times.P95(live.Where(e => e.At > began).Select(e => (e.Came - e.At).TotalMilliseconds)));
        var moments = live.Select(e => e.At).Where(a => a > began).Distinct().ToList();
        Table.Row("from an event to the pages", Times.P95(pages.SelectMany(p => moments.Select(at => p.Where(c => c >= at).Select(c => (c - at).TotalMilliseconds).DefaultIfEmpty(double.NaN).First())).Where(t => !double.IsNaN(t) && t < 5000)));
    }

    static Task Stream(Served served, string run, ConcurrentBag<(DateTimeOffset, DateTimeOffset)> events, CancellationToken over) => Read(served, $"/api/v1/runs/{run}/events", line =>
    {
        if (line.StartsWith("data: ", StringComparison.Ordinal))
            events.Add(((DateTimeOffset)JsonNode.Parse(line[6..])!["at"]!, TimeProvider.System.GetUtcNow()));
    }, over);

    static Task Page(Served served, string run, ConcurrentBag<List<DateTimeOffset>> pages, CancellationToken over)
    {
        var came = new List<DateTimeOffset>();
        pages.Add(came);
        return Read(served, $"/runs/{run}/live", line =>
        {
            if (line.StartsWith("event: region", StringComparison.Ordinal))
                came.Add(TimeProvider.System.GetUtcNow());
        }, over);
    }

    static async Task Read(Served served, string path, Action<string> take, CancellationToken over)
    {
        try
        {
            using var client = served.NewClient();
            using var reader = new StreamReader(await client.GetStreamAsync(path, over));
            while (await reader.ReadLineAsync(over) is { } line)
                take(line);
        }
        catch (OperationCanceledException)
        {
            // Enough was seen.
        }
    }
}

/// <summary>A server that is used for long: does it grow?</summary>
static class Endurance
{
    public static async Task Measure(Served served, TimeSpan time)
    {
        var token = await served.FormToken();
        var (watch, samples, runs, pages) = (Stopwatch.StartNew(), new List<(double MiB, int Handles)>(), 0, new List<double>());
        while (watch.Elapsed < time)
        {
            var run = await served.Run(token, "short");
            runs++;
            pages.Add(await Times.Of(async () => (await served.Client.GetAsync("/runs/" + run)).EnsureSuccessStatusCode()));
            await Look(served, run);
            if (runs % 10 == 0)
            {
                pages.AddRange(await Pages.Take(served, "/metrics", 1));
                samples.Add((served.MemoryMiB, served.Handles));
            }
        }
        var third = samples.Count / 3;
        Table.Row($"endurance: {watch.Elapsed.TotalMinutes:0} minutes, runs", $"{runs}");
        Table.Row("memory, median of the first, second and last third", string.Join(", ", samples.Chunk(Math.Max(1, third)).Take(3).Select(c => $"{c.Select(s => s.MiB).Order().ElementAt(c.Length / 2):0} MiB")));
        Table.Row("open files, first and last", $"{samples[0].Handles}, {samples[^1].Handles}");
        Table.Row("pages meanwhile", Times.P95(pages));
    }

    /// <summary>A viewer who comes and goes.</summary>
    static async Task Look(Served served, string run)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(700), TimeProvider.System);
        try
        {
            using var stream = await served.Client.GetStreamAsync($"/runs/{run}/live", soon.Token);
            var buffer = new byte[4096];
            while (await stream.ReadAsync(buffer, soon.Token) > 0)
                continue;
        }
        catch (OperationCanceledException)
        {
            // The viewer has gone.
        }
    }
}
