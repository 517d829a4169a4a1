using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Xunit;

namespace Helix.Runbooks.Tests.Runs;

public sealed class EndTests
{
    [Fact]
    public async Task A_reopened_run_keeps_what_was_before_and_its_clock()
    {
        using var h = new RunHarness();
        var first = await h.Run("""
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one } }
              - { id: two, uses: world.write, with: { world: WORLD, line: two } }
            finally:
              - { id: tidy, uses: world.write, with: { world: WORLD, line: tidy } }
            """);
        Assert.Equal(0, first.ExitCode);
        var run = first.State.Run;
        var preview = h.Engine.PreviewReopen(run, "two");
        Assert.Equal(["one"], preview.Kept);
        Assert.Equal(["two"], preview.RunAgain);
        h.Engine.Reopen(run, RunHarness.Bob, "two", "the data proved bad", []);
        var again = await h.Drive(run);
        Assert.Equal(0, again.ExitCode);
        Assert.Equal(["one", "two", "tidy", "two", "tidy"], h.Lines);
        Assert.Equal(first.State.StartedAt, again.State.StartedAt);
        Assert.Equal(2, again.State.Round);
        Assert.Equal(2, again.State.Earlier.Count);
        Assert.Empty(h.Store.Verify(run));
    }

    [Fact]
    public async Task WFE_11_A_cancel_while_waiting_runs_rescue_and_finally_and_leaves_no_step_open()
    {
        using var h = new RunHarness();
        var run = (await h.Run("""
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
            rescue:
              - { id: saved, uses: world.write, with: { world: WORLD, line: saved } }
            finally:
              - { id: tidy, uses: world.write, with: { world: WORLD, line: tidy } }
            """)).State.Run;
        h.Engine.Cancel(run, RunHarness.Bob, "false alarm");
        var ended = await h.Drive(run);
        Assert.Equal(5, ended.ExitCode);
        Assert.Equal(["saved", "tidy"], h.Lines);
        Assert.DoesNotContain(ended.State.Steps.Values, s => s.Status is StepStatus.Running or StepStatus.Waiting or StepStatus.Pending);
        Assert.Empty(h.Store.Locks());
    }

