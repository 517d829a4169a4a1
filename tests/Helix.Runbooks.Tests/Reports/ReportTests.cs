using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Runs;
using Xunit;

namespace Helix.Runbooks.Tests.Reports;

public sealed class ReportTests
{
    static readonly TimeSpan[] Past = [TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(50)];

    static RunReport Report(ScriptedRun run, bool recovered = true) =>
        RunReport.Of(run.State, ScriptedRun.Plan, ScriptedRun.Clocks(recovered), run.Entries, ScriptedRun.Typical, Past);

    [Fact]
    public void The_markdown_report_of_a_run_that_went_back_and_recovered() =>
        Golden.Equal("recovered.md", MarkdownReport.Of(Report(new ScriptedRun().GoesBackAndRecovers())));

    [Fact]
    public void The_html_report_of_a_run_that_went_back_and_recovered() =>
        Golden.Equal("recovered.html", HtmlReport.Of(Report(new ScriptedRun().GoesBackAndRecovers())));

    [Fact]
    public void The_json_report_of_a_run_that_went_back_and_recovered() =>
        Golden.Equal("recovered.json", Report(new ScriptedRun().GoesBackAndRecovers()).ToJson());

    [Fact]
    public void The_last_words_of_a_run_that_missed_its_rpo()
    {
        var run = new ScriptedRun().GoesBackAndRecovers();
        Golden.Equal("recovered.end.txt", EndPage.Text(Report(run), new DriveResult(DriveEnd.Ended, run.State), attended: true));
    }

    [Fact]
    public void A_run_that_ends_in_the_middle_of_a_load_says_first_that_the_data_is_half_loaded_and_what_is_down()
    {
        var report = Report(new ScriptedRun().EndsHalfLoaded(), recovered: false);
        Assert.Equal(
            ["redis: load began to overwrite all keys and did not finish. The data is half loaded; do not use it.", "Redis is stopped. Take it back with: docker start redis"],
            report.Down);
        var page = MarkdownReport.Of(report);
        Assert.True(page.IndexOf("half loaded", StringComparison.Ordinal) < page.IndexOf("| Run |", StringComparison.Ordinal), page);
        Assert.StartsWith("Failed: load failed.", report.Verdict, StringComparison.Ordinal);
    }

    [Fact]
    public void A_load_that_succeeded_later_heals_the_one_that_did_not() =>
        Assert.Empty(Report(new ScriptedRun().GoesBackAndRecovers()).Down);

    [Fact]
    public void What_people_wrote_cannot_become_markup()
    {
        var html = HtmlReport.Of(Report(new ScriptedRun().GoesBackAndRecovers()));
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html, StringComparison.Ordinal);
        Assert.Contains("Restore &lt;Redis&gt; &amp; friends", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", MarkdownReport.Of(Report(new ScriptedRun().GoesBackAndRecovers())), StringComparison.Ordinal);
    }

