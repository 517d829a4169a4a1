using System.Net.Http.Headers;
using System.Text;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model.SignOns;
using Helix.Runbooks.Tests.Vault;
using Helix.Server.Accounts;
using Helix.Server.Tests.SignOns;
using Microsoft.Playwright;

namespace Helix.Server.Tests.Seen;

/// <summary>Pages at the door, seen in a real browser: sign-on, what alerts suggest, secrets, break-glass, the graph of a runbook, the report on paper.</summary>
public sealed class DoorPagesTests(Chromium chromium)
{
    const string Graph = """
        description: Shows **every kind of block**.
        owner: data-platform
        objectives: { rto: 1h, recoveredAt: check }
        inputs:
          instance: { type: string, default: db-1, description: Which one }
        steps:
          - { id: look, name: Look at it, uses: command.run, effect: reads, with: { argv: [echo, "{{ inputs.instance }}"] } }
          - { id: go, name: Is it really lost?, uses: approval, with: { message: "Remove the notes of {{ inputs.instance }}?", approvers: [group:dba], expiresAfter: 30m } }
          - parallel:
              - - { id: wipe, uses: file.remove, with: { path: notes, base: . } }
              - - { id: tell, uses: command.run, effect: reads, when: "{{ inputs.instance == 'db-1' }}", with: { argv: [echo, told] } }
                - { id: again, uses: command.run, effect: reads, ifFails: continue, with: { argv: [echo, again] } }
          - forEach: ["a", "b"]
            as: part
            steps:
              - { id: each_look, uses: command.run, effect: reads, with: { argv: [echo, "{{ part }}"] } }
          - { id: check, uses: command.run, effect: reads, with: { argv: [echo, fine] } }
        rescue:
          - { id: say, uses: command.run, effect: reads, with: { argv: [echo, "it did not work"] } }
        finally:
          - { id: tidy, uses: file.remove, with: { path: "{{ run.work }}" } }
        """;

    const string Triggers = """
        apiVersion: helix.runbooks/v1
        name: triggers
        environment: environments/production.yaml
        hooks:
          alertmanager: { from: alertmanager }
        triggers:
          notes_lost: { hook: alertmanager, match: { alertname: NotesLost }, runbook: notes-lost.yaml, inputs: { instance: "{{ alert.labels.instance }}" } }
        """;

    static async Task<(ServerHere Here, OidcProvider Provider)> Team()
    {
        var port = Ports.Free();
        var provider = await OidcProvider.Start(port);
        var here = new ServerHere { Change = s => s with { SignOn = new SignOnReader().Read("sign-on.yaml", Encoding.UTF8.GetBytes($$"""
            apiVersion: helix.runbooks/v1
            name: sign-on
            issuer: {{provider.Issuer}}
            clientId: helix
            clientSecret: file:{{s.Runbooks}}/secret
            button: Sign on with Example
            roles: { sre: ["operator:*"], ops-dba: ["approver:production"] }
            approvers: { ops-dba: [dba] }
            """)).Value! } };
        here.Write("secret", OidcProvider.Secret);
        here.Write("notes/a.txt", "hello\n");
        here.Write("environments/production.yaml", $$"""
            apiVersion: helix.runbooks/v1
            name: production
            protected: true
            targets:
              shelf: { kind: directory, path: {{here.Folder}}/shelf, identity: { place: "{{here.Folder}}/shelf" } }
            people: { groups: { dba: [dave] } }
            """);
        here.Runbook("notes-lost", Graph);
        here.Write("triggers.yaml", Triggers);
        return (await here.Start(port), provider);
    }

