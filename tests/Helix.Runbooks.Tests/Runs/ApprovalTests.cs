using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

public sealed class ApprovalTests
{
    static readonly Person Carol = new("carol", IdentityStrength.Os, "test");
    static readonly Person Mallory = new("mallory", IdentityStrength.Os, "test");

    static string Gate(string more) => $$"""
        steps:
          - { id: first, uses: world.write, with: { world: WORLD, line: first } }
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], {{more}} } }
          - { id: after, uses: world.write, with: { world: WORLD, line: after } }
        """;

    [Fact]
    public async Task WFE_06_Only_those_named_may_answer_and_a_refusal_is_recorded()
    {
        using var h = new RunHarness();
        var waiting = await h.Run(Gate("minimum: 1"));
        var run = waiting.State.Run;
        var refused = h.Answer(run, Mallory, "approve");
        Assert.False(refused.Accepted);
        Assert.Contains("mallory is not among those who are asked", refused.Message, StringComparison.Ordinal);
        Assert.Contains(refused.State.Remarks, r => r.Kind == "refused" && r.By == Mallory);
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
    }

    [Fact]
    public async Task Two_people_are_needed_where_two_are_asked_and_an_account_alone_is_too_weak()
    {
        using var h = new RunHarness();
        var waiting = await h.Run(Gate("minimum: 2"));
        var run = waiting.State.Run;
        Assert.False(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        var signed = RunHarness.Bob with { Strength = IdentityStrength.Signed };
        Assert.True(h.Answer(run, signed, "approve").Accepted);
        Assert.True(h.Answer(run, signed, "approve").Accepted);
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        Assert.True(h.Answer(run, Carol with { Strength = IdentityStrength.Signed }, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
    }

    [Theory]
    [InlineData("number", "2", "> 1", "== 1")]
    [InlineData("boolean", "true", "&& true", "&& false")]
    [InlineData("string", "2", "== '2'", "== '3'")]
    public async Task A_field_of_a_form_that_was_typed_as_text_has_its_type_for_the_steps_after(string type, string typed, string holds, string fails)
    {
        using var h = new RunHarness();
        var waiting = await h.Run(Gate($"inputs: {{ field: {{ type: {type}, required: true }} }}") + "\n" + $$$"""
              - { id: yes, uses: world.write, when: "{{ steps.go.inputs.field {{{holds}}} }}", with: { world: WORLD, line: held } }
              - { id: no, uses: world.write, when: "{{ steps.go.inputs.field {{{fails}}} }}", with: { world: WORLD, line: failed } }
            """);
        var run = waiting.State.Run;
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = "go", Choice = "approve", Inputs = new() { ["field"] = typed } }).Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["first", "after", "held"], h.Lines);
    }

