using System.Net;
using Helix.Runbooks.Journal;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Runs;

/// <summary>Forms that come back: with the plan that was asked for, or with why they were refused.</summary>
public sealed class FormTests
{
    const string Wipe = """
        inputs:
          word: { type: string, default: hello }
        steps:
          - { id: go, uses: approval, with: { message: "Remove {{ inputs.word }}?", approvers: [group:dba] } }
          - { id: wipe, uses: file.remove, with: { path: notes, base: . } }
        """;

    static readonly (string, string)[] Typed = [("environment", "production"), ("mode", "drill"), ("input.word", "good day"), ("incident", "INC-7"), ("occurred", "2026-03-01T02:00:00"), ("declared", "2026-03-01T02:10:00"), ("comms", "test")];

    static async Task<ServerHere> WithWipe()
    {
        var here = await new ServerHere().Start();
        here.Write("environments/production.yaml", $"apiVersion: helix.runbooks/v1\nname: production\nprotected: true\ntargets:\n  shelf: {{ kind: directory, path: {here.Folder}/shelf, identity: {{ place: \"{here.Folder}/shelf\" }} }}\npeople:\n  groups: {{ dba: [bob] }}\n");
        here.Runbook("wipe", Wipe);
        return here;
    }

    static void HoldsWhatWasTyped(string page)
    {
        foreach (var value in (string[])["good day", "INC-7", "2026-03-01T02:00:00", "2026-03-01T02:10:00"])
            Assert.Contains($"value=\"{value}\"", page, StringComparison.Ordinal);
        Assert.Contains("<option selected>test</option>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_plan_of_a_drill_comes_with_the_form_that_asked_for_it()
    {
        await using var here = await WithWipe();
        using var alice = await here.LogIn("alice", Role.Operator);
        var page = (await alice.Post("/runbooks/wipe/plan", [.. Typed, ("confirm", "production")])).Text;
        Assert.Contains("What a drill would do", page, StringComparison.Ordinal);
        Assert.Contains("<option selected>drill</option>", page, StringComparison.Ordinal);
        Assert.Contains("name=\"confirm\" value=\"production\"", page, StringComparison.Ordinal);
        HoldsWhatWasTyped(page);
        var live = (await alice.Post("/runbooks/wipe/plan", ("environment", "production"), ("mode", "live"))).Text;
        Assert.Contains("What a live run would do", live, StringComparison.Ordinal);
        Assert.Contains("<option selected>live</option>", live, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_that_is_refused_comes_back_with_all_that_was_typed()
    {
        await using var here = await WithWipe();
        using var alice = await here.LogIn("alice", Role.Operator);
        var refused = await alice.Post("/runbooks/wipe/start", [.. Typed.Where(f => f.Item1 != "mode"), ("mode", "live")]);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("is protected and this plan destroys data in it", WebUtility.HtmlDecode(refused.Text), StringComparison.Ordinal);
        Assert.Contains("<option selected>live</option>", refused.Text, StringComparison.Ordinal);
        HoldsWhatWasTyped(refused.Text);
        Assert.Empty(here.Store.Runs());
        var bad = await alice.Post("/runbooks/wipe/plan", [.. Typed.Where(f => f.Item1 != "mode"), ("mode", "dril")]);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, bad.Status);
        HoldsWhatWasTyped(bad.Text);
    }

    [Fact]
    public async Task An_answer_that_is_refused_comes_back_with_all_that_was_typed()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        using var alice = await here.LogIn("alice", Role.Operator);
        using var bob = await here.LogIn("bob", Role.Approver);
        var run = (await alice.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        var refused = await bob.Decide(run, "reject", ("form.ticket", "INC-8"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("reason", refused.Text, StringComparison.Ordinal);
        Assert.Contains("name=\"form.ticket\" value=\"INC-8\"", refused.Text, StringComparison.Ordinal);
        var glass = await bob.Decide(run, "approve", ("glass", "yes"), ("reason", "all are away"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, glass.Status);
        Assert.Contains("class=\"glass\" open", glass.Text, StringComparison.Ordinal);
        Assert.Single(glass.Text.Split("value=\"all are away\"").Skip(1));
    }

    [Fact]
    public async Task Outputs_of_a_step_done_by_hand_that_are_not_understood_come_back_as_they_were_written()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("failing", Books.Failing);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/failing/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        foreach (var (lines, why) in (IEnumerable<(string, string)>)[("exitCode 0", "'exitCode 0' is not of the form NAME=VALUE"), ("exitCode=0\nexitCode=1", "The output 'exitCode' is said twice")])
        {
            var refused = await alice.Decide(run, "done", ("reason", "I was there"), ("evidence", "photo 3"), ("outputs", lines));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
            var page = WebUtility.HtmlDecode(refused.Text);
            Assert.Contains(why, page, StringComparison.Ordinal);
            Assert.Contains(lines + "</textarea>", page, StringComparison.Ordinal);
            Assert.Contains("value=\"photo 3\"", page, StringComparison.Ordinal);
            Assert.Contains("value=\"I was there\"", page, StringComparison.Ordinal);
            Assert.Contains("value=\"done\" checked", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_form_leaves_the_backup_that_the_runbook_names_and_takes_another_that_is_typed()
    {
        await using var here = await new ServerHere().Start();
        here.Write("notes/a.txt", "hello\n");
        Directory.CreateDirectory(Path.Combine(here.Folder, "shelf"));
        here.Runbook("keep", """
            steps:
              - { id: pack, uses: file.archive, with: { from: notes, to: "{{ run.work }}/notes.tar" } }
              - { id: keep, uses: backup.upload, with: { target: shelf, file: "{{ steps.pack.file }}", prefix: notes/, kind: files.tar, recoveryPoint: "{{ steps.pack.recoveryPoint }}" } }
            """);
        here.Runbook("load", """
            inputs:
              old: { type: backup, target: shelf, prefix: notes/, default: "before:2026-03-01T00:00:00Z" }
              any: { type: backup, target: shelf, prefix: notes/ }
            steps:
              - { id: tell, uses: command.run, effect: reads, with: { argv: [echo, "{{ inputs.old }}"] } }
            """);
        using var alice = await here.LogIn("alice", Role.Operator);
        var kept = (await alice.Post("/runbooks/keep/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(kept, RunStatus.Succeeded);
        var page = (await alice.Get("/runbooks/load?environment=here")).Text;
        Assert.Contains("<option selected>before:2026-03-01T00:00:00Z</option>", page, StringComparison.Ordinal);
        Assert.Contains("<select name=\"input.any\"><option value>", page, StringComparison.Ordinal);
        Assert.Single(page.Split("<option selected>").Skip(1), o => o.StartsWith("before:", StringComparison.Ordinal));

        // As a browser sends it: the choice, and behind it what was typed instead.
        (string, string)[] form = [("environment", "here"), ("mode", "live"), ("input.old", "latest"), ("input.old", "before:2026-02-01T00:00:00Z"), ("input.any", ""), ("input.any", "")];
        Assert.Contains("<option selected>before:2026-02-01T00:00:00Z</option>", (await alice.Post("/runbooks/load/plan", form)).Text, StringComparison.Ordinal);
        var run = (await alice.Post("/runbooks/load/start", form)).Run;
        Assert.Equal("before:2026-02-01T00:00:00Z", $"{here.State(run).Started.Inputs["old"]}");
        Assert.Null(here.State(run).Started.Inputs["any"]);
    }
}
