using System.Net;
using Helix.Runbooks.Journal;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Runs;

public sealed class RunPageTests
{
    static async Task<string> StartGate(ServerHere here, Browser browser, string word = "hello") =>
        (await browser.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"), ("input.word", word))).Run;

    static async Task<ServerHere> WithGate()
    {
        var here = await new ServerHere().Start();
        here.Runbook("gate", Books.Gate);
        return here;
    }

    [Fact]
    public async Task A_run_is_started_by_one_and_approved_by_another_and_goes_on_by_itself()
    {
        await using var here = await WithGate();
        using var alice = await here.LogIn("alice", Role.Operator);
        using var bob = await here.LogIn("bob", Role.Approver);
        var run = await StartGate(here, alice, "good day");
        await here.Becomes(run, RunStatus.Waiting);
        Assert.Contains("Write good day?", (await bob.Get("/decisions")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Redirect, (await bob.Decide(run, "approve", ("form.ticket", "INC-1"))).Status);
        await here.Becomes(run, RunStatus.Succeeded);
        Assert.Equal("good day\n", await File.ReadAllTextAsync(Path.Combine(here.Folder, "world")));
        var state = here.State(run);
        Assert.Equal(new Person("alice", IdentityStrength.Password, "web"), state.Started.Operator);
        var answer = state.Questions.Values.Single().Answers.Single();
        Assert.Equal(new Person("bob", IdentityStrength.Password, "web"), answer.By);
        Assert.NotNull(answer.Decision.ShownHash);
        var page = (await alice.Get("/runs/" + run)).Text;
        Assert.Contains("Recovered after", page, StringComparison.Ordinal);
        Assert.Contains("looking at the world", page, StringComparison.Ordinal);
    }

    /// <summary>As after an upgrade to a version with stricter rules.</summary>
    [Fact]
    public async Task A_run_whose_runbook_cannot_be_read_any_more_is_shown_and_does_not_stand_in_the_way_of_the_others()
    {
        await using var here = await WithGate();
        using var alice = await here.LogIn("alice", Role.Operator);
        using var bob = await here.LogIn("bob", Role.Approver);
        var old = await StartGate(here, alice, "old");
        await here.Becomes(old, RunStatus.Waiting);
        var sha = here.Store.Keep("apiVersion: helix.runbooks/v9\n"u8.ToArray());
        var person = new Person("bob", IdentityStrength.Password, "web");
        here.Store.Append(old, person, e => [new RunbookReplaced(new string('0', 64), new Dictionary<string, string>(here.State(old).Pinned) { [here.State(old).Started.RunbookPath] = sha }, "by another version"),
            new Decided { Question = here.State(old).OpenQuestions.First().Id, Choice = "approve" }]);
        var run = await StartGate(here, alice, "good day");
        await here.Becomes(run, RunStatus.Waiting);
        Assert.Contains("Write good day?", (await bob.Get("/decisions")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Redirect, (await bob.Decide(run, "approve", ("form.ticket", "INC-1"))).Status);
        await here.Becomes(run, RunStatus.Succeeded);
        Assert.Contains("cannot read the runbook that was pinned", (await alice.Get("/runs/" + old)).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await alice.Get("/runs")).Status);
    }

    [Fact]
    public async Task Who_starts_a_run_cannot_approve_it_and_the_refusal_is_recorded()
    {
        await using var here = await WithGate();
        using var alice = await here.LogIn("alice", Role.Operator, Role.Approver);
        var run = await StartGate(here, alice);
        await here.Becomes(run, RunStatus.Waiting);
        Assert.Contains("You started the run", (await alice.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        var refused = await alice.Post($"/runs/{run}/answer", ("question", "go"), ("choice", "approve"), ("form.ticket", "X"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("who starts it may not approve it", refused.Text, StringComparison.Ordinal);
        Assert.Contains(here.State(run).Remarks, r => r is { Kind: "refused", By.Account: "alice" });
        Assert.Equal(RunStatus.Waiting, here.State(run).Status);
    }

    [Fact]
    public async Task An_answer_without_the_role_is_refused_and_stands_in_the_record_of_the_run()
    {
        await using var here = await WithGate();
        using var alice = await here.LogIn("alice", Role.Operator);
        using var carol = await here.LogIn("carol", Role.Viewer);
        var run = await StartGate(here, alice);
        await here.Becomes(run, RunStatus.Waiting);
        Assert.Equal(HttpStatusCode.Forbidden, (await carol.Post($"/runs/{run}/answer", ("question", "go"), ("choice", "approve"), ("form.ticket", "X"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await carol.Post($"/runs/{run}/cancel", ("reason", "no"))).Status);
        Assert.Equal(2, here.State(run).Remarks.Count(r => r is { Kind: "refused", By.Account: "carol" }));
        Assert.Equal(2, here.Accounts.Audited(10).Count(l => l is { Account: "carol", Result: "refused" }));
    }

    [Fact]
    public async Task A_required_field_of_the_form_must_be_filled()
    {
        await using var here = await WithGate();
        using var alice = await here.LogIn("alice", Role.Operator);
        using var bob = await here.LogIn("bob", Role.Approver);
        var run = await StartGate(here, alice);
        await here.Becomes(run, RunStatus.Waiting);
        Assert.Contains("ticket", (await bob.Decide(run, "approve")).Text, StringComparison.Ordinal);
        Assert.Equal(RunStatus.Waiting, here.State(run).Status);
    }

    [Fact]
    public async Task A_rejection_needs_a_reason_and_ends_the_run()
    {
        await using var here = await WithGate();
        using var alice = await here.LogIn("alice", Role.Operator);
        using var bob = await here.LogIn("bob", Role.Approver);
        var run = await StartGate(here, alice);
        await here.Becomes(run, RunStatus.Waiting);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await bob.Decide(run, "reject")).Status);
        await bob.Decide(run, "reject", ("reason", "wrong word"));
        await here.Becomes(run, RunStatus.Rejected);
        Assert.False(File.Exists(Path.Combine(here.Folder, "world")));
    }

    [Fact]
    public async Task A_form_that_is_sent_twice_starts_one_run()
    {
        await using var here = await WithGate();
        using var alice = await here.LogIn("alice", Role.Operator);
        (string, string)[] form = [("environment", "here"), ("mode", "live"), ("key", "k1")];
        var both = await Task.WhenAll(alice.Post("/runbooks/gate/start", form), alice.Post("/runbooks/gate/start", form));
        var again = await alice.Post("/runbooks/gate/start", form);
        Assert.Single(here.Store.Runs());
        Assert.Contains(both, b => b.Status == HttpStatusCode.Redirect && b.Run == again.Run);
    }

    [Fact]
    public async Task A_failed_step_is_answered_with_a_retry_and_the_run_recovers()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("failing", Books.Failing);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/failing/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        var page = (await alice.Get("/runs/" + run)).Text;
        Assert.Contains("What shall be done?", page, StringComparison.Ordinal);
        Assert.Contains("it is still broken", page, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "mended"), "");
        await alice.Decide(run, "retry");
        await here.Becomes(run, RunStatus.Succeeded);
    }

    [Fact]
    public async Task A_second_answer_to_a_failed_step_is_told_that_somebody_was_faster()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("failing", Books.Failing);
        using var alice = await here.LogIn("alice", Role.Operator);
        using var bob = await here.LogIn("bob", Role.Operator);
        var run = (await alice.Post("/runbooks/failing/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        var first = here.State(run).OpenQuestions.Single().Id;
        await alice.Decide(run, "retry");
        await Eventually.True(() => here.State(run).OpenQuestions.SingleOrDefault() is { } next && next.Id != first, "the step failed again");
        var late = await bob.Post($"/runs/{run}/answer", ("question", first), ("choice", "skip"), ("reason", "it can wait"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, late.Status);
        Assert.Contains("the question is", late.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(here.State(run).Remarks, r => r.Text.Contains("role", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Instructions_are_shown_with_their_lists_and_what_an_input_brings_stays_text()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("prose", """
            inputs: { who: { type: string, default: the network } }
            steps:
              - id: call
                uses: manual
                with: { instructions: "Call **{{ inputs.who }}**:\n- close the `port`\n- tell us" }
            """);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/prose/start", ("environment", "here"), ("mode", "live"), ("input.who", "<img src=x onerror=alert(1)>"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        foreach (var page in (string[])["/runs/" + run, "/decisions"])
        {
            var text = (await alice.Get(page)).Text;
            Assert.Contains("<p>Call <b>&lt;img src=x onerror=alert(1)&gt;</b>:</p>", text, StringComparison.Ordinal);
            Assert.Contains("<span>close the <code>port</code></span>", text, StringComparison.Ordinal);
            Assert.DoesNotContain("<img src=x", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_form_of_a_failed_step_names_the_outputs_that_whoever_did_it_by_hand_must_say()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("needed", """
            steps:
              - id: fetch
                uses: command.run
                effect: reads
                with:
                  argv: [sh, -c, 'exit 3']
                  outputs: { word: { from: "json:$.word" }, count: { type: number, from: "json:$.count" }, rest: { from: "json:$.rest" } }
              - id: tell
                uses: command.run
                effect: reads
                with: { argv: [sh, -c, 'echo "$1 $2" > "$3/world"', sh, "{{ steps.fetch.word }}", "{{ steps.fetch.count }}", FOLDER] }
            """);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/needed/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        var page = WebUtility.HtmlDecode((await alice.Get("/runs/" + run)).Text);
        Assert.Contains("name=\"output.word\"", page, StringComparison.Ordinal);
        Assert.Contains("Output count, which later steps use", page, StringComparison.Ordinal);
        Assert.Contains("Must be a number, or null", page, StringComparison.Ordinal);
        Assert.Contains("--output count=", (await alice.Decide(run, "done", ("output.word", "by hand"), ("output.count", ""))).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Redirect, (await alice.Decide(run, "done", ("output.word", "by hand"), ("output.count", "7"), ("outputs", "rest=none"))).Status);
        await here.Becomes(run, RunStatus.Succeeded);
        Assert.Equal("by hand 7\n", await File.ReadAllTextAsync(Path.Combine(here.Folder, "world")));
        Assert.Equal("none", $"{here.State(run).Step("fetch")!.Outputs!["rest"]}");
    }

    [Fact]
    public async Task A_cancel_of_a_waiting_run_runs_its_finally()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("failing", Books.Failing);
        using var alice = await here.LogIn("alice", Role.Operator);
        var run = (await alice.Post("/runbooks/failing/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);
        await alice.Post($"/runs/{run}/cancel", ("reason", "the wrong machine"));
        await here.Becomes(run, RunStatus.Cancelled);
        Assert.Equal("tidy\n", await File.ReadAllTextAsync(Path.Combine(here.Folder, "world")));
        Assert.Contains("the wrong machine", (await alice.Get("/runs/" + run)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_paused_run_is_resumed_though_a_question_is_open()
    {
        await using var here = await new ServerHere().Start();
        here.Runbook("both", """
            steps:
              - parallel:
                  - - { id: go, uses: approval, with: { message: "Go?", approvers: [group:dba] } }
                  - - { id: slow, uses: command.run, effect: reads, with: { argv: [sh, -c, 'while test -d "$1" -a ! -e "$1/on"; do sleep 0.05; done', sh, FOLDER] } }
                    - { id: last, uses: command.run, effect: reads, with: { argv: [sh, -c, 'echo last >> "$1/world"', sh, FOLDER] } }
            """);
        using var alice = await here.LogIn("alice", Role.Operator);
        using var bob = await here.LogIn("bob", Role.Approver);
        var run = (await alice.Post("/runbooks/both/start", ("environment", "here"), ("mode", "live"))).Run;
        await Eventually.True(() => here.State(run) is var s && s.OpenQuestions.Any() && s.Step("slow")?.Status == StepStatus.Running, "one branch asks, the other works");
        await alice.Post($"/runs/{run}/pause");
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await Eventually.True(() => here.State(run).SuspendedBecause is not (null or RunSuspended.ForPeople) && here.Store.ReadLease(run) is { Released: true }, "it is paused");
        Assert.Contains($"action=\"/runs/{run}/resume\"", (await alice.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Redirect, (await alice.Post($"/runs/{run}/resume")).Status);
        await Eventually.True(() => here.State(run).SuspendedBecause == RunSuspended.ForPeople, "the other branch is done");
        Assert.True(File.Exists(Path.Combine(here.Folder, "world")));
        Assert.DoesNotContain($"action=\"/runs/{run}/resume\"", (await alice.Get("/runs/" + run)).Text, StringComparison.Ordinal);
        await bob.Decide(run, "approve");
        await here.Becomes(run, RunStatus.Succeeded);
    }

    [Fact]
    public async Task What_belongs_to_an_environment_of_others_is_not_seen()
    {
        await using var here = await WithGate();
        here.Environment("there", "bob");
        using var alice = await here.LogIn("alice", Role.Operator);
        using var dave = await here.LogIn("dave", new Grant(Role.Operator, "there"));
        var run = await StartGate(here, alice);
        Assert.DoesNotContain(run, (await dave.Get("/runs")).Text, StringComparison.Ordinal);
        var runbooks = (await dave.Get("/runbooks")).Text;
        Assert.Contains("<b>there</b>", runbooks, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>here</b>", runbooks, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await dave.Get("/runs/" + run)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await dave.Get("/record/" + run)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await dave.Post($"/runs/{run}/cancel", ("reason", "x"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await dave.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Status);
    }

    [Fact]
    public async Task A_role_on_one_environment_starts_nothing_on_another_by_the_name_of_a_file()
    {
        await using var here = await WithGate();
        here.Write("environments/staging.yaml", await File.ReadAllTextAsync(Path.Combine(here.Runbooks, "environments", "here.yaml")));
        using var dave = await here.LogIn("dave", new Grant(Role.Operator, "staging"));
        var refused = await dave.Post("/runbooks/gate/start", ("environment", "staging"), ("mode", "live"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("The environment is named 'here', and its file 'staging.yaml'", WebUtility.HtmlDecode(refused.Text), StringComparison.Ordinal);
        Assert.Empty(here.Store.Runs());
    }

    [Fact]
    public async Task Runs_and_messages_of_others_do_not_push_those_that_somebody_may_see_off_the_lists()
    {
        await using var here = await WithGate();
        here.Environment("there", "bob");
        using var dave = await here.LogIn("dave", new Grant(Role.Operator, "there"));
        var own = (await dave.Post("/runbooks/gate/start", ("environment", "there"), ("mode", "live"))).Run;
        await here.Becomes(own, RunStatus.Waiting);
        here.Accounts.Post(new Letter("own", "there", "his-channel", null, "failed", "{}"));
        for (var i = 0; i < 201; i++)
        {
            var lease = here.Store.Create($"other-{i}", here.State(own).Started with { Environment = "here" }, DriverIdentity.Current);
            here.Store.Append(lease, new RunEnded(Outcome.Failed, "x", []));
            here.Store.Release(lease);
        }
        for (var i = 0; i < 501; i++)
            here.Accounts.Post(new Letter($"other-{i}", "here", "their-channel", null, "failed", "{}"));
        foreach (var list in (string[])["/runs", "/record", "/api/v1/runs"])
        {
            var text = (await dave.Get(list)).Text;
            Assert.Contains(own, text, StringComparison.Ordinal);
            Assert.DoesNotContain("other-", text, StringComparison.Ordinal);
        }
        var messages = (await dave.Get("/messages")).Text;
        Assert.Contains("his-channel", messages, StringComparison.Ordinal);
        Assert.DoesNotContain("their-channel", messages, StringComparison.Ordinal);
    }
}
