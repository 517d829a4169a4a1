using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Runs;
using Xunit;

namespace Helix.Runbooks.Tests.Reports;

public sealed class ScreenTests
{
    static string Tree(ScriptedRun run, string now, Func<string, StepProgress?>? progress = null) =>
        string.Join("\n", RunTree.Lines(run.State, ScriptedRun.Plan, ScriptedRun.At(now), ScriptedRun.Typical, progress ?? (_ => null)));

    [Fact]
    public void The_tree_of_a_run_that_waits_for_an_approval() => Golden.Equal("waiting.tree.txt",
        RunTree.ClockLine(ScriptedRun.Clocks(recovered: false), ScriptedRun.At("02:12:07")) + "\n" + Tree(new ScriptedRun().UpToTheGate(), "02:12:07"));

    [Fact]
    public void The_tree_of_a_run_that_recovered() => Golden.Equal("recovered.tree.txt",
        RunTree.ClockLine(ScriptedRun.Clocks(), ScriptedRun.At("02:40:00")) + "\n" + Tree(new ScriptedRun().GoesBackAndRecovers(), "02:40:00"));

    [Fact]
    public void A_running_step_shows_how_far_it_is_and_about_how_long_it_still_takes()
    {
        var run = new ScriptedRun().Begins().Add("02:05:02", new StepStarted("fetch", 2, "backup.download", [], []));
        Assert.Contains("▶ fetch  backup.download  running for 10.0 s, attempt 2, about 30.0 s left", Tree(run, "02:05:12"), StringComparison.Ordinal);
        Assert.Contains("running for 10.0 s, attempt 2, 25 % of 40 MiB, about 30.0 s left", Tree(run, "02:05:12", _ => new StepProgress(10 << 20, 40 << 20, "bytes")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_record_as_lines() => Golden.Equal("recovered.lines.txt", Lines(new ScriptedRun().GoesBackAndRecovers()));

    [Fact]
    public void A_question_is_shown_with_facts_people_and_the_one_command() =>
        Golden.Equal("question.txt", QuestionPage.Text(ScriptedRun.Run, new ScriptedRun().UpToTheGate().State.OpenQuestions.Single()));

    [Fact]
    public void A_step_that_ran_when_its_driver_went_is_in_doubt_and_not_running()
    {
        var run = new ScriptedRun().Begins().Add("02:05:02", new StepStarted("fetch", 2, "backup.download", [], []));
        var lines = RunTree.Lines(run.State, ScriptedRun.Plan, ScriptedRun.At("02:05:12"), ScriptedRun.Typical, _ => null, driven: false);
        Assert.Contains(lines, l => l is { Path: "fetch", Status: StepStatus.InDoubt } && l.Text == "in doubt: its driver went while it ran");
        Assert.DoesNotContain(lines, l => l.Status == StepStatus.Running);
    }

    [Fact]
    public void The_clock_of_a_run_that_ended_without_recovering_stands_still() => Assert.Equal(
        "RTO 4h: not recovered; ended after 0:31:10", RunTree.ClockLine(ScriptedRun.Clocks(recovered: false) with { Over = true }, ScriptedRun.At("06:30:00")));

    /// <summary>What is shown is pasted. A bar would be a pipe, and the first choice would be the answer.</summary>
    [Fact]
    public void A_command_that_is_pasted_as_it_is_shown_decides_nothing_that_nobody_chose()
    {
        var failed = new Question(new QuestionAsked { Question = "load#1", Path = "load", Kind = QuestionKind.InDoubt, Message = "?", ShownHash = "", Choices = ["done", "retry"] }, default);
        Assert.Equal("helix decide R 'load#1' CHOICE --resume   # CHOICE: done, retry", QuestionPage.Command("R", failed));
        var manual = new Question(new QuestionAsked { Question = "block#1", Path = "block", Kind = QuestionKind.Manual, Message = "?", ShownHash = "", Choices = ["done", "failed"], Shown = new() { ["evidenceRequired"] = true } }, default);
        Assert.Equal("helix decide R 'block#1' done --evidence '…' --resume", QuestionPage.Command("R", manual));
    }

    [Fact]
    public void The_clock_tells_what_is_gone_what_is_left_and_what_experience_expects() => Assert.Equal(
        "RTO 4h: 0:12:07 gone, 3:47:53 left, ETA 0:32", RunTree.ClockLine(ScriptedRun.Clocks(recovered: false), ScriptedRun.At("02:12:07")));

    /// <summary>While people are waited for, nobody knows when it will be back.</summary>
    [Fact]
    public void What_experience_expects_is_the_least_while_a_step_is_to_come_of_which_it_knows_nothing()
    {
        var state = new ScriptedRun().UpToTheGate().State;
        var unsure = Clocks.Of(state, ScriptedRun.Plan, RunHarness.Catalog, ScriptedRun.At("02:12:07"), path => path == "go" ? null : TimeSpan.FromMinutes(10));
        Assert.True(unsure.EtaIsLeast);
        Assert.Contains("ETA at least 0:", RunTree.ClockLine(unsure, ScriptedRun.At("02:12:07")), StringComparison.Ordinal);
        Assert.False(Clocks.Of(state, ScriptedRun.Plan, RunHarness.Catalog, ScriptedRun.At("02:12:07"), _ => TimeSpan.FromMinutes(10)).EtaIsLeast);
    }

    [Theory]
    [InlineData(StepStatus.Skipped, "02:06:00")] // fetch goes with its group, load has failed and nobody is asked about it
    [InlineData(StepStatus.Pending, "02:06:40")]
    public void What_experience_expects_counts_no_step_that_will_not_be(StepStatus group, string eta)
    {
        var run = new ScriptedRun().Begins().Add("02:05:30", new StepFailed("load", 1, FailureClass.Transient, "away", null, null));
        if (group == StepStatus.Skipped)
            run.Add("02:05:31", new StepSkipped("bring", "its condition was false"));
        var plan = ScriptedRun.Plan with
        {
            Runbook = ScriptedRun.Plan.Runbook with
            {
                Steps = [new Model.GroupItem { Id = "bring", Position = Model.Position.None, Steps = [ScriptedRun.Plan.Find("fetch")!.Item] }, .. ScriptedRun.Plan.Steps.Skip(1).Select(s => s.Item)],
            },
        };
        TimeSpan? Usually(string path) => path == "verify" ? TimeSpan.Zero : ScriptedRun.Typical(path);
        Assert.Equal(ScriptedRun.At(eta), Clocks.Of(run.State, plan, RunHarness.Catalog, ScriptedRun.At("02:06:00"), Usually).Eta);
    }

    [Fact]
    public void A_missed_objective_is_told_while_the_run_goes_on() => Assert.Equal(
        "RTO 4h: 4:30:00 gone, missed by 0:30:00", RunTree.ClockLine(ScriptedRun.Clocks(recovered: false), ScriptedRun.At("06:30:00")));

    static readonly Dictionary<string, StepPlan> Described = new() { ["fetch"] = new StepPlan { Lines = ["fetch redis/2026-03-01T0030.rdb, 10 MiB"], Warnings = ["it has no proof"] } };

    [Fact]
    public void The_plan_as_text() => Golden.Equal("plan.txt", PlanPage.Text(ScriptedRun.Plan, Described));

    [Fact]
    public void The_plan_as_a_page_with_boxes_to_tick() => Golden.Equal("plan.md", PlanPage.Markdown(ScriptedRun.Plan, Described));

    [Fact]
    public void The_plan_as_json() => Golden.Equal("plan.json", PlanPage.Json(ScriptedRun.Plan, Described));

    [Theory]
    [InlineData(0, "0:00:00")]
    [InlineData(727, "0:12:07")]
    [InlineData(97_200, "27:00:00")]
    [InlineData(-61, "-0:01:01")]
    public void Clocks_are_read_as_hours_minutes_seconds(int seconds, string text) => Assert.Equal(text, Words.Clock(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0.0851, "85 ms")]
    [InlineData(2.14, "2.1 s")]
    [InlineData(184, "3 min 4 s")]
    [InlineData(7500, "2 h 5 min")]
    public void Spans_are_as_exact_as_people_need(double seconds, string text) => Assert.Equal(text, Words.Span(TimeSpan.FromSeconds(seconds)));

    internal static string Lines(ScriptedRun run)
    {
        var lines = new RunLines(ScriptedRun.Plan, new RunState(ScriptedRun.Run));
        return string.Join("\n", run.Entries.Select(lines.Of).Where(l => l is not null));
    }
}
