using System.Net;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Runs;

public sealed class ReadyTests
{
    const string Restore = """
        objectives: { rto: 1h, rpo: 1h }
        inputs:
          backup: { type: backup, target: shelf, prefix: notes/, default: latest }
        steps:
          - { id: fetch, uses: backup.download, with: { target: shelf, prefix: notes/, backup: "{{ inputs.backup }}", to: "{{ run.work }}/notes.tar" } }
        """;

    const string Keep = """
        steps:
          - { id: pack, uses: file.archive, with: { from: notes, to: "{{ run.work }}/notes.tar" } }
          - { id: keep, uses: backup.upload, with: { target: shelf, file: "{{ steps.pack.file }}", prefix: notes/, kind: files.tar, recoveryPoint: "{{ steps.pack.recoveryPoint }}" } }
        """;

    static async Task<(ServerHere Here, Browser Alice)> WithRestore()
    {
        var here = await new ServerHere().Start();
        Directory.CreateDirectory(Path.Combine(here.Folder, "shelf"));
        here.Write("notes/a.txt", "hello");
        here.Runbook("restore", Restore);
        here.Runbook("keep", Keep);
        return (here, await here.LogIn("alice", Role.Operator));
    }

    static async Task Run(ServerHere here, Browser browser, string runbook, string mode = "live")
    {
        var run = (await browser.Post($"/runbooks/{runbook}/start", ("environment", "here"), ("mode", mode))).Run;
        await here.Becomes(run, RunStatus.Succeeded);
    }

    [Fact]
    public async Task The_page_of_backups_knows_the_series_that_a_runbook_only_adds_to()
    {
        await using var here = await new ServerHere().Start();
        Directory.CreateDirectory(Path.Combine(here.Folder, "shelf"));
        here.Write("notes/a.txt", "hello");
        here.Runbook("keep", Keep);
        using var alice = await here.LogIn("alice", Role.Operator);
        await Run(here, alice, "keep");
        Assert.Contains("notes/", (await alice.Get("/backups")).Text, StringComparison.Ordinal);
    }

    static async Task<string> Ready(Browser browser) => WebUtility.HtmlDecode((await browser.Get("/ready")).Text);

    [Fact]
    public async Task A_scenario_without_a_backup_is_not_ready_and_says_why()
    {
        var (here, alice) = await WithRestore();
        await using var _ = here;
        var page = await Ready(alice);
        Assert.Contains("0 ready, 0 doubtful, 1 not ready", page, StringComparison.Ordinal);
        Assert.Contains("There is no complete backup below notes/ in shelf", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_that_nobody_restored_leaves_doubts_and_a_drill_removes_those_that_it_can()
    {
        var (here, alice) = await WithRestore();
        await using var _ = here;
        await Run(here, alice, "keep");
        var page = await Ready(alice);
        Assert.Contains("1 doubtful", page, StringComparison.Ordinal);
        Assert.Contains("No backup below notes/ was ever proven", page, StringComparison.Ordinal);
        Assert.Contains("It was never tried", page, StringComparison.Ordinal);
        await Run(here, alice, "restore", "drill");
        page = await Ready(alice);
        Assert.DoesNotContain("It was never tried", page, StringComparison.Ordinal);
        Assert.Contains("last drill", page, StringComparison.Ordinal);
        here.Runbook("restore", Restore + "\ndescription: changed since\n");
        Assert.Contains("Its text was changed since", await Ready(alice), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Backups_are_listed_with_what_a_rule_would_remove_and_nothing_is_removed()
    {
        var (here, alice) = await WithRestore();
        await using var _ = here;
        await Run(here, alice, "keep");
        await Run(here, alice, "keep");
        var page = (await alice.Get("/backups?environment=here&target=shelf&prefix=notes/&keepDaily=1")).Text;
        Assert.Equal(2, page.Split("data-head=\"Prune\"").Length - 1);
        Assert.Contains("This removes nothing", page, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(here.Folder, "shelf"), "*.manifest.json", SearchOption.AllDirectories).Length);
        Assert.Contains("objective 1h", page, StringComparison.Ordinal);
        Assert.Contains("name=\"keepProven\"", page, StringComparison.Ordinal);
        using var program = new HttpClient { BaseAddress = here.Address };
        program.DefaultRequestHeaders.Authorization = new("Bearer", here.Accounts.NewToken("alice", "test", [Role.Operator], TimeSpan.FromDays(1)));
        var series = JsonNode.Parse(await program.GetStringAsync("/api/v1/environments/here/backups?prefix=notes/&target=shelf&backup=latest"))!;
        Assert.InRange((double)Assert.Single(series["backups"]!.AsArray())!["ageSeconds"]!, 0, 3600);
        Assert.Equal((3600, false), ((double)series["rpoSeconds"]!, (bool)series["beyondObjective"]!));
        using var dave = await here.LogIn("dave", new Grant(Role.Viewer, "there"));
        Assert.Equal(HttpStatusCode.NotFound, (await dave.Get("/backups?environment=here&target=shelf&prefix=notes/")).Status);
    }

    [Fact]
    public async Task A_second_run_is_told_who_holds_its_target_and_an_administrator_may_break_the_lock()
    {
        await using var here = await new ServerHere().Start();
        here.Write("environments/held.yaml", $"apiVersion: helix.runbooks/v1\nname: held\ntargets:\n  app: {{ kind: process, start: [sleep, '1000'], pidFile: {here.Folder}/app.pid, directory: {here.Folder} }}\n  shelf: {{ kind: directory, path: {here.Folder}/shelf }}\npeople:\n  groups: {{ dba: [bob] }}\n");
        here.Runbook("hold", "steps:\n  - { id: go, uses: approval, with: { message: Now?, approvers: [group:dba] } }\n  - { id: stop, uses: target.stop, with: { targets: [app] } }\n");
        using var root = await here.LogIn("root", Role.Admin);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/hold/start", ("environment", "held"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        var second = await alice.Post("/runbooks/hold/start", ("environment", "held"), ("mode", "live"));
        Assert.Equal(HttpStatusCode.Conflict, second.Status);
        Assert.Contains(run, second.Text, StringComparison.Ordinal);
        var identity = here.Store.Locks().Single().Identity;
        Assert.Contains(run, (await alice.Get("/locks")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await alice.Post("/locks/break", ("identity", identity), ("reason", "x"))).Status);
        await root.Post("/locks/break", ("identity", identity), ("reason", "the holder is a test"));
        Assert.Empty(here.Store.Locks());
        Assert.Contains(here.State(run).Remarks, r => r.Kind == "lock broken");
    }
}
