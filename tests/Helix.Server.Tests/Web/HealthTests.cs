using System.Net;
using System.Net.Http.Headers;
using Helix.Runbooks.Journal;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Web;

public sealed class HealthTests
{
    [Fact]
    public async Task It_says_that_it_is_alive_and_takes_work_and_no_longer_when_its_store_is_gone()
    {
        await using var here = await new ServerHere().Start();
        using var nobody = new Browser(here.Address);
        Assert.Equal(HttpStatusCode.OK, (await nobody.Get("/health/live")).Status);
        Assert.Equal(HttpStatusCode.OK, (await nobody.Get("/health/ready")).Status);
        File.Move(here.StorePath, here.StorePath + ".away");
        await Eventually.True(async () => (await nobody.Get("/health/ready")).Status == HttpStatusCode.ServiceUnavailable, "it is not ready");
        Assert.Equal(HttpStatusCode.OK, (await nobody.Get("/health/live")).Status);
        File.Move(here.StorePath + ".away", here.StorePath);
    }

    [Fact]
    public async Task Numbers_are_read_with_a_token_in_the_form_that_Prometheus_takes()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        using var scraper = new HttpClient { BaseAddress = here.Address };
        Assert.Equal(HttpStatusCode.Unauthorized, (await scraper.PostAsync("/metrics", null)).StatusCode);
        scraper.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", here.Accounts.NewToken("alice", "prometheus", [], TimeSpan.FromDays(1)));
        var text = await scraper.GetStringAsync("/metrics");
        Assert.Contains("helix_runs{status=\"waiting\",mode=\"live\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("helix_decisions_open 1\n", text, StringComparison.Ordinal);
        Assert.Contains("helix_scenario_ready{runbook=\"gate\",environment=\"here\"} 0.5\n", text, StringComparison.Ordinal);
        Assert.All(text.TrimEnd('\n').Split('\n'), l => Assert.Matches(@"^(# (HELP|TYPE) helix_\w+ .+|helix_\w+(\{(\w+=""[^""]*"",?)+\})? -?[0-9.]+)$", l));
    }
}
