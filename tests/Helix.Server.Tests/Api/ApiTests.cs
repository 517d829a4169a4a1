using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Server.Accounts;
using Helix.Server.Tests.Runs;

namespace Helix.Server.Tests.Api;

public sealed class ApiTests
{
    static async Task<ServerHere> WithGate()
    {
        var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        return here;
    }

    /// <summary>A program with a token of an account that may do everything but administrate.</summary>
    static HttpClient Program(ServerHere here, string account, params Role[] scopes)
    {
        if (here.Accounts.Find(account) is null)
            here.Accounts.Add(account, [new Grant(Role.Operator, "*"), new Grant(Role.Approver, "*")]);
        var client = new HttpClient { BaseAddress = here.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", here.Accounts.NewToken(account, "test", scopes, TimeSpan.FromDays(1)));
        return client;
    }

    static object Wish(object? inputs = null) => new { runbook = "gate", environment = "here", inputs = inputs ?? new { } };

    static async Task<JsonNode> Json(HttpResponseMessage answer) => JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;

    [Fact]
    public async Task A_program_starts_a_run_and_another_decides_and_the_record_is_sound()
    {
        await using var here = await WithGate();
        using var alice = Program(here, "alice", Role.Operator);
        using var bob = Program(here, "bob", Role.Approver);
        var started = await alice.PostAsJsonAsync("/api/v1/runs", Wish(new { word = "hi" }));
        Assert.Equal(HttpStatusCode.Created, started.StatusCode);
        var run = (await Json(started))["run"]!.GetValue<string>();
        await here.Becomes(run, RunStatus.Waiting);
        var question = (await bob.GetFromJsonAsync<JsonArray>("/api/v1/decisions"))!.Single()!;
        Assert.Equal("Write hi?", question["message"]!.GetValue<string>());
        var answer = await bob.PostAsJsonAsync($"/api/v1/runs/{run}/decisions", new { question = question["question"]!.GetValue<string>(), choice = "approve", shownHash = question["shownHash"]!.GetValue<string>(), inputs = new { ticket = "INC-1" } });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await here.Becomes(run, RunStatus.Succeeded);
        var verified = await alice.GetFromJsonAsync<JsonObject>($"/api/v1/runs/{run}/record");
        Assert.True(verified!["sound"]!.GetValue<bool>());
        Assert.Contains("looking at the world", await alice.GetStringAsync($"/api/v1/runs/{run}/logs"), StringComparison.Ordinal);
        Assert.Equal("succeeded", (await alice.GetFromJsonAsync<JsonObject>($"/api/v1/runs/{run}"))!["status"]!.GetValue<string>());
        Assert.Equal(new Person("alice", IdentityStrength.Password, "api"), here.State(run).Started.Operator);
    }

    [Fact]
    public async Task The_same_key_never_starts_a_second_run_and_another_wish_with_it_is_refused()
    {
        await using var here = await WithGate();
        using var alice = Program(here, "alice", Role.Operator);
        async Task<HttpResponseMessage> Ask(object wish)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/runs") { Content = JsonContent.Create(wish) };
            request.Headers.Add("Idempotency-Key", "alert-77");
            return await alice.SendAsync(request);
        }
        var first = (await Json(await Ask(Wish())))["run"]!.GetValue<string>();
        Assert.Equal(first, (await Json(await Ask(Wish())))["run"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Ask(Wish(new { word = "other" }))).StatusCode);
        Assert.Single(here.Store.Runs());
    }

    [Fact]
    public async Task A_token_may_no_more_than_its_scopes_and_its_account()
    {
        await using var here = await WithGate();
        using var reader = Program(here, "alice");
        Assert.Equal(HttpStatusCode.OK, (await reader.GetAsync("/api/v1/runs")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.PostAsJsonAsync("/api/v1/runs", Wish())).StatusCode);
        here.Accounts.Add("eve", [new Grant(Role.Viewer, "*")]);
        using var eve = Program(here, "eve", Role.Operator, Role.Admin);
        Assert.Equal(HttpStatusCode.Forbidden, (await eve.PostAsJsonAsync("/api/v1/runs", Wish())).StatusCode);
        Assert.Empty(here.Store.Runs());
        Assert.Contains(here.Accounts.Audited(5), l => l is { Account: "eve", Result: "refused" });
    }

