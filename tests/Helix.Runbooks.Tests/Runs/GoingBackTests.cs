using Helix.Runbooks.Journal;
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
              takes: { type: duration, default: 3s }
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
}
