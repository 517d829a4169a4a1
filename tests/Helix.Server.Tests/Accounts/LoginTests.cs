using System.Net;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Accounts;

public sealed class LoginTests
{
    [Fact]
    public async Task The_first_administrator_is_made_once_by_a_link_that_only_the_starter_sees()
    {
        await using var here = await new ServerHere().Start();
        var link = new Uri(here.Said.Single(s => s.Contains("/setup/", StringComparison.Ordinal)).Split(' ')[^1]).AbsolutePath;
        using var browser = new Browser(here.Address);
        Assert.Contains("short", (await browser.Post(link, ("account", "root"), ("password", "short"), ("again", "short"))).Text + "short", StringComparison.Ordinal);
        Assert.True(here.Accounts.IsEmpty);
        var made = await browser.Post(link, ("account", "root"), ("password", ServerHere.Password), ("again", ServerHere.Password));
        Assert.Equal("/accounts", made.To!.ToString());
        Assert.Equal(HttpStatusCode.OK, (await browser.Get("/accounts")).Status);
        using var second = new Browser(here.Address);
        Assert.Equal(HttpStatusCode.NotFound, (await second.Post(link, ("account", "eve"), ("password", ServerHere.Password), ("again", ServerHere.Password))).Status);
        Assert.Null(here.Accounts.Find("eve"));
    }

