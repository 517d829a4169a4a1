using System.Net;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Web;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Tests.Web;

public sealed class DoorTests
{
    [Fact]
    public async Task Without_a_login_every_page_but_the_login_is_closed()
    {
        await using var here = await new ServerHere().Start();
        using var nobody = new Browser(here.Address);
        foreach (var route in Routes(here).Where(r => r.Metadata.GetMetadata<Open>() is null))
            foreach (var verb in route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            {
                using var request = new HttpRequestMessage(new HttpMethod(verb), Filled(route, "x"));
                using var answer = await nobody.Client.SendAsync(request);
                Assert.True(answer.StatusCode is HttpStatusCode.Redirect or HttpStatusCode.Unauthorized, $"{verb} {route.RoutePattern.RawText}: {answer.StatusCode}");
            }
    }

    [Fact]
    public async Task A_GET_changes_nothing_whatever_it_asks_for()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        using var root = await here.LogIn("root", Role.Admin);
        var run = (await root.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, Runbooks.Journal.RunStatus.Waiting);
        string Everything() => here.State(run).Head + here.Store.RegisterHead() + string.Join(',', here.Accounts.All().Select(a => a.ToString() + string.Join(',', a.Grants))) + here.Accounts.Audited(1000).Count;
        var before = Everything();
        foreach (var route in Routes(here).Where(r => !r.RoutePattern.RawText!.Contains("live", StringComparison.Ordinal)))
        {
            using var answer = await root.Client.GetAsync(Filled(route, run) + $"?choice=approve&question=go&reason=x&environment=here&name=eve&grant=admin:*", HttpCompletionOption.ResponseHeadersRead);
            Assert.NotEqual(HttpStatusCode.InternalServerError, answer.StatusCode);
        }
        Assert.Equal(before, Everything());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000")]
    public async Task A_form_without_its_token_changes_nothing_and_is_recorded(string token)
    {
        await using var here = await new ServerHere().Start();
        using var root = await here.LogIn("root", Role.Admin);
        Assert.Equal(HttpStatusCode.Forbidden, (await root.PostRaw("/accounts", ("_csrf", token), ("name", "eve"), ("grant", "admin:*"))).Status);
        Assert.Null(here.Accounts.Find("eve"));
        Assert.Contains(here.Accounts.Audited(5), l => l is { Account: "root", What: "POST /accounts", Result: "refused" });
    }

    [Fact]
    public async Task The_token_of_one_session_is_no_good_in_another()
    {
        await using var here = await new ServerHere().Start();
        using var root = await here.LogIn("root", Role.Admin);
        using var eve = await here.LogIn("eve", Role.Viewer);
        var hers = here.Server.Site is var site ? new Door(site).FormToken(null) : "";
        Assert.Equal(HttpStatusCode.Forbidden, (await root.PostRaw("/accounts", ("_csrf", hers), ("name", "mallory"), ("grant", "admin:*"))).Status);
    }

    [Fact]
    public async Task A_form_of_another_site_is_refused_even_with_the_right_token()
    {
        await using var here = await new ServerHere().Start();
        using var root = await here.LogIn("root", Role.Admin);
        root.Client.DefaultRequestHeaders.Add("Origin", "https://evil.example");
        Assert.Equal(HttpStatusCode.Forbidden, (await root.Post("/accounts", ("name", "eve"), ("grant", "admin:*"))).Status);
        Assert.Null(here.Accounts.Find("eve"));
    }

    [Fact]
    public async Task A_foreign_name_that_points_here_gets_nothing()
    {
        await using var here = await new ServerHere().Start();
        using var browser = new Browser(here.Address);
        browser.Client.DefaultRequestHeaders.Host = "evil.example";
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.Get("/login")).Status);
    }

    [Fact]
    public async Task Every_answer_forbids_scripts_and_frames_of_others()
    {
        await using var here = await new ServerHere().Start();
        using var root = await here.LogIn("root", Role.Admin);
        foreach (var path in (string[])["/runs", "/login", "/nothing", "/runbooks"])
        {
            var headers = (await root.Get(path)).Message.Headers;
            Assert.Contains("default-src 'none'", headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("nosniff", headers.GetValues("X-Content-Type-Options").Single());
        }
    }

    [Fact]
    public async Task Pages_name_no_outside_host_and_hold_no_script_of_their_own()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        using var root = await here.LogIn("root", Role.Admin);
        foreach (var path in (string[])["/runs", "/decisions", "/runbooks", "/runbooks/gate?environment=here", "/record", "/accounts", "/account"])
        {
            var page = (await root.Get(path)).Text;
            Assert.DoesNotMatch("(src|href|action)=\"(https?:)?//", page);
            Assert.DoesNotMatch("<script(?! src=\"/assets/)|<style|\\son\\w+=|style=", page);
        }
    }

    [Fact]
    public async Task It_refuses_to_listen_beyond_this_machine_without_TLS()
    {
        await using var here = new ServerHere { Change = s => s with { Listen = new IPEndPoint(IPAddress.Any, 0) } };
        Assert.Contains("TLS", (await Assert.ThrowsAsync<RunbookException>(() => here.Start())).Message, StringComparison.Ordinal);
    }

    static List<RouteEndpoint> Routes(ServerHere here) => [.. here.Server.Endpoints.OfType<RouteEndpoint>().Where(e => e.RoutePattern.RawText is { } raw && !raw.Contains("**", StringComparison.Ordinal))];

    static string Filled(RouteEndpoint route, string run) => "/" + System.Text.RegularExpressions.Regex.Replace(route.RoutePattern.RawText!.TrimStart('/'), @"\{(\w+)[^}]*\}", m => m.Groups[1].Value switch
    {
        "run" => run,
        "runbook" => "gate",
        "format" => "html",
        _ => "x",
    });
}
