using System.Net;
using System.Net.Http.Json;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Postgres;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Nodes;

/// <summary>Two servers on one PostgreSQL store: what one knows the other knows.</summary>
public sealed class SharedStoreTests(PostgresServer postgres)
{
    [Fact]
    public async Task Sessions_accounts_tokens_forms_and_the_count_of_wrong_passwords_hold_on_every_server()
    {
        var (store, time) = (postgres.Store(), new StillClock());
        await using var first = await new ServerHere { StoreName = store, Time = time }.Start();
        await using var second = await new ServerHere { StoreName = store, Time = time, Runbooks = first.Runbooks }.Start();
        using var alice = await first.LogIn("alice", Role.Operator);
        using var there = new Browser(second.Address);
        there.Cookies.Add(alice.Cookies.GetAllCookies());
        Assert.Equal(HttpStatusCode.OK, (await there.Get("/runs")).Status);

        var token = first.Accounts.NewToken("alice", "script", [Role.Operator], TimeSpan.FromDays(1));
        Assert.Equal("alice", second.Accounts.CallerOfToken(token)!.Account);
        second.Accounts.SetDisabled("alice", true);
        Assert.Null(first.Accounts.CallerOfToken(token));
        Assert.NotEqual(HttpStatusCode.OK, (await alice.Get("/runs")).Status);

        using var eve = new Browser(first.Address);
        for (var i = 0; i < 6; i++)
            await eve.Post("/login", ("account", "bob"), ("password", "wrong wrong wrong"));
        using var eveThere = new Browser(second.Address);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await eveThere.Post("/login", ("account", "bob"), ("password", "wrong wrong wrong"))).Status);
        Assert.Contains(second.Accounts.Audited(20), a => a is { What: "login", Result: "throttled" });
    }

    [Fact]
    public async Task The_same_request_to_two_servers_makes_one_run_and_both_show_it_as_it_goes()
    {
        var store = postgres.Store();
        await using var first = await new ServerHere { StoreName = store }.Start();
        await using var second = await new ServerHere { StoreName = store, Runbooks = first.Runbooks }.Start();
        first.Runbook("gate", Books.Gate);
        using var alice = await first.LogIn("alice", Role.Operator);
        using var bob = await second.LogIn("bob", Role.Approver);
        var token = first.Accounts.NewToken("alice", "script", [Role.Operator], TimeSpan.FromDays(1));
        var made = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Wish(i % 2 == 0 ? first : second, token)));
        var run = Assert.Single(made.Distinct());
        Assert.Single(first.Store.Runs());

        await second.Becomes(run, RunStatus.Waiting);
        Assert.Contains("Write hello?", (await bob.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        await bob.Decide(run, "approve", ("form.ticket", "INC-1"));
        await first.Becomes(run, RunStatus.Succeeded);
        Assert.Contains("succeeded", (await alice.Get("/runs/" + run)).Text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("hello\n", await File.ReadAllTextAsync(Path.Combine(first.Folder, "world")));
        Assert.Empty(first.Store.Verify(run));
        Assert.Empty(first.Store.Locks());
    }

    [Fact]
    public async Task The_page_of_the_nodes_shows_them_and_an_administrator_drains_one()
    {
        await using var here = await new ServerHere { StoreName = postgres.Store(), Change = s => s with { Node = "one", Labels = new Dictionary<string, string> { ["site"] = "a" } } }.Start();
        here.Runbook("slow", Books.Slow);
        using var root = await here.LogIn("root", Role.Admin);
        using var alice = await here.LogIn("alice", Role.Operator);
        var page = (await root.Get("/nodes")).Text;
        Assert.All(["<h2>one", "this one", "site=a", "drives nothing", "Drain it"], part => Assert.Contains(part, page, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Forbidden, (await alice.Post("/nodes/drain", ("node", "one"))).Status);
        await root.Post("/nodes/drain", ("node", "one"));
        await Eventually.True(async () => (await root.Get("/health/ready")).Text == "draining\n", "it drains");
        Assert.Contains("root drained it", (await alice.Get("/nodes")).Text, StringComparison.Ordinal);

        var run = (await alice.Post("/runbooks/slow/start", ("environment", "here"), ("mode", "live"))).Run;
        Assert.Equal("its node is drained", here.State(run).SuspendedBecause);
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await root.Post("/nodes/drain", ("node", "one"), ("lift", "yes"));
        await here.Becomes(run, RunStatus.Succeeded);
        Assert.Contains(here.Accounts.Audited(20), a => a is { What: "node one", Result: "drained" });
    }

    [Fact]
    public async Task TIM_07_A_planned_time_that_comes_to_two_servers_at_once_gives_one_run()
    {
        var store = postgres.Store();
        await using var first = await new ServerHere { StoreName = store }.Start();
        await using var second = await new ServerHere { StoreName = store, Runbooks = first.Runbooks }.Start();
        first.Runbook("slow", Books.Slow);
        first.Write("schedules.yaml", "apiVersion: helix.runbooks/v1\nname: schedules\ntimeZone: UTC\nenvironment: environments/here.yaml\nschedules:\n  yearly: { runbook: slow.yaml, cron: '0 3 29 2 *', overlap: skip, freshFor: 400d, dst: once }\n");
        var planned = new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);
        var sites = new[] { first.Server.Site, second.Server.Site };
        foreach (var site in sites)
            await site.Timetable.Again();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            var site = sites[i % 2];
            new Helix.Server.Schedules.PlannedStarts(site).Try(site.Timetable.Book!.Value!, site.Timetable.Find("yearly")!, planned);
        })));
        var run = Assert.Single(first.Store.Runs()).Run;
        Assert.Equal(("started", run), (second.Accounts.PlannedAt("yearly", planned)!.Result, second.Accounts.PlannedAt("yearly", planned)!.Run));
        await File.WriteAllTextAsync(Path.Combine(first.Folder, "on"), "");
        await first.Becomes(run, RunStatus.Succeeded);
        Assert.Empty(first.Store.Locks());
    }

    static async Task<string> Wish(ServerHere server, string token)
    {
        using var client = new HttpClient { BaseAddress = server.Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        client.DefaultRequestHeaders.Add("Idempotency-Key", "the same");
        var answer = await client.PostAsJsonAsync("/api/v1/runs", new { runbook = "gate", environment = "here" });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<System.Text.Json.Nodes.JsonObject>())!["run"]!.GetValue<string>();
    }
}