    [Fact]
    public async Task A_step_that_a_cancel_stopped_was_interrupted_and_did_not_fail()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            steps:
              - { id: bad, uses: world.write, with: { world: WORLD, line: bad, failFirst: 1, failure: invalid-data }, ifFails: continue }
              - id: both
                parallel:
                  - [{ id: slow, uses: world.write, with: { world: WORLD, line: slow, takes: 1h } }]
                  - [{ id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }]
            """));
        var driving = h.Drive(run, stay: true);
        await Eventually.True(() => h.Engine.State(run) is var s && s.StatusOf("slow") == StepStatus.Running && s.StatusOf("go") == StepStatus.Waiting, "both branches are under way");
        h.Engine.Cancel(run, RunHarness.Bob, "false alarm");
        var ended = await driving;
        Assert.Equal((5, Outcome.Cancelled), (ended.ExitCode, ended.State.Ended!.Outcome));
        IsToldAs(h, ended, ("bad", "failed"), ("slow", "interrupted"), ("go", "interrupted"));
    }

    [Fact]
    public async Task A_run_that_is_cancelled_within_a_block_that_may_fail_has_not_succeeded()
    {
        using var h = new RunHarness();
        var run = (await h.Run("""
            steps:
              - id: perhaps
                ifFails: continue
                steps:
                  - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
                  - { id: load, uses: world.write, with: { world: WORLD, line: load } }
            """)).State.Run;
        h.Engine.Cancel(run, RunHarness.Bob, "false alarm");
        var ended = await h.Drive(run);
        Assert.Equal((5, Outcome.Cancelled), (ended.ExitCode, ended.State.Ended!.Outcome));
        Assert.Empty(h.Lines);
    }

    [Fact]
    public async Task A_block_in_finally_goes_through_all_of_its_steps_and_asks_nobody()
    {
        using var h = new RunHarness();
        var ended = await h.Run("""
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one } }
            finally:
              - id: group
                steps:
                  - { id: bad, uses: world.write, with: { world: WORLD, line: bad, failFirst: 9, failure: conflict } }
                  - { id: after, uses: world.write, with: { world: WORLD, line: after } }
              - id: each
                forEach: [x, y]
                as: it
                steps:
                  - { id: worse, uses: world.write, ifFails: abort, with: { world: WORLD, line: "worse {{ it }}", failFirst: 9, failure: conflict } }
                  - { id: then, uses: world.write, with: { world: WORLD, line: "then {{ it }}" } }
              - id: both
                parallel:
                  - [{ id: worst, uses: world.write, ifFails: abort, with: { world: WORLD, line: worst, failFirst: 9, failure: conflict } }]
                  - [{ id: slow, uses: world.write, with: { world: WORLD, line: slow, takes: 300ms } }]
            """, attended: true);
        Assert.Equal((0, DriveEnd.Ended), (ended.ExitCode, ended.End));
        Assert.Equal(["one", "after", "then x", "then y", "slow"], h.Lines);
    }

    [Fact]
    public async Task A_loop_that_may_fail_lets_the_run_go_on_when_its_list_cannot_be_made()
    {
        using var h = new RunHarness();
        var ended = await h.Run("""
            steps:
              - id: each
                forEach: [x, y]
                as: it
                atMost: 1
                ifFails: continue
                steps:
                  - { id: inner, uses: world.write, with: { world: WORLD, line: "{{ it }}" } }
              - { id: after, uses: world.write, with: { world: WORLD, line: after } }
            """);
        Assert.Equal(0, ended.ExitCode);
        Assert.Equal(["after"], h.Lines);
        Assert.Contains("2 elements, and at most 1", ended.State.Step("each")!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_in_doubt_that_somebody_gives_up_was_interrupted_and_did_not_fail()
    {
        using var h = new RunHarness();
        var run = h.Start(h.Plan("""
            steps:
              - { id: slow, uses: world.write, with: { world: WORLD, line: slow, takes: 1h, canTell: false } }
            """), attended: true);
        using var stop = new CancellationTokenSource();
        var driving = h.Drive(run, interrupt: stop.Token);
        await Eventually.True(() => h.Engine.State(run).StatusOf("slow") == StepStatus.Running, "the step runs");
        await stop.CancelAsync();
        await driving;
        Assert.Equal(4, (await h.Drive(run)).ExitCode);
        Assert.True(h.Answer(run, RunHarness.Alice, "abort", "not today").Accepted);
        var ended = await h.Drive(run);
        Assert.Equal((1, Outcome.Failed), (ended.ExitCode, ended.State.Ended!.Outcome));
        IsToldAs(h, ended, ("slow", "interrupted"));
    }

    /// <summary>Report, counts, tree and lines call each step by the same word.</summary>
    static void IsToldAs(RunHarness h, DriveResult ended, params (string Path, string Word)[] steps)
    {
        var run = ended.State.Run;
        var plan = h.Engine.PlanToShow(ended.State);
        var report = Reporting.Of(h.Engine, run);
        var tree = RunTree.Lines(ended.State, plan, h.Engine.Time.GetUtcNow(), _ => null, _ => null);
        var lines = new RunLines(plan, new RunState(run));
        var told = h.Store.Read(run).Select(lines.Of).ToList();
        foreach (var (path, word) in steps)
        {
            Assert.Equal(word, report.Steps.Single(s => s.Path == path).Status);
            Assert.StartsWith(word, tree.Single(l => l.Path == path).Text, StringComparison.Ordinal);
            Assert.Contains($" {word}", told.Last(l => l?.Contains($" {path}  ", StringComparison.Ordinal) == true), StringComparison.Ordinal);
        }
        var end = EndPage.Text(report, ended, attended: true);
        foreach (var group in steps.GroupBy(s => s.Word))
            Assert.Contains($"{group.Count()} {group.Key}", end, StringComparison.Ordinal);
        Assert.Equal(steps.Any(s => s.Word == "failed"), end.Contains("  failed ", StringComparison.Ordinal));
        Assert.Contains("  stopped   slow: ", end, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_recovery_time_that_is_recorded_is_the_one_that_the_report_says_and_tidying_up_is_no_part_of_it()
    {
        using var h = new RunHarness();
        var ended = await h.Run("""
            objectives: { rto: 1h }
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one } }
            finally:
              - { id: tidy, uses: world.write, with: { world: WORLD, line: tidy, takes: 50ms } }
            """);
        var recorded = ended.State.Ended!.Rta;
        Assert.Equal(ended.State.Step("one")!.EndedAt - ended.State.Started.DeclaredAt, recorded);
        Assert.Equal(recorded, Reporting.Of(h.Engine, ended.State.Run).Objectives.Rta);
    }

    [Fact]
    public async Task Nothing_is_measured_when_the_step_that_ends_the_clock_was_skipped()
    {
        using var h = new RunHarness();
        var ended = await h.Run("""
            objectives: { rto: 1h, recoveredAt: check }
            steps:
              - { id: one, uses: world.write, with: { world: WORLD, line: one } }
              - { id: check, uses: world.write, when: "{{ steps.one.lines > 1 }}", with: { world: WORLD, line: check } }
            """);
        Assert.Equal((0, StepStatus.Skipped), (ended.ExitCode, ended.State.StatusOf("check")));
        Assert.Equal((null, null), (ended.State.Ended!.Rta, ended.State.Ended.ObjectivesMet));
    }

    [Fact]
    public async Task Limits_of_attempt_progress_and_block_end_what_hangs()
    {
        using var h = new RunHarness();
        var result = await h.Run("""
            steps:
              - { id: slow, uses: world.write, with: { world: WORLD, line: slow, takes: 1h }, timeout: { attempt: 100ms }, ifFails: continue }
              - { id: quiet, uses: world.write, with: { world: WORLD, line: quiet, takes: 1h }, timeout: { noProgress: 100ms }, ifFails: continue }
              - id: block
                timeout: 150ms
                ifFails: continue
                steps:
                  - { id: inner, uses: world.write, with: { world: WORLD, line: inner, takes: 1h } }
              - { id: last, uses: world.write, with: { world: WORLD, line: last } }
            """);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["last"], h.Lines);
        Assert.Equal(FailureClass.TimedOut, result.State.Step("slow")!.Failure);
        Assert.Contains("no output and no progress", result.State.Step("quiet")!.Message);
        Assert.Contains("time limit of 'block'", result.State.Step("block")!.Message);
    }

    [Fact]
    public async Task WFE_08_A_step_that_timed_out_after_its_effect_is_not_done_again()
    {
        using var h = new RunHarness();
        var result = await h.Run("""
            steps:
              - { id: one, uses: world.late, with: { world: WORLD, line: one }, timeout: { attempt: 200ms }, retry: { attempts: 3, delay: 10ms } }
            """);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["one"], h.Lines);
        Assert.Equal("probe", result.State.Step("one")!.Source);
    }

    [Fact]
    public async Task A_sub_runbook_gets_inputs_and_gives_outputs()
    {
        using var h = new RunHarness();
        h.Write("sub.yaml", """
            apiVersion: helix.runbooks/v1
            name: sub
            title: A part
            inputs:
              word: { type: string, required: true }
              world: { type: string, required: true }
            steps:
              - { id: say, uses: world.write, with: { world: "{{ inputs.world }}", line: "sub says {{ inputs.word }}" } }
            outputs:
              said: "{{ steps.say.line }}"
            """);
        var result = await h.Run("""
            steps:
              - { id: part, uses: runbook, with: { file: sub.yaml, inputs: { word: hello, world: WORLD } } }
              - { id: after, uses: world.write, with: { world: WORLD, line: "then {{ steps.part.said }}" } }
            """);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["sub says hello", "then sub says hello"], h.Lines);
        Assert.Contains("part/say", result.State.Steps.Keys);
    }

    [Fact]
    public async Task Outputs_of_a_loop_are_lists_in_the_order_of_the_elements()
    {
        using var h = new RunHarness();
        var result = await h.Run("""
            steps:
              - id: each
                forEach: ["c", "a", "b"]
                as: x
                maxParallel: 3
                steps:
                  - { id: say, uses: world.write, with: { world: WORLD, line: "{{ x }}" } }
            outputs:
              all: "{{ steps.say.line }}"
            """);
        Assert.Equal("""["c","a","b"]""", result.State.Ended!.Outputs["all"]!.ToJsonString());
    }

    [Fact]
    public async Task WFE_10_A_run_keeps_its_text_and_takes_another_only_when_told()
    {
        using var h = new RunHarness();
        const string Before = """
            steps:
              - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
              - { id: one, uses: world.write, with: { world: WORLD, line: one } }
            """;
        var run = (await h.Run(Before)).State.Run;
        h.Plan(Before.Replace("line: one", "line: changed", StringComparison.Ordinal));
        Assert.Contains("changed", h.Engine.Changes(run), StringComparison.Ordinal);
        h.Answer(run, RunHarness.Bob, "approve");
        Assert.Equal(0, (await h.Drive(run)).ExitCode);
        Assert.Equal(["one"], h.Lines);

        var other = (await h.Run(Before)).State.Run;
        h.Plan(Before.Replace("line: one", "line: changed", StringComparison.Ordinal));
        await h.Engine.TakeChanges(other, RunHarness.Bob);
        h.Answer(other, RunHarness.Bob, "approve");
        Assert.Equal(0, (await h.Drive(other)).ExitCode);
        Assert.Equal(["one", "changed"], h.Lines);
        Assert.Contains(h.Engine.State(other).Remarks, r => r.Kind == "runbook replaced");
    }

    [Fact]
    public async Task A_secret_that_a_step_gives_away_is_masked_in_the_record()
    {
        Environment.SetEnvironmentVariable("HELIX_TEST_GIVEN_AWAY", "canary-value-4711");
        using var h = new RunHarness();
        var result = await h.Run("""
            steps:
              - { id: leak, uses: world.leak, with: { secret: "env:HELIX_TEST_GIVEN_AWAY" } }
            """);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal("the value is ***", result.State.Step("leak")!.Outputs!["text"]!.ToString());
        using var text = new StringWriter();
        h.Store.Export(result.State.Run, text);
        Assert.DoesNotContain("canary-value-4711", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(h.Store.Logs(result.State.Run), l => l.Text.Contains("canary-value-4711", StringComparison.Ordinal));
    }
}
