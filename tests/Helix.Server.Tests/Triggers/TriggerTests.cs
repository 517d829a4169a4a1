using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Postgres;
using Helix.Server.Accounts;
using Helix.Server.Tests.Messages;
using Helix.Server.Triggers;

namespace Helix.Server.Tests.Triggers;

/// <summary>Alertmanager and other programs call hooks of a real server.</summary>
public sealed class TriggerTests(PostgresServer postgres)
{
    const string Secret = "canary-of-the-hook";

    const string Book = """
        apiVersion: helix.runbooks/v1
        name: triggers
        environment: environments/here.yaml
        hooks:
          alerts: { from: alertmanager }
          pipeline: { from: signed, secret: file:hook-secret }
        triggers:
          disk:
            hook: alerts
            match: { alertname: DiskFull }
            runbook: look.yaml
            inputs: { what: "{{ alert.labels.instance }}" }
            minimumDelay: 10m
          lost:
            hook: alerts
            match: { alertname: DataLost }
            when: "{{ alert.labels.severity == 'critical' }}"
            runbook: wipe.yaml
            expiresAfter: 1h
          gated:
            hook: alerts
            match: { alertname: Odd }
            runbook: gate.yaml
            atOnce: changes
          deployed:
            hook: pipeline
            when: "{{ body.event == 'deployment' }}"
            same: "{{ body.id }}"
            runbook: look.yaml
            inputs: { what: "{{ body.version }}" }
            minimumDelay: 1s
        """;

    const string Look = """
        inputs:
          what: { type: string, required: true, pattern: "[a-z0-9.:-]+" }
        steps:
          - { id: look, uses: command.run, effect: reads, with: { argv: [echo, "looking at {{ inputs.what }}"] } }
        """;

    const string Wipe = """
        steps:
          - { id: go, uses: approval, with: { message: "Wipe?", approvers: [group:dba] } }
          - { id: wipe, uses: file.remove, with: { path: notes, base: . } }
        """;

    static async Task<ServerHere> Started(TimeProvider? time = null, string? store = null)
    {
        var clock = time ?? TimeProvider.System;
        var here = store is null ? new ServerHere { Time = clock } : new ServerHere { Time = clock, StoreName = store };
        here.Runbook("look", Look);
        here.Runbook("wipe", Wipe);
        here.Runbook("gate", Books.Gate);
        here.Write("hook-secret", Secret + "\n");
        here.Write("triggers.yaml", Book);
        here.Write("ops-url", "http://127.0.0.1:9/");
        here.Write("environments/here.yaml", $$"""
            apiVersion: helix.runbooks/v1
            name: here
            targets:
              ops: { kind: webhook, url: "file:{{here.Runbooks}}/ops-url" }
            messages:
              - { to: ops, about: [waiting] }
            people: { groups: { dba: [alice, bob, carol] } }
            """);
        await here.Start();
        here.Accounts.Add("alice", [new Grant(Role.Operator, "*"), new Grant(Role.Approver, "*")]);
        here.Accounts.Add("bob", [new Grant(Role.Operator, "*"), new Grant(Role.Approver, "*")]);
        return here;
    }

    static string HookToken(ServerHere here, string account = "alice") => here.Accounts.NewToken(account, "alertmanager", [], TimeSpan.FromDays(1), "alerts");

    static JsonObject Alert(string name, string fingerprint, string status = "firing", string begins = "2026-11-29T10:00:00Z", params (string, string)[] labels) => new()
    {
        ["status"] = status,
        ["labels"] = new JsonObject(labels.Append(("alertname", name)).Select(l => KeyValuePair.Create(l.Item1, (JsonNode?)l.Item2))),
        ["annotations"] = new JsonObject { ["summary"] = $"{name} was seen" },
        ["startsAt"] = begins,
        ["endsAt"] = "0001-01-01T00:00:00Z",
        ["generatorURL"] = "http://prometheus/graph",
        ["fingerprint"] = fingerprint,
    };