    [Fact]
    public async Task An_early_answer_counts_when_the_gate_is_reached()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan(Gate("minimum: 1")));
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = "go", Choice = "approve" }).Accepted);
        Assert.False(h.Engine.Decide(run, Mallory, new Decided { Question = "go", Choice = "approve" }).Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["first", "after"], h.Lines);
    }

    [Fact]
    public async Task WFE_05_The_time_limit_is_absolute_over_restarts_and_a_late_answer_is_refused()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 2, 0, 0, TimeSpan.Zero));
        using var h = new RunHarness(time);
        var waiting = await h.Drive(h.Start(h.Plan(Gate("expiresAfter: 60s"))));
        var run = waiting.State.Run;
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        time.Advance(TimeSpan.FromSeconds(30));
        var late = h.Answer(run, RunHarness.Bob, "approve");
        Assert.False(late.Accepted);
        Assert.Contains("too late", late.Message, StringComparison.Ordinal);
        var parked = await h.Drive(run);
        Assert.Equal(4, parked.ExitCode);
        Assert.Equal(["first"], h.Lines);
        // Going on by an explicit resume asks anew, with a new question.
        var again = await h.Drive(run);
        Assert.Equal("go#1.2", Assert.Single(again.State.OpenQuestions).Id);
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
    }

    [Fact]
    public async Task Expiry_can_escalate_or_reject_when_the_runbook_says_so()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 2, 0, 0, TimeSpan.Zero));
        using var h = new RunHarness(time);
        var run = (await h.Drive(h.Start(h.Plan(Gate("expiresAfter: 60s, onExpiry: escalate, escalateTo: mallory"))))).State.Run;
        time.Advance(TimeSpan.FromSeconds(61));
        await h.Drive(run);
        Assert.True(h.Answer(run, Mallory, "approve").Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);

        using var other = new RunHarness(time);
        var second = (await other.Drive(other.Start(other.Plan(Gate("expiresAfter: 60s, onExpiry: reject"))))).State.Run;
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.NotEqual(0, (await other.Drive(second)).ExitCode);
        Assert.Equal(["first"], other.Lines);
    }

    [Fact]
    public async Task Break_glass_works_alone_and_stays_in_the_record()
    {
        using var h = new RunHarness();
        var run = (await h.Run(Gate("minimum: 2"))).State.Run;
        var question = h.Engine.State(run).OpenQuestions.First().Id;
        Assert.False(h.Engine.Decide(run, Mallory, new Decided { Question = question, Choice = "approve", BreakGlass = true }).Accepted);
        Assert.True(h.Engine.Decide(run, Mallory, new Decided { Question = question, Choice = "approve", BreakGlass = true, Reason = "nobody answers" }).Accepted);
        var done = await h.Drive(run);
        Assert.Equal(0, done.ExitCode);
        Assert.Contains("mallory approved by break-glass: nobody answers", done.State.Step("go")!.Outputs!["decisions"]!.ToJsonString(), StringComparison.Ordinal);

        // It stays open beyond the end, until one of those who were asked agrees.
        Assert.Contains("ratification of break-glass", Assert.Single(h.Store.Runs(openOnly: true)).WaitsFor);
        Assert.Throws<RunbookException>(() => h.Engine.Ratify(run, Mallory, null, "I was right"));
        Assert.Throws<RunbookException>(() => h.Engine.Ratify(run, RunHarness.Alice, null, "fine with me"));
        h.Engine.Ratify(run, RunHarness.Bob, null, "nobody could be reached");
        Assert.Empty(h.Engine.State(run).Unratified);
        Assert.Empty(h.Store.Runs(openOnly: true));
        Assert.Equal("succeeded", Assert.Single(h.Store.Runs()).Status);
        Assert.Contains(h.Engine.State(run).Remarks, r => r.Kind == "break-glass ratified" && r.By == RunHarness.Bob);
        Assert.Throws<RunbookException>(() => h.Engine.Ratify(run, RunHarness.Bob, null, "twice"));
    }

    [Fact]
    public async Task A_form_is_checked_and_its_answers_are_outputs()
    {
        using var h = new RunHarness();
        var run = (await h.Run("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], inputs: { ticket: { type: string, required: true }, hours: { type: number } } } }
              - { id: after, uses: world.write, with: { world: WORLD, line: "{{ steps.go.inputs.ticket }}" } }
            """)).State.Run;
        var question = h.Engine.State(run).OpenQuestions.First().Id;
        Assert.Contains("ticket", h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "approve" }).Message, StringComparison.Ordinal);
        Assert.Contains("hours", h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "approve", Inputs = new() { ["ticket"] = "T-1", ["hours"] = "many" } }).Message, StringComparison.Ordinal);
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "approve", Inputs = new() { ["ticket"] = "T-1" } }).Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["T-1"], h.Lines);
    }

    [Fact]
    public async Task A_rejection_goes_back_to_an_earlier_step_when_the_runbook_says_so()
    {
        using var h = new RunHarness();
        var run = (await h.Run("""
            maxRounds: 2
            steps:
              - { id: first, uses: world.write, with: { world: WORLD, line: first } }
              - { id: fetch, uses: world.write, with: { world: WORLD, line: fetch } }
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], onReject: fetch } }
            """)).State.Run;
        h.Answer(run, RunHarness.Bob, "reject", "another one");
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        Assert.Equal(["first", "fetch", "fetch"], h.Lines);
        h.Answer(run, RunHarness.Bob, "reject", "still not");
        var ended = await h.Drive(run);
        Assert.Equal(Outcome.Rejected, ended.State.Ended!.Outcome);
        Assert.Equal(2, ended.State.Round);
    }
}
