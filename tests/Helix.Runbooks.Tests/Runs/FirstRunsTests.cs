using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

public sealed class FirstRunsTests
{
    [Fact]
    public async Task A_step_can_see_why_another_one_failed()
    {
        using var h = new RunHarness();
        var result = await h.Run("""
            steps:
              - { id: good, uses: world.write, with: { world: WORLD, line: good } }
              - { id: bad, uses: world.write, ifFails: continue, with: { world: WORLD, line: bad, failFirst: 9 } }
              - { id: seen, uses: world.write, when: "{{ steps.bad.failure == 'transient' && steps.good.failure == 'none' }}", with: { world: WORLD, line: "{{ steps.bad.failure }}" } }
              - { id: not, uses: world.write, when: "{{ steps.bad.failure == 'auth' }}", with: { world: WORLD, line: not } }
            """);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["good", "transient"], h.Lines);
    }

    [Fact]
    public async Task Steps_run_in_order_and_the_run_succeeds()
    {
        using var h = new RunHarness();
        var result = await h.Run("""
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one } }
              - { id: two, uses: world.write, with: { world: WORLD, line: "after {{ steps.one.line }}" } }
            """);
        Assert.Equal(["one", "after one"], h.Lines);
        Assert.Equal(DriveEnd.Ended, result.End);
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(h.Store.Verify(result.State.Run));
    }

    [Fact]
    public async Task A_transient_failure_is_retried_and_another_is_not()
    {
        using var h = new RunHarness();
        var result = await h.Run("""
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one, failFirst: 2 }, retry: { attempts: 3, delay: 10ms } }
              - { id: two, uses: world.write, with: { world: WORLD, line: two, failFirst: 1, failure: conflict }, retry: { attempts: 3, delay: 10ms } }
              - { id: three, uses: world.write, with: { world: WORLD, line: three } }
            """);
        Assert.Equal(["one"], h.Lines);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(3, result.State.Step("one")!.Attempts.Count);
        Assert.Single(result.State.Step("two")!.Attempts);
        Assert.Contains("two: line two was refused", result.State.Ended!.Reason);
    }

    [Fact]
    public async Task A_failed_step_of_an_attended_run_asks_and_a_retry_goes_on()
    {
        using var h = new RunHarness();
        var waiting = await h.Run("""
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one, failFirst: 1, failure: conflict } }
              - { id: two, uses: world.write, with: { world: WORLD, line: two } }
            """, attended: true);
        Assert.Equal(4, waiting.ExitCode);
        var run = waiting.State.Run;
        Assert.True(h.Answer(run, RunHarness.Alice, "retry").Accepted);
        var done = await h.Drive(run);
        Assert.Equal(0, done.ExitCode);
        Assert.Equal(["one", "two"], h.Lines);
    }

    [Fact]
    public async Task Parallel_branches_rescue_and_finally_run()
    {
        using var h = new RunHarness();
        var result = await h.Run("""
            steps:
              - parallel:
                  - - { id: a, uses: world.write, with: { world: WORLD, line: a } }
                  - - { id: b, uses: world.write, with: { world: WORLD, line: b } }
              - id: each
                forEach: ["x", "y"]
                as: letter
                steps:
                  - { id: copy, uses: world.write, with: { world: WORLD, line: "copy {{ letter }}" } }
              - { id: bad, uses: world.write, with: { world: WORLD, line: bad, failFirst: 9, failure: conflict } }
            rescue:
              - { id: saved, uses: world.write, with: { world: WORLD, line: saved } }
            finally:
              - { id: tidy, uses: world.write, with: { world: WORLD, line: tidy } }
            """);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(["a", "b"], h.Lines.Take(2).Order());
        Assert.Equal(["copy x", "copy y", "saved", "tidy"], h.Lines.Skip(2));
        Assert.Equal("copy y", result.State.Step("each[1]/copy")!.Outputs!["line"]!.ToString());
    }

    [Fact]
    public async Task An_approval_lets_go_on_and_not_who_started_it()
    {
        using var h = new RunHarness();
        var waiting = await h.Run("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: [alice, "group:dba"] } }
              - { id: load, uses: world.destroy, with: { world: WORLD, target: thing } }
            """);
        Assert.Equal(4, waiting.ExitCode);
        var run = waiting.State.Run;
        Assert.False(h.Answer(run, RunHarness.Alice, "approve").Accepted);
        Assert.True(h.Answer(run, RunHarness.Bob, "approve").Accepted);
        var done = await h.Drive(run);
        Assert.Equal(0, done.ExitCode);
        Assert.Equal(["destroyed thing"], h.Lines);
        Assert.Contains(done.State.Remarks, r => r.Kind == "refused");
    }

    [Fact]
    public async Task A_rejection_ends_the_run_with_five_and_cancel_runs_the_rest()
    {
        using var h = new RunHarness();
        var waiting = await h.Run("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: load, uses: world.write, with: { world: WORLD, line: load } }
            finally:
              - { id: tidy, uses: world.write, with: { world: WORLD, line: tidy } }
            """);
        var run = waiting.State.Run;
        Assert.False(h.Answer(run, RunHarness.Bob, "reject").Accepted);
        Assert.True(h.Answer(run, RunHarness.Bob, "reject", "too early").Accepted);
        var done = await h.Drive(run);
        Assert.Equal(5, done.ExitCode);
        Assert.Equal(Outcome.Rejected, done.State.Ended!.Outcome);
        Assert.Equal(["tidy"], h.Lines);
    }

    [Fact]
    public async Task An_interrupted_run_is_suspended_and_goes_on_where_it_was()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one } }
              - { id: slow, uses: world.write, with: { world: WORLD, line: slow, until: WORLD.go } }
              - { id: two, uses: world.write, with: { world: WORLD, line: two } }
            """));
        using var stop = new CancellationTokenSource();
        var driving = h.Drive(run, interrupt: stop.Token);
        await Eventually.True(() => h.Engine.State(run).StatusOf("slow") == StepStatus.Running, "the second step runs");
        await stop.CancelAsync();
        var interrupted = await driving;
        Assert.Equal(130, interrupted.ExitCode);
        h.Write("world.go", "");
        var done = await h.Drive(run);
        Assert.Equal(0, done.ExitCode);
        Assert.Equal(["one", "slow", "two"], h.Lines);
    }
}