    [Fact]
    public async Task A_token_that_is_revoked_wrong_or_over_opens_nothing()
    {
        var clock = new Clock();
        await using var here = await new ServerHere { Time = clock }.Start();
        using var alice = Program(here, "alice", Role.Operator);
        Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync("/api/v1/runs")).StatusCode);
        clock.Ahead = TimeSpan.FromDays(2);
        var over = await alice.GetAsync("/api/v1/runs");
        Assert.Equal(HttpStatusCode.Unauthorized, over.StatusCode);
        Assert.Equal("application/problem+json", over.Content.Headers.ContentType!.MediaType);
        clock.Ahead = TimeSpan.Zero;
        Assert.True(here.Accounts.Revoke("alice", here.Accounts.TokensOf("alice").Single().Id));
        Assert.Equal(HttpStatusCode.Unauthorized, (await alice.GetAsync("/api/v1/runs")).StatusCode);
        Assert.DoesNotContain(alice.DefaultRequestHeaders.Authorization!.Parameter!, string.Concat((await File.ReadAllBytesAsync(Path.Combine(here.Folder, "store", "server.db"))).Select(b => (char)b)), StringComparison.Ordinal);
    }

    sealed class Clock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;
    }

    [Fact]
    public async Task Events_come_each_once_and_in_order_also_over_a_broken_line()
    {
        await using var here = await WithGate();
        using var alice = await here.LogIn("alice", Role.Operator);
        using var bob = await here.LogIn("bob", Role.Approver);
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        string last;
        using (var first = await Listener.Open(alice, $"/api/v1/runs/{run}/events", null))
            last = (await first.Until(e => e.Name == "question-asked")).Id!;
        await here.Becomes(run, RunStatus.Waiting);
        await bob.Decide(run, "approve", ("form.ticket", "X"));
        using var second = await Listener.Open(alice, $"/api/v1/runs/{run}/events", last);
        var ids = new List<long>();
        await second.Until(e =>
        {
            ids.Add(long.Parse(e.Id!));
            return e.Name == "run-ended";
        });
        Assert.Equal(Enumerable.Range(0, ids.Count).Select(i => long.Parse(last) + 1 + i), ids);
    }

    [Fact]
    public async Task Events_go_on_beyond_an_end_to_the_last_one_of_a_run_that_was_reopened()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("failing", Books.Failing);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/failing/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        await alice.Post($"/runs/{run}/cancel", ("reason", "nobody knows how"));
        await here.Becomes(run, RunStatus.Cancelled);
        await Eventually.True(() => here.Store.ReadLease(run) is { Released: true } && !here.Server.Site.Drivers.Drives(run), "the run is let go");
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "mended"), "");
        here.Server.Site.NewEngine().Reopen(run, new Person("alice", IdentityStrength.Password, "web"), "check", "it is mended", []);
        here.Server.Site.Drivers.GoOn(run);
        await here.Becomes(run, RunStatus.Succeeded);
        await alice.Post($"/runs/{run}/note", ("text", "all is well"));
        using var events = await Listener.Open(alice, $"/api/v1/runs/{run}/events", null);
        var names = new List<string>();
        await events.Until(e =>
        {
            names.Add(e.Name);
            return e.Name == "note-added";
        });
        await events.End();
        Assert.Equal(2, names.Count(n => n == "run-ended"));
        Assert.Equal(here.Store.Read(run).Count, names.Count);
    }

    [Fact]
    public async Task What_has_not_changed_is_not_sent_again()
    {
        await using var here = await WithGate();
        using var alice = Program(here, "alice", Role.Operator);
        var run = (await Json(await alice.PostAsJsonAsync("/api/v1/runs", Wish())))["run"]!.GetValue<string>();
        await here.Becomes(run, RunStatus.Waiting);
        var first = await alice.GetAsync("/api/v1/runs/" + run);
        alice.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await alice.GetAsync("/api/v1/runs/" + run)).StatusCode);
        await alice.PostAsJsonAsync($"/api/v1/runs/{run}/notes", new { text = "somebody called" });
        Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync("/api/v1/runs/" + run)).StatusCode);
    }

    [Fact]
    public async Task Errors_say_what_is_wrong_as_problem_details()
    {
        await using var here = await WithGate();
        using var alice = Program(here, "alice", Role.Operator);
        async Task Is(HttpStatusCode status, string words, Task<HttpResponseMessage> asked)
        {
            var answer = await asked;
            Assert.Equal(status, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
            var problem = await Json(answer);
            Assert.Contains(words, problem["title"]!.GetValue<string>() + problem["detail"], StringComparison.Ordinal);
        }
        await Is(HttpStatusCode.NotFound, "no run", alice.GetAsync("/api/v1/runs/none"));
        await Is(HttpStatusCode.NotFound, "no runbook", alice.PostAsJsonAsync("/api/v1/plan", new { runbook = "../etc/passwd", environment = "here" }));
        await Is(HttpStatusCode.UnprocessableEntity, "no input 'wrod'", alice.PostAsJsonAsync("/api/v1/runs", Wish(new { wrod = "x" })));
        await Is(HttpStatusCode.BadRequest, "", alice.PostAsJsonAsync("/api/v1/runs", new { runbok = "gate" }));
        await Is(HttpStatusCode.NotFound, "no such page", alice.GetAsync("/api/v1/nothing"));
        var run = (await Json(await alice.PostAsJsonAsync("/api/v1/runs", Wish())))["run"]!.GetValue<string>();
        await here.Becomes(run, RunStatus.Waiting);
        await Is(HttpStatusCode.Forbidden, "approver", alice.PostAsJsonAsync($"/api/v1/runs/{run}/decisions", new { question = "go", choice = "approve" }));
    }

    [Fact]
    public async Task A_pause_of_a_run_that_nobody_drives_is_refused_instead_of_being_forgotten_when_it_goes_on()
    {
        await using var here = await WithGate();
        using var alice = Program(here, "alice", Role.Operator);
        var run = (await Json(await alice.PostAsJsonAsync("/api/v1/runs", Wish())))["run"]!.GetValue<string>();
        await here.Becomes(run, RunStatus.Waiting);
        await Eventually.True(() => here.Store.ReadLease(run) is { Released: true }, "the run is let go");
        var paused = await alice.PostAsJsonAsync($"/api/v1/runs/{run}/pause", new { });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, paused.StatusCode);
        Assert.Contains("Nobody drives run", (await Json(paused))["title"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.False(here.State(run).PauseAsked);
    }

    [Fact]
    public async Task The_document_describes_every_call_of_the_API()
    {
        await using var here = await WithGate();
        using var nobody = new HttpClient { BaseAddress = here.Address };
        var document = (await nobody.GetFromJsonAsync<JsonObject>("/api/v1/openapi.json"))!;
        Assert.StartsWith("3.", document["openapi"]!.GetValue<string>(), StringComparison.Ordinal);
        var described = document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject().Select(v => $"{v.Key.ToUpperInvariant()} {p.Key}")).ToHashSet();
        var served = here.Server.Endpoints.OfType<Microsoft.AspNetCore.Routing.RouteEndpoint>().Where(e => e.RoutePattern.RawText!.StartsWith("/api/v1/", StringComparison.Ordinal))
            .SelectMany(e => e.Metadata.OfType<Microsoft.AspNetCore.Routing.HttpMethodMetadata>().Last().HttpMethods.Select(m => $"{m} {e.RoutePattern.RawText}")).ToHashSet();
        Assert.Equal(served.Order(), described.Where(d => d.Contains("/api/v1/", StringComparison.Ordinal)).Order());
        Assert.DoesNotContain(described, d => !d.Contains("/api/v1/", StringComparison.Ordinal));
        foreach (var operation in document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject()))
            Assert.NotNull(operation.Value!["summary"]);
    }
}