    static Task<(HttpStatusCode Status, JsonObject Said)> Alerts(ServerHere here, string token, params JsonObject[] alerts) => Send(here, "alerts", new JsonObject
    {
        ["version"] = "4",
        ["groupKey"] = "{}:{}",
        ["truncatedAlerts"] = 0,
        ["status"] = "firing",
        ["receiver"] = "helix",
        ["groupLabels"] = new JsonObject(),
        ["commonLabels"] = new JsonObject(),
        ["commonAnnotations"] = new JsonObject(),
        ["externalURL"] = "http://alertmanager",
        ["alerts"] = new JsonArray([.. alerts]),
    }.ToJsonString(), r => r.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token));

    static Task<(HttpStatusCode Status, JsonObject Said)> Signed(ServerHere here, string body, string secret = Secret, TimeSpan ago = default)
    {
        var time = (here.Time.GetUtcNow() - ago).ToUnixTimeSeconds();
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{time}.{body}")));
        return Send(here, "pipeline", body, r =>
        {
            r.Headers.Add("X-Helix-Timestamp", $"{time}");
            r.Headers.Add("X-Helix-Signature", $"sha256={signature}");
        });
    }

    static async Task<(HttpStatusCode Status, JsonObject Said)> Send(ServerHere here, string hook, string body, Action<HttpRequestMessage> prove)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(here.Address, "/hooks/" + hook)) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        prove(request);
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : []);
    }

    static string Result(JsonObject said) => string.Join(", ", said["fired"]!.AsArray().Select(f => $"{f!["trigger"]} {f["result"]}"));

    [Fact]
    public async Task An_alert_from_a_machine_whose_clock_is_ahead_starts_its_run_too()
    {
        await using var here = await Started();
        var (_, said) = await Alerts(here, HookToken(here), Alert("DiskFull", "f1", begins: "2999-01-01T00:00:00Z", labels: ("instance", "db-1:9100")));
        Assert.Equal("disk started", Result(said));
        var started = here.State(said["fired"]![0]!["run"]!.ToString()).Started;
        Assert.True(started.OccurredAt <= started.DeclaredAt, $"{started.OccurredAt:u}");
    }

    [Fact]
    public async Task An_alert_starts_a_harmless_run_at_once_and_however_often_it_is_delivered_only_one()
    {
        var time = new Clock();
        await using var here = await Started(time);
        var token = HookToken(here);
        var (status, said) = await Alerts(here, token, Alert("DiskFull", "f1", labels: ("instance", "db-1:9100")), Alert("SomethingElse", "f2"));
        Assert.Equal((HttpStatusCode.OK, "disk started"), (status, Result(said)));
        var run = said["fired"]![0]!["run"]!.ToString();
        await here.Becomes(run, RunStatus.Succeeded);
        var started = here.State(run).Started;
        Assert.Equal(("trigger:disk", "hook", false), (started.Operator.Account, started.Trigger, started.Attended));
        Assert.Equal(DateTimeOffset.Parse("2026-11-29T10:00:00Z"), started.OccurredAt);
        Assert.Equal("DiskFull: DiskFull was seen", started.Incident);
        Assert.Contains("looking at db-1:9100", string.Concat(here.Store.Logs(run).Select(l => l.Text)), StringComparison.Ordinal);

        Assert.Equal("disk duplicate", Result((await Alerts(here, token, Alert("DiskFull", "f1", labels: ("instance", "db-1:9100")))).Said));
        Assert.Equal("disk ignored", Result((await Alerts(here, token, Alert("DiskFull", "f1", "resolved", labels: ("instance", "db-1:9100")))).Said));
        Assert.Equal("disk too-soon", Result((await Alerts(here, token, Alert("DiskFull", "f3", labels: ("instance", "db-2")))).Said));
        // What an input does not take starts nothing.
        Assert.Equal("disk failed", Result((await Alerts(here, token, Alert("DiskFull", "f4", labels: ("instance", "; rm -rf /")))).Said));
        Assert.Equal("disk failed", Result((await Alerts(here, token, Alert("DiskFull", "f5"))).Said));
        Assert.Single(here.Store.Runs());

        // The alert that came too soon is delivered again later, as it still fires.
        time.Pass(TimeSpan.FromMinutes(11));
        Assert.Equal("disk started", Result((await Alerts(here, token, Alert("DiskFull", "f3", labels: ("instance", "db-2")))).Said));
        Assert.Equal(2, here.Store.Runs().Count);
        Assert.Contains(here.Accounts.Audited(20), l => l is { Account: "alice", What: "trigger disk", Result: "started" } && l.Detail.Contains(run, StringComparison.Ordinal));
        using var root = await here.LogIn("root", Role.Admin);
        var page = (await root.Get("/triggers")).Text;
        Assert.Contains(run, page, StringComparison.Ordinal);
        Assert.Contains("does not match [a-z0-9.:-]&#x2B;", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_an_alert_started_is_gone_on_with_by_the_next_server()
    {
        await using var here = await Started();
        here.Runbook("look", "inputs:\n  what: { type: string, required: true }\n" + Books.Slow);
        var run = (await Alerts(here, HookToken(here), Alert("DiskFull", "f1", labels: ("instance", "db-1")))).Said["fired"]![0]!["run"]!.ToString();
        await Eventually.True(() => File.Exists(Path.Combine(here.Folder, "slow")), "the slow step runs");
        await here.Stop();
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await here.Start();
        await here.Becomes(run, RunStatus.Succeeded);
    }

    [Fact]
    public async Task A_trigger_whose_runbook_is_gone_has_failed_and_the_alerts_after_it_are_taken()
    {
        await using var here = await Started();
        var token = HookToken(here);
        Assert.Equal("", Result((await Alerts(here, token, Alert("SomethingElse", "f0"))).Said));
        File.Delete(Path.Combine(here.Runbooks, "look.yaml"));
        var (status, said) = await Alerts(here, token, Alert("DiskFull", "f1", labels: ("instance", "db-1")), Alert("DataLost", "f2", labels: ("severity", "critical")));
        Assert.Equal((HttpStatusCode.OK, "disk failed, lost suggested"), (status, Result(said)));
        Assert.Equal("There is no runbook 'look'.", said["fired"]![0]!["detail"]!.ToString());
        // It comes again, as the alert still fires.
        here.Runbook("look", Look);
        Assert.Equal("disk started", Result((await Alerts(here, token, Alert("DiskFull", "f1", labels: ("instance", "db-1")))).Said));
    }

    [Fact]
    public async Task What_destroys_is_suggested_and_started_by_one_press_or_dismissed_or_over()
    {
        var time = new Clock();
        await using var here = await Started(time);
        var token = HookToken(here);
        JsonObject Lost(string fingerprint, string status = "firing") => Alert("DataLost", fingerprint, status, labels: ("severity", "critical"));
        Assert.Equal("", Result((await Alerts(here, token, Alert("DataLost", "w", labels: ("severity", "warning")))).Said));
        var (_, said) = await Alerts(here, token, Lost("f1"), Lost("f2"), Lost("f3"), Lost("f4"));
        Assert.Equal("lost suggested, lost suggested, lost suggested, lost suggested", Result(said));
        Assert.Empty(here.Store.Runs());
        Assert.Equal(4, here.Accounts.LettersOf(10).Count(l => l.Channel == "ops" && l.Message.Contains("DataLost: DataLost was seen. The trigger lost suggests to start", StringComparison.Ordinal)));
        var ids = said["fired"]!.AsArray().Select(f => f!["suggestion"]!.ToString()).ToList();
        Assert.Equal("lost duplicate", Result((await Alerts(here, token, Lost("f1"))).Said));

        here.Accounts.SetPassword("bob", ServerHere.Password);
        using var bob = await here.LogIn("bob", Role.Operator);
        using var eve = await here.LogIn("eve", Role.Viewer);
        foreach (var page in new[] { "/decisions", "/ready", "/triggers" })
            Assert.Contains("DataLost: DataLost was seen", (await bob.Get(page)).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await eve.Post($"/suggestions/{ids[0]}/start")).Status);
        var both = await Task.WhenAll(bob.Post($"/suggestions/{ids[0]}/start"), bob.Post($"/suggestions/{ids[0]}/start"));
        Assert.Equal(both[0].Run, both[1].Run);
        var run = Assert.Single(here.Store.Runs());
        Assert.Equal(("bob", both[0].Run), (run.Operator, run.Run));
        await here.Becomes(run.Run, RunStatus.Waiting);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await bob.Post($"/suggestions/{ids[1]}/dismiss", ("reason", " "))).Status);
        await bob.Post($"/suggestions/{ids[1]}/dismiss", ("reason", "a test of the alert"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await bob.Post($"/suggestions/{ids[1]}/start")).Status);
        Assert.Equal("lost duplicate", Result((await Alerts(here, token, Lost("f2"))).Said));
        Assert.Equal("lost resolved", Result((await Alerts(here, token, Lost("f3", "resolved"))).Said));
        time.Pass(TimeSpan.FromMinutes(61));
        Assert.DoesNotContain("DataLost was seen", (await eve.Get("/decisions")).Text, StringComparison.Ordinal);
        Assert.Equal(["accepted", "dismissed", "resolved", "expired"], ids.Select(i => here.Accounts.Firing(i)!.Result));
        // The alert goes on: what expired is suggested anew.
        Assert.Equal("lost suggested", Result((await Alerts(here, token, Lost("f4"))).Said));

        using var client = new HttpClient { BaseAddress = here.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", here.Accounts.NewToken("bob", "api", [Role.Operator], TimeSpan.FromDays(1)));
        Assert.Equal(ids[3], JsonNode.Parse(await client.GetStringAsync("/api/v1/suggestions"))!.AsArray().Single()!["id"]!.ToString());
        using var answer = await client.PostAsync($"/api/v1/suggestions/{ids[3]}/dismiss", new StringContent("""{"reason":"known"}""", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Contains("dismissed", await client.GetStringAsync("/api/v1/triggers"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_two_servers_of_one_store_hear_at_once_starts_one_run_and_is_suggested_once()
    {
        var store = postgres.Store();
        await using var first = await Started(store: store);
        await using var second = await new ServerHere { StoreName = store, Runbooks = first.Runbooks }.Start();
        var token = HookToken(first);
        var alerts = new[] { Alert("DiskFull", "f1", labels: ("instance", "db-1")), Alert("DataLost", "f2", labels: ("severity", "critical")) };
        var said = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Alerts(i % 2 == 0 ? first : second, token, [.. alerts.Select(a => (JsonObject)a.DeepClone())])));
        Assert.All(said, s => Assert.True(s.Status == HttpStatusCode.OK, $"{s.Status}. The servers said: {string.Join('\n', [.. first.Said, .. second.Said])}"));
        Assert.Equal(1, said.Count(s => Result(s.Said).Contains("disk started", StringComparison.Ordinal)));
        Assert.Equal(1, said.Count(s => Result(s.Said).Contains("lost suggested", StringComparison.Ordinal)));
        var run = Assert.Single(first.Store.Runs()).Run;
        await second.Becomes(run, RunStatus.Succeeded);
        Assert.Equal(run, second.Accounts.FiringsOf("disk", 10).Single().Run);

        using var bob = await first.LogIn("carl", Role.Operator);
        using var there = new Browser(second.Address);
        there.Cookies.Add(bob.Cookies.GetAllCookies());
        var id = second.Accounts.Suggested().Single().Id;
        var both = await Task.WhenAll(bob.Post($"/suggestions/{id}/start"), there.Post($"/suggestions/{id}/start"));
        Assert.Equal(both[0].Run, both[1].Run);
        Assert.Equal(2, first.Store.Runs().Count);
        await first.Becomes(both[0].Run, RunStatus.Waiting);
    }

    [Fact]
    public async Task Of_different_alerts_that_come_to_two_servers_at_once_one_starts_a_run_of_their_trigger()
    {
        var store = postgres.Store();
        await using var first = await Started(store: store);
        await using var second = await new ServerHere { StoreName = store, Runbooks = first.Runbooks }.Start();
        var token = HookToken(first);
        var said = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Alerts(i % 2 == 0 ? first : second, token, Alert("DiskFull", $"f{i}", labels: ("instance", $"db-{i}")))));
        Assert.Equal(["disk started", .. Enumerable.Repeat("disk too-soon", 7)], said.Select(s => Result(s.Said)).Order());
        Assert.Single(first.Store.Runs());
    }

    [Fact]
    public async Task A_suggestion_that_is_started_and_dismissed_at_once_counts_as_started_when_its_run_is()
    {
        var store = postgres.Store();
        await using var first = await Started(store: store);
        await using var second = await new ServerHere { StoreName = store, Runbooks = first.Runbooks }.Start();
        var token = HookToken(first);
        using var carl = await first.LogIn("carl", Role.Operator);
        using var there = new Browser(second.Address);
        there.Cookies.Add(carl.Cookies.GetAllCookies());
        for (var i = 0; i < 6; i++)
        {
            await Alerts(first, token, Alert("DataLost", $"f{i}", labels: ("severity", "critical")));
            var open = first.Accounts.Suggested().Single();
            await Task.WhenAll(carl.Post($"/suggestions/{open.Id}/start"), there.Post($"/suggestions/{open.Id}/dismiss", ("reason", "a test of the alert")));
            var became = first.Accounts.Firing(open.Id)!;
            Assert.Equal(first.Store.Has(TriggerDesk.RunOf(open)) ? "accepted" : "dismissed", became.Result);
        }
    }

    [Fact]
    public async Task A_real_Alertmanager_starts_a_run_once_suggests_another_and_takes_the_suggestion_back()
    {
        await using var here = await Started();
        using var alerts = await Alertmanager.Start(new Uri(here.Address, "/hooks/alerts"), HookToken(here));
        await alerts.Send("DiskFull", labels: ("instance", "db-1:9100"));
        await alerts.Send("DataLost", labels: ("severity", "critical"));
        await Eventually.True(() => here.Accounts.FiringsOf("disk", 5).Any(f => f.Result == "started") && here.Accounts.Suggested().Count == 1, "both alerts have come");
        var run = Assert.Single(here.Store.Runs());
        Assert.Equal(("trigger:disk", "look"), (run.Operator, run.Runbook));
        await here.Becomes(run.Run, RunStatus.Succeeded);
        Assert.Equal(new DateTimeOffset(2026, 11, 29, 10, 0, 0, TimeSpan.Zero), here.State(run.Run).Started.OccurredAt);
        await Eventually.True(() => here.Accounts.Audited(50).Any(l => l is { What: "trigger disk", Result: "duplicate" }), "it delivers again while the alert fires");
        await alerts.Send("DataLost", over: true, labels: ("severity", "critical"));
        await Eventually.True(() => here.Accounts.FiringsOf("lost", 5).Single().Result == "resolved", "the suggestion is taken back");
        Assert.Single(here.Store.Runs());
    }

    [Fact]
    public async Task A_token_for_a_hook_opens_nothing_else_and_its_owner_cannot_approve_what_it_started()
    {
        await using var here = await Started();
        var token = HookToken(here);
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = here.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/v1/runs")).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await client.GetAsync("/runs")).StatusCode);
        // A token for the API, or a session, is none for the hook.
        Assert.Equal(HttpStatusCode.Unauthorized, (await Alerts(here, here.Accounts.NewToken("alice", "api", [Role.Operator], TimeSpan.FromDays(1)), Alert("Odd", "f1"))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Send(here, "nothing", "{}", _ => { })).Status);

        here.Accounts.Add("guest", [new Grant(Role.Viewer, "*")]);
        Assert.Equal("gated refused", Result((await Alerts(here, HookToken(here, "guest"), Alert("Odd", "f1"))).Said));
        var run = (await Alerts(here, token, Alert("Odd", "f1"))).Said["fired"]![0]!["run"]!.ToString();
        await here.Becomes(run, RunStatus.Waiting);
        async Task Approve(string account)
        {
            here.Accounts.SetPassword(account, ServerHere.Password);
            using var browser = await here.LogIn(account, Role.Approver);
            await browser.Post($"/runs/{run}/answer", ("question", "go"), ("choice", "approve"), ("form.ticket", "X"));
        }
        await Approve("alice");
        Assert.Contains("alice started the run as trigger:gated", here.State(run).Remarks.Last(r => r.Kind == "refused").Text, StringComparison.Ordinal);
        await Approve("bob");
        await here.Becomes(run, RunStatus.Succeeded);
    }

    [Fact]
    public async Task A_signed_call_counts_once_in_its_time_and_by_its_secret_alone()
    {
        await using var here = await Started(new StillClock());
        const string Body = """{"event":"deployment","id":"d-1","version":"1.2.3"}""";
        Assert.Equal("deployed started", Result((await Signed(here, Body)).Said));
        Assert.Equal("deployed duplicate", Result((await Signed(here, Body)).Said));
        // Signed anew, a moment later, as a sender does that got no answer.
        Assert.Equal("deployed duplicate", Result((await Signed(here, Body, ago: TimeSpan.FromSeconds(3))).Said));
        Assert.Equal("", Result((await Signed(here, """{"event":"rollback","id":"r-1"}""")).Said));
        Assert.Single(here.Store.Runs());

        Assert.Equal(HttpStatusCode.Unauthorized, (await Signed(here, Body, secret: "another")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Signed(here, Body, ago: TimeSpan.FromMinutes(6))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Send(here, "pipeline", Body, _ => { })).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Signed(here, "no json")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Signed(here, """{"event":"deployment","event":"x"}""")).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await Signed(here, new string(' ', 300_000))).Status);
        for (var i = 0; i < 6; i++)
            await Signed(here, Body, secret: "another");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await Signed(here, Body)).Status);
        Assert.Contains(here.Accounts.Audited(30), l => l is { What: "hook pipeline", Result: "refused" } && l.Detail.Contains("HMAC", StringComparison.Ordinal));
        Assert.DoesNotContain(here.Accounts.Audited(100), l => l.Detail.Contains(Secret, StringComparison.Ordinal));

        here.Write("triggers.yaml", Book.Replace("runbook: look.yaml", "runbook: nothing.yaml", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Alerts(here, HookToken(here), Alert("DiskFull", "f9"))).Status);
        Assert.Contains(here.Said, s => s.Contains("no hook starts anything", StringComparison.Ordinal));
    }
}
