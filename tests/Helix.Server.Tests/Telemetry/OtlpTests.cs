using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Helix.Runbooks.Journal;
using Helix.Server.Telemetry;

namespace Helix.Server.Tests.Telemetry;

/// <summary>The real <c>helix serve</c> with a real collector of this test.</summary>
public sealed class OtlpTests
{
    const string Canary = "canary-4711-secret";

    const string Book = """
        objectives: { rto: 1h, recoveredAt: last }
        steps:
          - id: shy
            uses: command.run
            effect: reads
            with: { argv: [sh, -c, 'echo "$TOKEN" >&2; test -e "$1/mended" || { touch "$1/mended"; exit 3; }', sh, FOLDER], secrets: { TOKEN: "env:HELIX_CANARY" } }
            retry: { attempts: 2, delay: 100ms, on: any }
          - id: go
            uses: approval
            with: { message: "Go on?", approvers: [alice], selfApproval: true }
          - id: last
            uses: command.run
            effect: reads
            with: { argv: [echo, done] }
        """;

    static (string, string)[] Variables(string url) =>
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_METRIC_EXPORT_INTERVAL", "500"), ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"), ("HELIX_CANARY", Canary),
    ];

    [Fact]
    public async Task A_run_is_one_trace_over_a_crash_and_two_servers_without_a_secret_in_it()
    {
        await using var here = new ServerHere();
        using var collector = new OtlpReceiver();
        here.Runbook("shy", Book);
        string run;
        using (var first = await ServeProcess.Start(here, Variables(collector.Url)))
        {
            using var alice = await first.Administrator("alice");
            run = (await alice.Post("/runbooks/shy/start", ("environment", "here"), ("mode", "live"))).Run;
            await Eventually.True(() => collector.Spans.Any(s => s.Name == "shy"), "the first step is told");
            await here.IsLetGo(run);
            first.Kill();
        }
        using (var second = await ServeProcess.Start(here, Variables(collector.Url)))
        {
            using var alice = new Browser(second.Address);
            await alice.Post("/login", ("account", "alice"), ("password", ServerHere.Password));
            await alice.Decide(run, "approve");
            await Eventually.True(() => collector.Spans.Any(s => s.Name == "shy" && s.Parent == ""), "the whole run is told");
            await Eventually.True(() => collector.Metrics.Any(m => m is { Name: "helix_step_seconds", Points: > 0 }) && collector.Metrics.Any(m => m is { Name: "helix_last_rta_seconds", Points: > 0 }), "the figures are told");
            var page = (await alice.Get("/metrics")).Text;
            Assert.Contains("helix_wait_seconds_count{environment=\"here\",for=\"people\"} 1\n", page, StringComparison.Ordinal);
            Assert.Contains("helix_step_seconds_bucket{environment=\"here\",uses=\"command.run\",result=\"succeeded\",le=\"+Inf\"} 1\n", page, StringComparison.Ordinal);
            Assert.Equal(0, await second.Stop());
        }
        var spans = collector.Spans.DistinctBy(s => s.Id).ToList();
        Assert.Equal(RunSpans.Trace(run).ToHexString(), Assert.Single(spans.Select(s => s.Trace).Distinct()));
        Assert.All(spans.Where(s => s.Parent != ""), s => Assert.Contains(spans, p => p.Id == s.Parent && p.Start <= s.Start));
        Assert.Equal(["go", "go waits for people", "last", "last attempt 1", "shy", "shy", "shy attempt 1", "shy attempt 2", "shy before another attempt"], spans.Select(s => s.Name).Where(n => n != "suspended").Order());
        Assert.Equal((2, 0), (spans.Single(s => s.Name == "shy attempt 1").Status, spans.Single(s => s.Name == "shy attempt 2").Status));
        Assert.Equal(("succeeded", "helix", "test"), (spans.Single(s => s.Parent == "").Tags["helix.outcome"], collector.Resource["service.name"], collector.Resource["deployment.environment"]));
        Assert.Contains("***", spans.Single(s => s.Name == "shy attempt 1").Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, collector.Everything, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collector_that_never_answers_holds_up_nothing_and_without_one_nothing_is_loaded()
    {
        await using var here = new ServerHere();
        using var deaf = new TcpListener(IPAddress.Loopback, 0);
        deaf.Start();
        here.Runbook("gate", Books.Gate);
        here.Runbook("plain", "steps:\n  - { id: look, uses: command.run, effect: reads, with: { argv: [echo, hello] } }");
        using (var first = await ServeProcess.Start(here, Variables($"http://127.0.0.1:{((IPEndPoint)deaf.LocalEndpoint).Port}/")))
        {
            using var alice = await first.Administrator("alice");
            for (var i = 0; i < 5; i++)
                await Ends(here, (await alice.Post("/runbooks/plain/start", ("environment", "here"), ("mode", "live"))).Run, RunStatus.Succeeded);
            Assert.Contains("OpenTelemetry", first.Maps, StringComparison.Ordinal);
            var watch = Stopwatch.StartNew();
            Assert.Equal(0, await first.Stop());
            Assert.True(watch.Elapsed < Hang.Limit, $"took {watch.Elapsed}");
        }
        using var second = await ServeProcess.Start(here);
        using var again = new Browser(second.Address);
        await again.Post("/login", ("account", "alice"), ("password", ServerHere.Password));
        await Ends(here, (await again.Post("/runbooks/plain/start", ("environment", "here"), ("mode", "live"))).Run, RunStatus.Succeeded);
        Assert.Contains("helix_step_seconds_count", (await again.Get("/metrics")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("OpenTelemetry", second.Maps, StringComparison.Ordinal);
    }

    static async Task Ends(ServerHere here, string run, RunStatus status)
    {
        using var store = JournalStore.Open(here.StorePath, TimeProvider.System);
        await Eventually.True(() => RunState.Of(run, store.Read(run)).Status == status, $"run {run} is {status}");
    }
}