    [Fact]
    public async Task A_person_signs_on_in_a_browser_takes_a_suggestion_and_the_report_goes_on_paper()
    {
        var (here, provider) = await Team();
        await using var _ = here;
        await using var __ = provider;
        here.Accounts.Add("robot", [new Grant(Role.Operator, "production")]);
        await Alert(here, here.Accounts.NewToken("robot", "alertmanager", [], TimeSpan.FromDays(1), "alertmanager"));

        await using var carol = await chromium.Open(here, "door", 390, 844);
        await carol.Page.GotoAsync("/runs");
        await carol.Take("login");
        await carol.IsAccessible("login");
        await SignOn(carol, "carol");
        await carol.Page.GotoAsync("/decisions");
        await carol.Sees("NotesLost: the notes of db-1 are gone");
        await carol.Take("suggestion");
        await carol.IsAccessible("suggestion");
        await carol.Page.GetByLabel("production is protected").FillAsync("production");
        await carol.Press("Start the run");
        await carol.Arrives("/runs/[^/]+$");
        var run = carol.Page.Url.Split('/')[^1];
        await here.Becomes(run, RunStatus.Waiting);
        await carol.Take("run-of-a-suggestion");

        await using var bob = await chromium.Open(here, "door-dark", 1280, 900, dark: true);
        await bob.Page.GotoAsync("/runs/" + run);
        await bob.Take("login");
        await SignOn(bob, "bob");
        await bob.Press("Approve");
        await here.Becomes(run, RunStatus.Succeeded);
        foreach (var (path, what) in new[] { ("/runbooks/notes-lost?environment=production", "graph"), ("/triggers", "triggers"), ("/account", "account"), ($"/runs/{run}/report.html", "report") })
        {
            await carol.Page.GotoAsync(path);
            await carol.Take(what);
            if (what != "report")
                await carol.IsAccessible(what);
            await bob.Page.GotoAsync(path);
            await bob.Take(what);
        }
        var paper = await carol.Page.PdfAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, "screens", "report.pdf"), Format = "A4", Margin = new() { Top = "15mm", Bottom = "15mm", Left = "15mm", Right = "15mm" } });
        Assert.True(paper.Length > 10_000);
        await carol.Page.GotoAsync("/runs/" + run);
        await carol.Page.PdfAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, "screens", "run.pdf"), Format = "A4" });

        (await here.LogIn("root", Role.Admin)).Dispose();
        await using var root = await chromium.Open(here, "door-root", 390, 844);
        await root.LogIn("root");
        await root.Page.GotoAsync("/accounts");
        await root.Sees("Who this is on the machines is not known");
        await root.Take("accounts");
        await root.IsAccessible("accounts");
        await root.Page.SetViewportSizeAsync(1280, 900);
        await root.Take("accounts-wide");
        await bob.Page.GotoAsync("/account");
        await bob.Press("Log out");
        await bob.Sees("The identity provider still knows you");
        await bob.Take("left");
    }

    [Fact]
    public async Task A_share_is_given_and_a_broken_glass_ratified_on_a_phone()
    {
        using var vault = new VaultStub { Sealed = true, Shares = ["canary-share"], Threshold = 1 };
        await using var here = new ServerHere();
        here.Write("environments/sealed.yaml", $"apiVersion: helix.runbooks/v1\nname: sealed\ntargets:\n  vault: {{ kind: vault, url: \"{vault.Url}\" }}\npeople:\n  groups: {{ dba: [alice, bob] }}\n");
        here.Runbook("unseal", """
            steps:
              - { id: go, uses: approval, with: { message: "Unseal the vault?", approvers: [group:dba] } }
              - { id: open, uses: vault.unseal, with: { targets: [vault], holders: [bob] } }
            """);
        await here.Start();
        using var alice = await here.LogIn("alice", Role.Operator, Role.Approver);
        (await here.LogIn("bob", Role.Approver)).Dispose();
        var run = (await alice.Post("/runbooks/unseal/start", ("environment", "sealed"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        await alice.Post($"/runs/{run}/answer", ("question", "go"), ("choice", "approve"), ("glass", "yes"), ("reason", "nobody else can be reached, and the shop is down"));
        await using var bob = await chromium.Open(here, "share", 390, 844);
        await bob.LogIn("bob");
        await bob.Page.GotoAsync("/runs/" + run);
        await bob.Sees("Secret asked: share");
        await bob.Take("asked");
        await bob.IsAccessible("asked");
        await bob.Page.GetByLabel("share", new() { Exact = false }).Last.FillAsync("canary-share");
        await bob.Press("Give it");
        await bob.Sees("Succeeded after");
        Assert.DoesNotContain("canary", await bob.Page.ContentAsync(), StringComparison.Ordinal);
        await bob.Page.GotoAsync("/decisions");
        await bob.Take("glass");
        await bob.IsAccessible("glass");
        await bob.Page.GetByLabel("Why was it right?").FillAsync("the night shift was alone");
        await bob.Press("Ratify it");
        await bob.Arrives("/runs/[^/]+$");
        Assert.Empty(here.State(run).Unratified);
    }

    /// <summary>From our button over the provider's own pages and back.</summary>
    static async Task SignOn(Screen screen, string person)
    {
        // The pages of the provider would load their letters from elsewhere.
        await screen.Page.RouteAsync(url => !url.StartsWith("http://127.0.0.1", StringComparison.Ordinal), route => route.AbortAsync());
        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "Sign on with Example" }).ClickAsync();
        await screen.Page.Locator("input[name=login]").FillAsync("sub-" + person);
        await screen.Page.Locator("input[name=password]").FillAsync("any");
        await screen.Page.Locator("button[type=submit]").ClickAsync();
        // The next page has such a button too.
        await Assertions.Expect(screen.Page.Locator("input[name=login]")).ToHaveCountAsync(0);
        await screen.Page.Locator("button[type=submit]").ClickAsync();
        await screen.Arrives("/runs");
    }

    static async Task Alert(ServerHere here, string token)
    {
        using var client = new HttpClient { BaseAddress = here.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await client.PostAsync("/hooks/alertmanager", new StringContent("""
            { "version": "4", "status": "firing", "alerts": [ { "status": "firing", "labels": { "alertname": "NotesLost", "instance": "db-1" }, "annotations": { "summary": "the notes of db-1 are gone" }, "startsAt": "2026-11-29T10:00:00Z", "fingerprint": "c0ffee" } ] }
            """, Encoding.UTF8, "application/json"));
        Assert.True(answer.IsSuccessStatusCode);
    }
}
