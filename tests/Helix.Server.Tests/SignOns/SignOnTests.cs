using System.Net;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model.SignOns;
using Helix.Runbooks.Runs;
using Helix.Server.Accounts;
using Helix.Server.Tests.Messages;

namespace Helix.Server.Tests.SignOns;

/// <summary>People sign on through a real OpenID Connect provider.</summary>
public sealed class SignOnTests
{
    static async Task<(ServerHere Here, OidcProvider Provider)> Both(string more = "", TimeProvider? time = null)
    {
        var port = Ports.Free();
        var provider = await OidcProvider.Start(port);
        SignOn? signOn = null;
        var here = new ServerHere { Time = time ?? TimeProvider.System, Change = s => s with { SignOn = signOn } };
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "secret"), OidcProvider.Secret + "\n");
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "sign-on.yaml"), $$"""
            apiVersion: helix.runbooks/v1
            name: sign-on
            issuer: {{provider.Issuer}}
            clientId: helix
            clientSecret: file:secret
            button: Sign on with the test provider
            roles:
              sre: [operator:*]
              ops-dba: [approver:here]
            approvers: { ops-dba: [dba] }
            {{more}}
            """);
        var read = new SignOnReader().ReadFile(Path.Combine(here.Folder, "sign-on.yaml"));
        Assert.Empty(read.Problems);
        signOn = read.Value;
        here.Environment("here", "dave");
        here.Runbook("gate", Books.Gate);
        return (await here.Start(port), provider);
    }

    static async Task<(Browser Browser, Answer Answer)> SignOn(ServerHere here, OidcProvider provider, string person)
    {
        var browser = new Browser(here.Address);
        return (browser, await browser.Get(await provider.SignOn(browser, person)));
    }

    [Fact]
    public async Task Who_is_in_a_group_starts_and_approves_and_the_record_says_who_vouched()
    {
        var (here, provider) = await Both();
        await using var _ = here;
        await using var __ = provider;
        using var before = new Browser(here.Address);
        Assert.Contains("Sign on with the test provider", (await before.Get("/login")).Text, StringComparison.Ordinal);
        var (carol, answer) = await SignOn(here, provider, "carol");
        Assert.Equal("/runs", answer.To!.ToString());
        var run = (await carol.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        // carol starts runs, and is in no group that this gate asks.
        Assert.Equal(HttpStatusCode.Forbidden, (await Approve(carol, run)).Status);
        var (bob, _) = await SignOn(here, provider, "bob");
        await bob.Decide(run, "approve", ("form.ticket", "INC-1"));
        await here.Becomes(run, RunStatus.Succeeded);
        var by = here.State(run).Questions.Values.Single().Answers.Single().By;
        Assert.Equal(("oidc:bob", IdentityStrength.Oidc), (by.Account, by.Strength));
        Assert.Equal([$"{provider.Issuer} sub-bob"], by.Names!);
        Assert.Equal(["dba"], by.Groups!);
        Assert.Contains(here.Accounts.Audited(20), l => l is { What: "login", Account: "oidc:bob", Result: "done" } && l.Detail.Contains(provider.Issuer, StringComparison.Ordinal));

        // Out here, and then out there.
        Assert.Equal("/login?left", (await bob.Post("/logout")).To!.ToString());
        Assert.StartsWith($"{provider.Issuer}/session/end", (await bob.Get("/login/oidc/leave")).To!.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Redirect, (await bob.Get("/runs")).Status);
    }

    [Fact]
    public async Task Who_is_in_no_group_is_refused_and_no_account_is_made()
    {
        var (here, provider) = await Both();
        await using var _ = here;
        await using var __ = provider;
        var (eve, answer) = await SignOn(here, provider, "eve");
        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Contains("eve is in no group of the provider that may do anything here (guests)", answer.Text, StringComparison.Ordinal);
        Assert.Empty(here.Accounts.All());
        Assert.Equal(HttpStatusCode.Redirect, (await eve.Get("/runs")).Status);
        Assert.Contains(here.Accounts.Audited(5), l => l is { What: "sign-on", Result: "refused" });

        // An answer that this browser did not ask for signs nobody on.
        using var victim = new Browser(here.Address);
        using var attacker = new Browser(here.Address);
        var link = await provider.SignOn(attacker, "alice");
        Assert.Equal(HttpStatusCode.Forbidden, (await victim.Get(link)).Status);
        Assert.Contains("did not begin in this browser", (await victim.Get(link)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_that_prove_nothing_are_refused_with_the_reason()
    {
        var (here, provider) = await Both();
        await using var _ = here;
        await using var __ = provider;
        foreach (var (trick, why) in new[]
        {
            ("audience", "meant for another program"), ("expired", "is over"), ("issuer", "another provider"), ("nonce", "another sign-on"),
            ("tampered", "not that of the provider"), ("stranger", "not that of the provider"), ("unsigned", "not that of the provider"),
        })
        {
            await provider.Trick(trick);
            var (browser, answer) = await SignOn(here, provider, "bob");
            Assert.True(answer.Status == HttpStatusCode.Forbidden, $"{trick}: {answer.Status}");
            Assert.Contains(why, WebUtility.HtmlDecode(answer.Text), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.Redirect, (await browser.Get("/runs")).Status);
        }
        await provider.Trick("none");
        Assert.Equal("/runs", (await SignOn(here, provider, "bob")).Answer.To!.ToString());
        Assert.Equal(["oidc:bob"], here.Accounts.All().Select(a => a.Name));
    }

    [Fact]
    public async Task While_the_provider_is_down_the_page_says_so_and_local_accounts_log_in()
    {
        var (here, provider) = await Both();
        await using var _ = here;
        await using var __ = provider;
        provider.Stop();
        using var browser = new Browser(here.Address);
        var answer = await browser.Get("/login/oidc");
        Assert.Equal(HttpStatusCode.BadGateway, answer.Status);
        Assert.Contains("does not answer. Accounts of this server can log in meanwhile", answer.Text, StringComparison.Ordinal);
        using var root = await here.LogIn("root", Role.Admin);
        Assert.Equal(HttpStatusCode.OK, (await root.Get("/runs")).Status);
        await provider.Run(here.Address.Port);
        Assert.Equal("/runs", (await SignOn(here, provider, "alice")).Answer.To!.ToString());
    }

    [Fact]
    public async Task Who_started_at_a_terminal_cannot_approve_through_the_provider_whatever_the_accounts_are_called()
    {
        var (here, provider) = await Both();
        await using var _ = here;
        await using var __ = provider;
        var run = new RunStart(here, new Person("asmith", IdentityStrength.Os, "cli")).Run;
        var (alice, _) = await SignOn(here, provider, "alice");
        // Nobody has said who alice is on the machines: she may be asmith.
        await Approve(alice, run);
        Assert.Contains("may be the person who started the run", Refused(here, run), StringComparison.Ordinal);
        using var root = await here.LogIn("root", Role.Admin);
        Assert.Contains("Who this is on the machines is not known", (await root.Get("/accounts")).Text, StringComparison.Ordinal);

        // She is.
        Assert.Equal(HttpStatusCode.Redirect, (await root.Post("/accounts/oidc:alice/names", ("known", "oidc:sub-alice\nos:asmith"))).Status);
        await Approve(alice, run);
        Assert.Contains("oidc:alice started the run as asmith", Refused(here, run), StringComparison.Ordinal);

        // She is not; and her account here is alice.
        await root.Post("/accounts", ("name", "alice"), ("grant", ""));
        await root.Post("/accounts/alice/names", ("known", "oidc:sub-alice\nos:alice"));
        Assert.True(here.Accounts.Find("oidc:alice")!.Disabled);
        (alice, var answer) = await SignOn(here, provider, "alice");
        Assert.Equal("/runs", answer.To!.ToString());
        await Approve(alice, run);
        await here.Becomes(run, RunStatus.Succeeded);
        Assert.Equal("alice", here.State(run).Questions.Values.Single().Answers.Single().By.Account);
    }

    [Fact]
    public async Task Where_the_provider_calls_people_as_the_machines_do_one_name_is_one_person_and_tokens_have_the_rights_of_the_groups_for_a_while()
    {
        var time = new Clock();
        var (here, provider) = await Both("sameNames: true\nfreshFor: 8h", time);
        await using var _ = here;
        await using var __ = provider;
        var run = new RunStart(here, new Person("alice", IdentityStrength.Os, "cli")).Run;
        var (alice, _) = await SignOn(here, provider, "alice");
        await Approve(alice, run);
        Assert.Contains("alice started the run, and who starts it may not approve it", Refused(here, run), StringComparison.Ordinal);
        var (bob, _) = await SignOn(here, provider, "bob");
        await Approve(bob, run);
        await here.Becomes(run, RunStatus.Succeeded);

        var token = here.Accounts.NewToken("bob", "laptop", [Role.Approver], TimeSpan.FromDays(30));
        Assert.True(here.Accounts.CallerOfToken(token)!.May(Role.Approver, "here"));
        Assert.Equal(["dba"], here.Accounts.CallerOfToken(token)!.Groups);
        time.Pass(TimeSpan.FromHours(9));
        Assert.False(here.Accounts.CallerOfToken(token)!.May(Role.Approver, "here"));
        Assert.Equal(HttpStatusCode.Redirect, (await bob.Get("/runs")).Status);
        // By our clock what the provider signs now was over long ago.
        Assert.Contains("clocks here and there differ", WebUtility.HtmlDecode((await SignOn(here, provider, "bob")).Answer.Text), StringComparison.Ordinal);
    }

    static Task<Answer> Approve(Browser browser, string run) => browser.Post($"/runs/{run}/answer", ("question", "go"), ("choice", "approve"), ("form.ticket", "X"));

    static string Refused(ServerHere here, string run) => here.State(run).Remarks.Last(r => r.Kind == "refused").Text;

    /// <summary>A run that somebody started at a terminal of this machine; it waits.</summary>
    sealed class RunStart
    {
        public RunStart(ServerHere here, Person person)
        {
            var engine = here.Server.Site.NewEngine();
            var plan = Helix.Server.Web.Starting.PlanOf(here.Server.Site, "gate", "here", [], "live");
            Run = engine.Start(plan, new StartRequest { Run = RunId.New(here.Time), Operator = person, Trigger = "terminal", Attended = true });
            engine.Drive(Run, new DriveSettings()).GetAwaiter().GetResult();
            Assert.Equal(RunStatus.Waiting, here.State(Run).Status);
        }

        public string Run { get; }
    }
}
