using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>A new round begins when nothing of the old one is under way any more.</summary>
public sealed class GoingBackTests
{
    [Fact]
    public async Task Going_back_stops_what_still_runs_beside_the_question_and_does_it_again_with_the_new_inputs()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            inputs:
              count: { type: number, default: 1 }
              takes: { type: duration, default: 1h }
            steps:
              - { id: first, uses: world.write, with: { world: WORLD, line: first } }
              - id: both
                parallel:
                  - [{ id: slow, uses: world.write, with: { world: WORLD, line: "slow {{ inputs.count }}", takes: "{{ inputs.takes }}" } }]
                  - [{ id: bad, uses: world.write, ifFails: ask, with: { world: WORLD, line: bad, failFirst: 1, failure: conflict } }]
            """));
        var driving = h.Drive(run, stay: true);
        await Eventually.True(() => h.Engine.State(run) is var s && s.StatusOf("slow") == StepStatus.Running && s.OpenQuestions.Any(), "one branch runs and the other asks");
        var question = Assert.Single(h.Engine.State(run).OpenQuestions).Id;
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "go-back", To = "first", Reason = "two", Inputs = new() { ["count"] = "2", ["takes"] = "1ms" } }).Accepted);
        var ended = await driving;
        Assert.Equal((0, 2), (ended.ExitCode, ended.State.Round));
        Assert.Equal(["bad", "first", "first", "slow 2"], h.Lines.Order());
        Assert.Equal("interrupted", Assert.Single(ended.State.Earlier.Single(s => s.Path == "slow").Attempts).Result);
        Assert.Equal("slow 2", ended.State.Step("slow")!.Outputs!["line"]!.ToString());
        Assert.DoesNotContain(ended.State.Spans, s => s.End is null);
    }

    [Fact]
    public async Task An_approval_of_another_branch_is_asked_anew_when_one_is_rejected_and_goes_back()
    {
        using var h = new RunHarness();
        var run = (await h.Run("""
            steps:
              - id: both
                parallel:
                  - - { id: first, uses: world.write, with: { world: WORLD, line: first } }
                    - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], onReject: first } }
                  - [{ id: other, uses: approval, with: { message: "And here?", approvers: ["group:dba"] } }]
            """)).State.Run;
        Assert.True(Answer("go", "reject").Accepted);
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        Assert.True(Answer("go", "approve").Accepted);
        Assert.True(Answer("other", "approve").Accepted);
        var ended = await h.Drive(run);
        Assert.Equal((0, 2), (ended.ExitCode, ended.State.Round));
        Assert.Equal(["first", "first"], h.Lines);

        DecisionResult Answer(string path, string choice) => h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = path, Choice = choice, Reason = "so" });
    }

    [Fact]
    public async Task A_cancel_after_the_answer_that_goes_back_ends_the_run()
    {
        using var h = new RunHarness();
        var run = (await h.Run("""
            steps:
              - { id: first, uses: world.write, with: { world: WORLD, line: first } }
              - { id: bad, uses: world.write, ifFails: ask, with: { world: WORLD, line: bad, failFirst: 1, failure: conflict } }
            """)).State.Run;
        var question = Assert.Single(h.Engine.State(run).OpenQuestions).Id;
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "go-back", To = "first", Reason = "again" }).Accepted);
        h.Engine.Cancel(run, RunHarness.Alice, "enough");
        var ended = await h.Drive(run);
        Assert.Equal((5, 1), (ended.ExitCode, ended.State.Round));
        Assert.Equal(["first"], h.Lines);
    }

    [Fact]
    public async Task A_target_that_an_answer_names_is_locked_before_a_step_changes_it()
    {
        const string Two = "  thing: { kind: thing, at: here }\n  other: { kind: thing, at: there }";
        using var h = new RunHarness();
        var holder = h.Start(h.Plan("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: held, uses: world.write, with: { world: WORLD, line: held, target: other } }
            """, Two));
        Assert.Equal(4, (await h.Drive(holder)).ExitCode);
        var run = h.Start(h.Plan("""
            inputs:
              where: { type: string, default: thing }
            steps:
              - { id: write, uses: world.write, ifFails: ask, with: { world: WORLD, line: "to {{ inputs.where }}", target: "{{ inputs.where }}" } }
              - { id: bad, uses: world.write, ifFails: ask, with: { world: WORLD, line: bad, failFirst: 1, failure: conflict } }
            """, Two));
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        string Open() => Assert.Single(h.Engine.State(run).OpenQuestions).Id;
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = Open(), Choice = "go-back", To = "write", Reason = "not there", Inputs = new() { ["where"] = "other" } }).Accepted);

        var refused = (await h.Drive(run)).State.Step("write")!;

        Assert.Equal((StepStatus.Failed, FailureClass.Conflict), (refused.Status, refused.Failure));
        Assert.Contains($"Target other is held by run {holder}", refused.Message);
        Assert.Equal(["to thing"], h.Lines);
        h.Engine.Cancel(holder, RunHarness.Alice, "enough");
        await h.Drive(holder);
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = Open(), Choice = "retry", Reason = "it is free" }).Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["to thing", "to other", "bad"], h.Lines);
        Assert.Empty(h.Store.Locks());
    }

    [Fact]
    public async Task A_block_whose_time_was_over_has_all_of_it_again_when_the_run_goes_back_into_it()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 2, 0, 0, TimeSpan.Zero));
        using var h = new RunHarness(time);
        var run = h.Start(h.Plan("""
            inputs:
              takes: { type: duration, default: 2h }
            steps:
              - id: block
                timeout: 1h
                steps:
                  - { id: slow, uses: world.write, with: { world: WORLD, line: slow, takes: "{{ inputs.takes }}" } }
            """));
        async Task<DriveResult> Drive()
        {
            var driving = h.Drive(run);
            await Eventually.True(() =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                return driving.IsCompleted;
            }, "the run has ended");
            return await driving;
        }
        Assert.Equal(1, (await Drive()).ExitCode);

        h.Engine.Reopen(run, RunHarness.Bob, "slow", "it was only slow", new() { ["takes"] = "1m" });

        Assert.Equal(0, (await Drive()).ExitCode);
        Assert.Equal(["slow"], h.Lines);
    }

    [Fact]
    public async Task A_sub_runbook_into_which_the_run_goes_back_has_the_new_inputs()
    {
        using var h = new RunHarness();
        h.Write("sub.yaml", """
            apiVersion: helix.runbooks/v1
            name: sub
            title: Inside
            inputs:
              what: { type: string, required: true }
            steps:
              - { id: fine, uses: world.write, with: { world: WORLD, line: fine } }
              - { id: bad, uses: world.write, ifFails: ask, with: { world: WORLD, line: "{{ inputs.what }}", failFirst: 1, failure: conflict } }
            """.Replace("WORLD", h.World, StringComparison.Ordinal));
        var run = h.Start(h.Plan("""
            inputs:
              backup: { type: string, default: old }
            steps:
              - { id: inner, uses: runbook, with: { file: sub.yaml, inputs: { what: "{{ inputs.backup }}" } } }
            """));
        await h.Drive(run);
        var question = Assert.Single(h.Engine.State(run).OpenQuestions).Id;
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question, Choice = "go-back", To = "inner/bad", Reason = "that one is damaged", Inputs = new() { ["backup"] = "new" } }).Accepted);
        var question2 = (await h.Drive(run)).State.OpenQuestions.Single().Id;
        Assert.True(h.Engine.Decide(run, RunHarness.Bob, new Decided { Question = question2, Choice = "retry", Reason = "again" }).Accepted);
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["fine", "new"], h.Lines);
    }
}