    [Fact]
    public void The_html_file_needs_nothing_from_anywhere()
    {
        var html = HtmlReport.Of(Report(new ScriptedRun().GoesBackAndRecovers()));
        Assert.DoesNotMatch(new Regex("(src|href)\\s*=|@import|url\\(", RegexOptions.IgnoreCase), html);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        Assert.Contains("@media print", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_html_file_is_well_formed()
    {
        var html = HtmlReport.Of(Report(new ScriptedRun().GoesBackAndRecovers()));
        // The few void elements and the doctype are all that XML does not know.
        var xml = Regex.Replace(html, "<!doctype html>|<meta[^>]*>", "");
        Assert.Equal("html", System.Xml.Linq.XDocument.Parse(xml).Root!.Name.LocalName);
    }

    [Fact]
    public void The_report_of_a_run_whose_driver_was_killed_says_what_was_in_doubt_who_went_on_and_what_was_found()
    {
        var run = new ScriptedRun().Begins()
            .Add("02:05:02", new StepStarted("fetch", 1, "backup.download", [], []))
            .Add("02:15:00", new LeaseTaken(new Driver("db-1", "boot", 4712, 120, "bob"), "its driver is gone"), epoch: 2)
            .Add("02:15:01", new StepProbed("fetch", ProbeVerdict.NotDone, "the step only reads, so it runs again"), epoch: 2);
        string[] expected = ["driver: bob on db-1 went on (its driver is gone); in doubt: fetch", "looked: fetch was in doubt: it had not been done, the step only reads, so it runs again"];
        var report = Report(run, recovered: false);
        Assert.Equal(expected, report.Interruptions.Select(i => $"{i.Kind}: {i.Text}"));
        Assert.Contains("## Interruptions and doubts\n\n- 2026-03-01 02:15:00Z: " + expected[0], MarkdownReport.Of(report), StringComparison.Ordinal);
        Assert.Contains("in doubt: fetch", HtmlReport.Of(report), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(270.0, "02:09:30", "0:05:30")] // The last heartbeat came when the lease had been held for 270 s.
    [InlineData(0.0, "02:05:02", "0:09:58")]   // None came after the last entry.
    public void The_time_in_which_nobody_drove_is_no_work_of_the_machine(double driven, string lastSign, string without)
    {
        var run = new ScriptedRun().Begins()
            .Add("02:05:02", new StepStarted("fetch", 1, "backup.download", [], []))
            .Add("02:06:00", new NoteAdded("is anybody there?"), by: new Person("carol", IdentityStrength.Os, "cli"))
            .Add("02:15:00", new LeaseTaken(new Driver("db-1", "boot", 4712, 120, "bob"), "its driver is gone") { DrivenBefore = TimeSpan.FromSeconds(driven) }, epoch: 2)
            .Add("02:15:01", new StepProbed("fetch", ProbeVerdict.NotDone, "the step only reads, so it runs again"), epoch: 2)
            .Add("02:15:02", new StepStarted("fetch", 2, "backup.download", [], []), epoch: 2)
            .Add("02:15:12", new StepSucceeded("fetch", []), epoch: 2);
        var report = Report(run, recovered: false);
        var died = TimeSpan.Parse(lastSign, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(died - TimeSpan.Parse("02:05:02") + TimeSpan.FromSeconds(10), report.Steps.Single(s => s.Path == "fetch").Machine);
        var gap = Assert.Single(report.Timeline, s => s.Kind == "suspended");
        Assert.Equal((died, TimeSpan.Parse("02:15:00")), (gap.Start.TimeOfDay, gap.End.TimeOfDay));
        Assert.Contains(report.Interruptions, i => i.Text == $"bob on db-1 went on (its driver is gone) after {without} without a driver; in doubt: fetch");
    }

    [Fact]
    public void A_run_whose_driver_is_gone_does_not_run_and_its_time_since_then_is_no_work_of_the_machine()
    {
        var state = new ScriptedRun().Begins().Add("02:05:02", new StepStarted("fetch", 1, "backup.download", [], [])).State;
        state.LoseDriver(TimeSpan.FromSeconds(32));
        var clocks = Clocks.Of(state, ScriptedRun.Plan, RunHarness.Catalog, ScriptedRun.At("09:00:00"), _ => null);
        var report = RunReport.Of(state, ScriptedRun.Plan, clocks, [], ScriptedRun.Typical, Past);
        Assert.Equal(("suspended", "Suspended, its driver is gone; it can be resumed."), (report.Status, report.Verdict));
        Assert.Equal("in-doubt", report.Steps.Single(s => s.Path == "fetch").Status);
        Assert.Equal(TimeSpan.FromSeconds(30), report.Objectives.Machine);
    }

    [Fact]
    public void The_report_tells_who_named_the_environment_who_ratified_what_nobody_answered_and_how_a_round_had_ended()
    {
        var run = new ScriptedRun().UpToTheGate()
            .Add("02:06:30", new DestructionConfirmed("production", new string('b', 64)), ScriptedRun.Alice)
            .Add("02:36:02", new QuestionExpired("go#1", "escalate"))
            .Add("02:37:00", new BreakGlassRatified("go#1", "it was right"), ScriptedRun.Bob)
            .Add("02:38:00", new RunMoved("/second/helix.db"), ScriptedRun.Alice)
            .Add("02:39:00", new RunEnded(Outcome.Failed, "load failed", []))
            .Add("03:00:00", new RoundStarted(2, "fetch", "alice reopened it", [], ["fetch"]));
        var report = Report(run, recovered: false);
        var told = MarkdownReport.Of(report);
        foreach (var part in (string[])[
            "## Confirmations\n\n- 2026-03-01 02:06:30Z, alice (os, cli): environment named: production, for the plan bbbbbbbbbbbb\n- 2026-03-01 02:37:00Z, bob (signed, cli): break-glass ratified: go#1: it was right\n",
            "## Unanswered questions\n\n- 2026-03-01 02:36:02Z: escalate: go#1, asked of group:dba, now also of group:on_call\n",
            "alice (os, cli): moved: the run went on in /second/helix.db\n",
            "alice reopened it. Before, it had ended: failed: load failed\n",
        ])
            Assert.Contains(part, told, StringComparison.Ordinal);
        var html = HtmlReport.Of(report);
        foreach (var part in (string[])["environment named: production", "break-glass ratified: go#1", "now also of group:on_call", "the run went on in", "failed: load failed"])
            Assert.Contains(part, html, StringComparison.Ordinal);
        Assert.Contains("\"before\": \"failed: load failed\"", report.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_without_an_attempt_is_told_with_its_hint()
    {
        var report = Report(new ScriptedRun().Begins().Add("02:05:02", new StepFailed("load", 0, FailureClass.Conflict, "redis is held by run x.", "Wait for it.", null)), recovered: false);
        Assert.Contains("## Failures\n\n- load: redis is held by run x.\n  Hint: Wait for it.\n", MarkdownReport.Of(report), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pause_before_another_attempt_ends_with_the_run_and_what_is_gone_back_to_is_not_closed_any_more()
    {
        var run = new ScriptedRun().Begins()
            .Add("02:05:02", new StepStarted("fetch", 1, "backup.download", [], []))
            .Add("02:05:12", new StepFailed("fetch", 1, FailureClass.Transient, "away", null, ScriptedRun.At("03:05:12")))
            .Add("02:06:12", new RunEnded(Outcome.Cancelled, "enough", []))
            .Add("02:07:00", new RunClosed("nothing is left"), ScriptedRun.Alice);
        Assert.True(run.State.Closed);
        Assert.Equal(TimeSpan.FromMinutes(1), Report(run, recovered: false).Timeline.Where(s => s.Kind == "retry").Select(s => s.End - s.Start).Single());
        Assert.False(run.Add("02:08:00", new RoundStarted(2, "fetch", "reopened", [], ["fetch"])).State.Closed);
    }

    [Fact]
    public void What_a_step_took_tells_the_work_of_the_machine_and_the_waiting_apart_and_both_add_up()
    {
        var run = new ScriptedRun().Begins()
            .Add("02:05:00", new StepStarted("fetch", 1, "backup.download", [], []))
            .Add("02:05:10", new StepInterrupted("fetch", "it was stopped before its end"))
            .Add("02:05:10", new RunSuspended("Ctrl-C"))
            .Add("02:15:10", new LeaseTaken(new Driver("db-1", "boot", 4712, 120, "alice"), "resume"), epoch: 2)
            .Add("02:15:10", new StepProbed("fetch", ProbeVerdict.Unknown, "nobody can tell"), epoch: 2)
            .Add("02:15:10", new QuestionAsked { Question = "fetch#1", Path = "fetch", Kind = QuestionKind.InDoubt, Message = "?", ShownHash = "", Choices = ["done", "retry"] }, epoch: 2)
            .Add("02:45:10", new QuestionClosed("fetch#1", "done"), epoch: 2)
            .Add("02:45:10", new StepReset("fetch", "alice asked for another try", null), epoch: 2)
            .Add("02:45:10", new StepStarted("fetch", 2, "backup.download", [], []), epoch: 2)
            .Add("02:45:12", new SecretAsked("fetch#2:token", "fetch", "token", "The token?", [], ScriptedRun.At("03:00:00")), epoch: 2)
            .Add("02:50:12", new SecretGiven("fetch#2:token", ScriptedRun.Bob), epoch: 2)
            .Add("02:50:15", new StepSucceeded("fetch", []), epoch: 2);
        var report = Report(run, recovered: false);
        var step = report.Steps.Single(s => s.Path == "fetch");
        Assert.Equal(TimeSpan.FromSeconds(10 + 2 + 3), step.Machine);
        Assert.Equal(step.Took, step.Machine + step.Waited);
        Assert.Equal(step.Machine!.Value.Ticks, report.Timeline.Where(s => s is { Path: "fetch", Kind: "machine" }).Sum(s => (s.End - s.Start).Ticks));
        const string told = "15.0 s and 45 min waited";
        Assert.Contains($"| {told} |", MarkdownReport.Of(report), StringComparison.Ordinal);
        Assert.Contains($">{told}<", HtmlReport.Of(report), StringComparison.Ordinal);
        var tree = RunTree.Lines(run.State, ScriptedRun.Plan, ScriptedRun.At("02:51:00"), ScriptedRun.Typical, _ => null);
        Assert.Equal($"succeeded in {told} after 2 attempts", tree.Single(l => l.Path == "fetch").Text);
        Assert.EndsWith("succeeded in 5.0 s, attempt 2", ScreenTests.Lines(run), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2100, 0, "2.1 s")]
    [InlineData(595, 5, "600 ms")]
    [InlineData(0, 5, "5 ms waited")]
    [InlineData(0, 0, "0 ms")]
    [InlineData(2100, 7_200_000, "2.1 s and 2 h waited")]
    [InlineData(0, 7_200_000, "2 h waited")]
    public void Waiting_is_named_where_there_was_some(int machine, int waited, string told) =>
        Assert.Equal(told, Words.Took(TimeSpan.FromMilliseconds(machine), TimeSpan.FromMilliseconds(waited)));

    [Fact]
    public void Nothing_measured_is_never_a_miss()
    {
        var objectives = new Measured { Rto = TimeSpan.FromHours(4), Detection = default, Decision = default, WaitingForPeople = default, Machine = default, Verification = default };
        Assert.Null(objectives.RtoMet);
        Assert.Null(objectives.RpoMet);
    }

    [Fact]
    public void The_json_report_holds_every_decision_with_who_how_sure_and_what_was_shown()
    {
        var json = JsonNode.Parse(Report(new ScriptedRun().GoesBackAndRecovers()).ToJson())!;
        var decision = json["decisions"]![0]!;
        Assert.Equal("bob", (string?)decision["by"]!["account"]);
        Assert.Equal("signed", (string?)decision["by"]!["strength"]);
        Assert.Equal(new string('f', 64), (string?)decision["shownHash"]);
        Assert.Equal("ticket OPS-7", (string?)decision["evidence"]);
        Assert.Equal("yes", (string?)decision["form"]!["seen"]);
        Assert.Equal("go-back", (string?)json["decisions"]![1]!["choice"]);
        Assert.Equal(2400.0, (double?)json["objectives"]!["meanOfRuns"]);
    }

    [Theory]
    [InlineData("the dump was slow", "alice", "2026-04-01")]
    [InlineData("the dump (of 3 GB) was slow", null, null)]
    [InlineData("slow", null, "2026-04-01")]
    [InlineData("slow", "bob", null)]
    public void A_finding_is_read_back_from_its_note(string text, string? owner, string? due)
    {
        var finding = DrillFinding.Read(default, "alice", DrillFinding.Write(text, owner, due));
        Assert.Equal(new DrillFinding(default, "alice", text, owner, due), finding);
        Assert.Null(DrillFinding.Read(default, "alice", text));
    }
}
