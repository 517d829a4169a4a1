using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>A gate that is answered before it is reached, or after its time.</summary>
public sealed class EarlyAnswerTests
{
    const string Form = """
        steps:
          - { id: first, uses: world.write, with: { world: WORLD, line: first } }
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], onReject: first, expiresAfter: 1h, inputs: { ticket: { type: string, required: true }, hours: { type: number } } } }
          - { id: after, uses: world.write, when: "{{ steps.go.inputs.hours > 1 }}", with: { world: WORLD, line: "{{ steps.go.inputs.ticket }}" } }
        """;

    [Fact]
    public async Task An_early_answer_fills_the_form_as_a_later_one_would()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan(Form));
        Assert.Contains("the answer needs 'ticket'", Early(h, run, "approve", []).Message, StringComparison.Ordinal);
        Assert.Contains("'hours' must be a number", Early(h, run, "approve", new() { ["ticket"] = "T-1", ["hours"] = "many" }).Message, StringComparison.Ordinal);
        Assert.Contains("the form has no field 'tikcet'", Early(h, run, "approve", new() { ["ticket"] = "T-1", ["tikcet"] = "T-1" }).Message, StringComparison.Ordinal);
        var answered = Early(h, run, "approve", new() { ["ticket"] = "T-1", ["hours"] = "2" });
        Assert.True(answered.Accepted, answered.Message);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["first", "T-1"], h.Lines);
    }

    [Fact]
    public async Task An_early_rejection_goes_back_with_other_inputs_as_a_later_one_would()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            inputs:
              count: { type: number, default: 1 }
            steps:
              - { id: first, uses: world.write, with: { world: WORLD, line: "first {{ inputs.count }}" } }
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], onReject: first } }
            """));
        var rejected = Early(h, run, "reject", new() { ["count"] = "2" });
        Assert.True(rejected.Accepted, rejected.Message);
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        Assert.Equal(["first 1", "first 2"], h.Lines);
    }

    [Fact]
    public async Task What_is_asked_early_is_what_is_asked_later_but_for_the_moment()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan(Form));
        var early = h.Engine.EarlyQuestion(h.Engine.State(run), "go")!;
        var later = (await h.Drive(run)).State.OpenQuestions.Single().Asked;
        Assert.Equal(Text(later with { Question = early.Question, Shown = early.Shown, ShownHash = early.ShownHash, ExpiresAt = early.ExpiresAt }), Text(early));
        Assert.Null(h.Engine.EarlyQuestion(h.Engine.State(run), "first"));

        static string Text(QuestionAsked asked) => System.Text.Json.JsonSerializer.Serialize(asked, StepJson.Options);
    }

    [Theory]
    [InlineData("go", "what this gate shows is known only when it is reached")]
    [InlineData("each[]/inner", "there is no open question 'each[]/inner'")]
    [InlineData("first", "there is no open question 'first'")]
    public void What_cannot_be_answered_early_says_why(string path, string why)
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            steps:
              - { id: first, uses: world.write, with: { world: WORLD, line: first } }
              - { id: go, uses: approval, with: { message: "Go with {{ steps.first.line }}?", approvers: ["group:dba"] } }
              - id: each
                forEach: [a, b]
                steps:
                  - { id: inner, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
            """));
        var refused = h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = path, Choice = "approve" });
        Assert.False(refused.Accepted);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = "each[0]/inner", Choice = "approve" }).Accepted);
    }

    [Fact]
    public async Task An_early_answer_that_was_given_for_other_inputs_does_not_count()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            inputs:
              count: { type: number, default: 1 }
            steps:
              - id: both
                parallel:
                  - - { id: first, uses: world.write, with: { world: WORLD, line: "first {{ inputs.count }}" } }
                    - { id: choose, uses: approval, with: { message: "These?", approvers: ["group:dba"], onReject: first } }
                  - - { id: ready, uses: approval, with: { message: "Ready?", approvers: ["group:dba"] } }
                    - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
                    - { id: work, uses: world.write, with: { world: WORLD, line: "work {{ inputs.count }}" } }
            """));
        await h.Drive(run);
        Assert.True(Early(h, run, "approve", []).Accepted);
        Assert.True(Answer("choose", "reject", new() { ["count"] = "2" }).Accepted);
        await h.Drive(run);
        Assert.True(Answer("ready", "approve", []).Accepted);
        Assert.True(Answer("choose", "approve", []).Accepted);
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        Assert.Equal("go", Assert.Single(h.Engine.State(run).OpenQuestions).Asked.Path);
        Assert.Equal(["first 1", "first 2"], h.Lines);
        Assert.True(Early(h, run, "approve", []).Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal("work 2", h.Lines[^1]);

        DecisionResult Answer(string path, string choice, JsonObject inputs) => h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = path, Choice = choice, Reason = "so", Inputs = inputs });
    }

    [Fact]
    public async Task A_gate_whose_time_was_over_says_so_and_when_it_is_asked_anew()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 2, 0, 0, TimeSpan.Zero));
        using var h = new RunHarness(time);
        var run = h.Start(h.Plan("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], expiresAfter: 1h } }
            """));
        await h.Drive(run);
        time.Advance(TimeSpan.FromHours(2));
        await h.Drive(run);
        foreach (var name in (string[])["go", "go#1.1"])
            Assert.Equal($"it expired at 2026-03-01 03:00:00Z, before enough answers had come; it is asked anew when somebody goes on with the run: helix resume {run}", Refused(name));
        await h.Drive(run);
        Assert.Equal("it expired at 2026-03-01 03:00:00Z, before enough answers had come; it is asked anew as 'go#1.2'", Refused("go#1.1"));

        string Refused(string question)
        {
            var result = h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "approve" });
            Assert.False(result.Accepted);
            return result.Message;
        }
    }

    [Fact]
    public async Task A_gate_that_was_rejected_was_not_passed()
    {
        using var h = new RunHarness();
        var run = (await h.Run("""
            steps:
              - id: perhaps
                ifFails: continue
                steps:
                  - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: next, uses: approval, with: { message: "And now?", approvers: ["group:dba"] } }
            """)).State.Run;
        h.Answer(run, RunHarness.Bob, "reject", "not today");
        await h.Drive(run);
        Assert.Equal("the gate is closed: bob rejected: not today", Early(h, run, "approve", []).Message);
    }

    static DecisionResult Early(RunHarness h, string run, string choice, JsonObject inputs) =>
        h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = "go", Choice = choice, Reason = "so", Inputs = inputs });
}
