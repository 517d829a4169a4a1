using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Vault;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Runs;

/// <summary>What people hand over and agree to on the pages: shares of a Vault, answers by break-glass.</summary>
public sealed class PeopleTests
{
    static readonly string[] Shares = ["canary-first-share", "canary-second-share"];

    [Fact]
    public async Task Holders_give_their_shares_on_the_page_of_the_run_and_the_values_are_kept_nowhere()
    {
        using var vault = new VaultStub { Sealed = true, Shares = [.. Shares] };
        await using var here = new ServerHere();
        here.Write("environments/sealed.yaml", $$"""
            apiVersion: helix.runbooks/v1
            name: sealed
            targets:
              vault: { kind: vault, url: "{{vault.Url}}" }
            people:
              groups: { holders: [bob, carol] }
            """);
        here.Runbook("unseal", "steps:\n  - { id: open, uses: vault.unseal, with: { targets: [vault], holders: [group:holders] } }\n");
        await here.Start();
        using var alice = await here.LogIn("alice", Role.Operator);
        // A holder needs no role beyond seeing the run.
        using var bob = await here.LogIn("bob", Role.Viewer);
        var run = (await alice.Post("/runbooks/unseal/start", ("environment", "sealed"), ("mode", "live"))).Run;
        async Task<string> Asked(int left)
        {
            await Eventually.True(() => here.Store.Read(run).Count(e => e.Event is SecretAsked) == 3 - left && here.State(run).SecretsAsked.Count == 1, "a share is asked for");
            return here.State(run).SecretsAsked.Keys.Single();
        }
        var ask = await Asked(2);
        Assert.Contains("group:holders may give it", (await alice.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        Assert.Contains("Secret asked: share", (await bob.Get("/decisions")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await alice.Post($"/runs/{run}/secret", ("ask", ask), ("value", Shares[0]))).Status);
        Assert.Equal(HttpStatusCode.Redirect, (await bob.Post($"/runs/{run}/secret", ("ask", ask), ("value", Shares[0]))).Status);
        ask = await Asked(1);
        var again = await bob.Post($"/runs/{run}/secret", ("ask", ask), ("value", Shares[1]));
        Assert.Contains("bob has given theirs already", again.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", again.Text, StringComparison.Ordinal);

        // The other one from a terminal elsewhere.
        here.Accounts.Add("carol", [new Grant(Role.Viewer, "*")]);
        var token = here.Accounts.NewToken("carol", "cli", [], TimeSpan.FromDays(1));
        using (var login = new HelixProcess(here, ["login", "--server", here.Address.ToString()], token))
            Assert.Equal(0, await login.End());
        using (var give = new HelixProcess(here, ["secret", run, "--server", here.Address.ToString()], Shares[1]))
            Assert.True(await give.End() == 0, give.Said);
        await here.Becomes(run, RunStatus.Succeeded);
        Assert.False(vault.Sealed);
        Assert.Equal(["bob", "carol"], here.Store.Read(run).Select(e => e.Event).OfType<SecretGiven>().Select(g => g.Giver.Account));
        // With the drive its socket goes, which lies among these files.
        await Eventually.True(() => !here.Server.Site.Drivers.Drives(run), "the drive is over");
        var kept = string.Concat(Directory.EnumerateFiles(Path.Combine(here.Folder, "store"), "*", SearchOption.AllDirectories).Select(Text));
        Assert.DoesNotContain("canary", kept, StringComparison.Ordinal);
        var (status, text) = await Api(here, token, $"/api/v1/runs/{run}/secrets", $$"""{"ask":"{{ask}}","value":"x"}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("does not ask for that now", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_by_break_glass_is_ratified_on_the_page_by_somebody_else_of_those_who_were_asked()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        using var alice = await here.LogIn("alice", Role.Operator, Role.Approver);
        using var bob = await here.LogIn("bob", Role.Approver);
        using var eve = await here.LogIn("eve", Role.Approver);
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        await alice.Post($"/runs/{run}/answer", ("question", "go"), ("choice", "approve"), ("glass", "yes"), ("reason", "nobody can be reached"), ("form.ticket", "X"));
        await here.Becomes(run, RunStatus.Succeeded);
        var question = here.State(run).Unratified.Keys.Single();

        Assert.Contains("alice broke the glass, and cannot ratify it", (await alice.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        Assert.Contains("eve is not among those who were asked", (await eve.Get("/decisions")).Text, StringComparison.Ordinal);
        foreach (var no in new[] { alice, eve })
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await no.Post($"/runs/{run}/ratify", ("question", question), ("reason", "fine"))).Status);
        Assert.Contains("nobody can be reached", (await bob.Get("/decisions")).Text, StringComparison.Ordinal);

        // Who does not agree says so, and the run has ended.
        using var carol = await here.LogIn("carol", Role.Viewer);
        Assert.Contains($"action=\"/runs/{run}/note\"", (await bob.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain($"action=\"/runs/{run}/note\"", (await carol.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Redirect, (await bob.Post($"/runs/{run}/note", ("text", "I was at my desk"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await carol.Post($"/runs/{run}/note", ("text", "so was I"))).Status);
        Assert.Equal("bob", here.Store.Read(run).Single(e => e.Event is NoteAdded).By?.Account);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await bob.Post($"/runs/{run}/ratify", ("question", question), ("reason", ""))).Status);
        await bob.Post($"/runs/{run}/ratify", ("question", question), ("reason", "right: the night shift was alone"));
        Assert.Empty(here.State(run).Unratified);
        Assert.Contains(here.State(run).Remarks, r => r.Kind == "break-glass ratified" && r.By!.Account == "bob");
        Assert.Contains("Nobody is waited for", (await bob.Get("/decisions")).Text, StringComparison.Ordinal);
        var (status, _) = await Api(here, here.Accounts.NewToken("bob", "api", [Role.Approver], TimeSpan.FromDays(1)), $"/api/v1/runs/{run}/ratify", """{"reason":"again"}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
    }

    static async Task<(HttpStatusCode, string)> Api(ServerHere here, string token, string path, string body)
    {
        using var client = new HttpClient { BaseAddress = here.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    static string Text(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file, Encoding.Latin1);
        return reader.ReadToEnd();
    }
}
