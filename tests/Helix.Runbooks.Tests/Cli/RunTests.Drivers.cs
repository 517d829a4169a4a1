using Xunit;

namespace Helix.Runbooks.Tests.Cli;

/// <summary>Drivers that die, and people who leave.</summary>
public sealed partial class RunTests
{
    const string AsksBesideWork = "  - id: both\n    parallel:\n      - [{ id: go, uses: approval, with: { message: Shall it go on?, approvers: [group:me], selfApproval: true } }]\n"
        + "      - [{ id: look, uses: shell.run, effect: reads, with: { script: \"while [ -d $PWD -a ! -e go ]; do sleep 0.05; done\" } }]\n";

    /// <summary>Its gate is asked and its other step runs.</summary>
    async Task<(HelixProcess Driver, string Run)> Driven()
    {
        var driver = new HelixProcess(_helix.Store, ["run", .. Runbook("driven", AsksBesideWork)]);
        await Eventually.True(async () => await _helix.Run("runs", "--json") == 0 && _helix.Json.AsArray() is [{ } only]
            && await _helix.Run("show", (string)only["run"]!, "--json") == 0 && _helix.Json["questions"]!.AsArray().Count == 1
            && _helix.Json["steps"]!.AsArray().Any(s => (string)s!["path"]! == "look" && (string)s["status"]! == "running"), "the step runs beside the question");
        return (driver, await OnlyRun());
    }

    async Task<string> LeftByItsDriver()
    {
        var (driver, run) = await Driven();
        using (driver)
        {
            driver.Kill();
            await driver.End();
        }
        _helix.Write("go", "");
        return run;
    }

    [Fact]
    public async Task An_answer_that_shall_go_on_does_so_when_the_driver_has_died()
    {
        var run = await LeftByItsDriver();
        Assert.Equal(0, await _helix.Run("approve", run, "go", "--resume"));
        Assert.Contains("2 of 2 steps succeeded", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_whose_driver_has_died_is_cancelled_by_whoever_asks_for_it()
    {
        var run = await LeftByItsDriver();
        Assert.Equal(0, await _helix.Run("cancel", run, "--reason", "enough"));
        Assert.Contains("Nobody drives it", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(5, await _helix.Run("cancel", run, "--reason", "enough", "--resume"));
    }

    [Fact]
    public async Task The_report_of_a_run_whose_driver_has_died_does_not_say_that_it_runs()
    {
        var run = await LeftByItsDriver();
        Assert.Equal(0, await _helix.Run("report", run, "--format", "json"));
        Assert.Equal("waiting", (string)_helix.Json["status"]!);
        Assert.Equal("in-doubt", (string)_helix.Json["steps"]!.AsArray().Single(s => (string)s!["path"]! == "look")!["status"]!);
        Assert.Contains(_helix.Json["timeline"]!.AsArray(), s => (string)s!["kind"]! == "suspended");
    }

    [Fact]
    public async Task A_cancel_that_would_go_on_leaves_a_driver_that_lives_to_do_it()
    {
        var (driver, run) = await Driven();
        using (driver)
        {
            Assert.Equal(0, await _helix.Run("cancel", run, "--reason", "enough", "--resume"));
            Assert.Contains("its driver runs rescue and finally", _helix.Error, StringComparison.Ordinal);
            Assert.Equal(5, (await driver.End()).Code);
        }
    }

    [Fact]
    public async Task Whoever_leaves_in_the_middle_of_an_answer_has_ticked_and_decided_nothing()
    {
        using var screen = new ScreenThatTells("Left open");
        var waits = _helix.Run(["run", .. Runbook("left", ByHand.Replace(", evidenceRequired: true", "", StringComparison.Ordinal))], typed: "done\n", screen: screen);
        using var other = new HelixHere { Store = _helix.Store };
        await screen.Seen.WaitAsync(Hang.Limit, TimeProvider.System);
        Assert.Equal(0, await other.Run("status", "--json"));
        var asked = Assert.Single(Assert.Single(other.Json.AsArray())!["questions"]!.AsArray())!;
        Assert.Equal("block", (string)asked["path"]!);
        Assert.Equal(0, await other.Run("cancel", (string)other.Json[0]!["run"]!, "--reason", "enough"));
        Assert.Equal(5, await waits);
    }

    /// <summary>Tells when something stands there.</summary>
    sealed class ScreenThatTells(string awaited) : StringWriter
    {
        readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Seen => _seen.Task;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.Contains(awaited, StringComparison.Ordinal) == true)
                _seen.TrySetResult();
        }
    }

    [Fact]
    public async Task A_run_that_only_fetched_a_backup_proves_nothing()
    {
        Assert.Equal(0, await _helix.Run(["run", .. Runbook("fetches", Pack + Keep + Fetch)]));
        var run = await OnlyRun();
        Assert.Equal(0, await _helix.Run("report", run, "--format", "json"));
        var key = (string)_helix.Json["backups"]![0]!["key"]!;
        Assert.Equal(2, await _helix.Run("backups", "prove", key, "--environment", Path.Combine(_helix.Folder, "here.yaml"), "--run", run));
        Assert.Contains("restored it nowhere", _helix.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gate_that_is_answered_before_it_is_reached_is_shown_with_its_form()
    {
        Assert.Equal(4, await _helix.Run(["run", .. Runbook("asks", Gate + Gate.Replace("id: go", "id: then", StringComparison.Ordinal).Replace("message:", "inputs: { ticket: { type: string, required: true } }, message:", StringComparison.Ordinal) + Pack)]));
        var run = await OnlyRun();
        Assert.Equal(2, await _helix.Run("approve", run, "then"));
        Assert.Contains($"command: helix approve {run} then --input ticket=…", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("The answer needs 'ticket'", _helix.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("shown:", _helix.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("approve", run, "then", "--input", "ticket=T-1"));
        Assert.Equal(0, await _helix.Run("approve", run, "go", "--resume"));
    }
}