    [Fact]
    public async Task The_link_makes_one_administrator_also_when_it_is_sent_by_several_at_once()
    {
        await using var here = await new ServerHere().Start();
        var link = new Uri(here.Said.Single(s => s.Contains("/setup/", StringComparison.Ordinal)).Split(' ')[^1]).AbsolutePath;
        Assert.Contains("cannot be the name", (await Send("no name")).Text, StringComparison.Ordinal);
        var said = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Send($"root{i}")));
        Assert.Equal(7, said.Count(s => s.Status == HttpStatusCode.NotFound));
        Assert.Contains(here.Accounts.All().Single().Grants, g => g.Role == Role.Admin);

        async Task<Answer> Send(string account)
        {
            using var browser = new Browser(here.Address);
            return await browser.Post(link, ("account", account), ("password", ServerHere.Password), ("again", ServerHere.Password));
        }
    }

    [Fact]
    public async Task A_server_with_accounts_prints_no_link_unless_it_is_asked_for()
    {
        await using var here = await new ServerHere().Start();
        await here.LogIn("alice", Role.Viewer);
        await here.Stop();
        var before = here.Said.Count;
        await here.Start();
        Assert.DoesNotContain(here.Said.Skip(before), s => s.Contains("/setup/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_session_cookie_is_kept_from_scripts_and_other_sites()
    {
        await using var here = await new ServerHere().Start();
        here.Accounts.Add("alice", []);
        here.Accounts.SetPassword("alice", ServerHere.Password);
        using var browser = new Browser(here.Address);
        var cookie = (await browser.Post("/login", ("account", "alice"), ("password", ServerHere.Password))).Message.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        var value = cookie.Split('=', ';')[1];
        Assert.DoesNotContain(value, string.Concat(File.ReadAllBytes(Path.Combine(here.Folder, "store", "server.db")).Select(b => (char)b)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_passwords_make_the_next_try_wait_even_with_the_right_one()
    {
        await using var here = await new ServerHere { Time = new StillClock() }.Start();
        using var alice = await here.LogIn("alice", Role.Viewer);
        using var browser = new Browser(here.Address);
        for (var i = 0; i < 5; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await browser.Post("/login", ("account", "alice"), ("password", "wrong wrong wrong"))).Status);
        var right = await browser.Post("/login", ("account", "alice"), ("password", ServerHere.Password));
        Assert.Equal(HttpStatusCode.TooManyRequests, right.Status);
        Assert.NotNull(right.Message.Headers.RetryAfter);
        Assert.Contains(here.Accounts.Audited(10), l => l is { What: "login", Result: "throttled", Account: "alice" });
        Assert.Contains(here.Accounts.Audited(10), l => l is { What: "login", Result: "refused", Account: "alice" });
    }

    [Fact]
    public async Task Wrong_passwords_from_elsewhere_do_not_lock_out_the_owner_of_an_account()
    {
        await using var here = await new ServerHere { Time = new StillClock() }.Start();
        using var alice = await here.LogIn("alice", Role.Viewer);
        using var eve = new Browser(here.Address);
        eve.Client.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        for (var i = 0; i < 7; i++)
            await eve.Post("/login", ("account", "alice"), ("password", "wrong wrong wrong"));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await eve.Post("/login", ("account", "alice"), ("password", ServerHere.Password))).Status);
        using var again = new Browser(here.Address);
        again.Client.DefaultRequestHeaders.Add("X-Forwarded-For", "198.51.100.2");
        Assert.Equal("/runs", (await again.Post("/login", ("account", "alice"), ("password", ServerHere.Password))).To!.ToString());
        Assert.Contains(here.Accounts.Audited(20), l => l is { Result: "throttled", Address: "203.0.113.7" });
    }

    [Fact]
    public async Task A_name_that_nobody_has_is_refused_like_a_wrong_password()
    {
        await using var here = await new ServerHere().Start();
        using var alice = await here.LogIn("alice", Role.Viewer);
        using var browser = new Browser(here.Address);
        var wrong = await browser.Post("/login", ("account", "alice"), ("password", "wrong wrong wrong"));
        var nobody = await browser.Post("/login", ("account", "nobody"), ("password", "wrong wrong wrong"));
        Assert.Equal(wrong.Status, nobody.Status);
        Assert.Equal(wrong.Text, nobody.Text.Replace("nobody", "alice", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_login_leads_to_pages_of_this_server_only()
    {
        await using var here = await new ServerHere().Start();
        using var alice = await here.LogIn("alice", Role.Viewer);
        foreach (var (asked, got) in new[] { ("/record", "/record"), ("//evil.example", "/runs"), ("https://evil.example/", "/runs"), ("/\\evil.example", "/runs"), ("/\t/evil.example", "/runs"), ("/a\\b", "/runs") })
            Assert.Equal(got, (await alice.Post("/login", ("account", "alice"), ("password", ServerHere.Password), ("to", asked))).To!.ToString());
    }

    [Fact]
    public async Task Who_logs_out_or_is_disabled_or_gets_a_new_password_is_out_at_once()
    {
        await using var here = await new ServerHere().Start();
        async Task<bool> IsIn(Browser b) => (await b.Get("/runs")).Status == HttpStatusCode.OK;
        using var first = await here.LogIn("alice", Role.Viewer);
        await first.Post("/logout");
        Assert.False(await IsIn(first));
        using var second = await here.LogIn("alice", Role.Viewer);
        here.Accounts.SetPassword("alice", ServerHere.Password);
        Assert.False(await IsIn(second));
        using var third = await here.LogIn("alice", Role.Viewer);
        here.Accounts.SetDisabled("alice", true);
        Assert.False(await IsIn(third));
    }

    [Fact]
    public async Task Names_of_an_account_that_are_refused_leave_those_that_it_had()
    {
        await using var here = await new ServerHere().Start();
        using var root = await here.LogIn("root", Role.Admin);
        using var alice = await here.LogIn("alice", Role.Viewer);
        using var bob = await here.LogIn("bob", Role.Viewer);
        foreach (var (account, known) in new[] { ("alice", "os:asmith"), ("bob", "os:bsmith") })
            Assert.Equal(HttpStatusCode.Redirect, (await root.Post($"/accounts/{account}/names", ("known", known))).Status);
        var refused = await root.Post("/accounts/alice/names", ("known", "os:alice\nos:bsmith"));
        Assert.Contains("is bob already", WebUtility.HtmlDecode(refused.Text), StringComparison.Ordinal);
        Assert.Equal("asmith", here.Accounts.IdentitiesOf("alice").Single().Subject);
        Assert.Equal("bsmith", here.Accounts.IdentitiesOf("bob").Single().Subject);
    }

    [Fact]
    public async Task An_invitation_sets_a_password_once()
    {
        await using var here = await new ServerHere().Start();
        using var admin = await here.LogIn("root", Role.Admin);
        var page = await admin.Post("/accounts", ("name", "bob"), ("grant", "approver:here\nviewer:*"));
        var link = System.Text.RegularExpressions.Regex.Match(page.Text, "/invitation/[A-Za-z0-9_-]+").Value;
        Assert.Equal([new Grant(Role.Viewer, "*"), new Grant(Role.Approver, "here")], here.Accounts.Find("bob")!.Grants);
        using var bob = new Browser(here.Address);
        Assert.Equal("/runs", (await bob.Post(link, ("password", ServerHere.Password), ("again", ServerHere.Password))).To!.ToString());
        using var eve = new Browser(here.Address);
        Assert.Equal(HttpStatusCode.NotFound, (await eve.Post(link, ("password", "another password"), ("again", "another password"))).Status);
        Assert.NotNull(here.Accounts.Check("bob", ServerHere.Password));
    }
}
