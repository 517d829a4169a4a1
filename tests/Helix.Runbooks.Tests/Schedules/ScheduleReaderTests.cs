using Helix.Runbooks.Model.Schedules;
using Helix.Runbooks.Tests.Cli;

namespace Helix.Runbooks.Tests.Schedules;

/// <summary>A file of schedules with the runbooks and environments that it names, as `helix validate` and `helix schedule next` show it.</summary>
public sealed class ScheduleReaderTests : IDisposable
{
    readonly HelixHere _helix = new();

    public ScheduleReaderTests()
    {
        _helix.Write("env.yaml", "apiVersion: helix.runbooks/v1\nname: env\nprotected: true\ntargets:\n  shelf: { kind: directory, path: . }\n");
        _helix.Write("save.yaml", """
            apiVersion: helix.runbooks/v1
            name: save
            title: Save
            objectives: { rpo: 1h }
            inputs:
              folder: { type: string, required: true }
              size: { type: number, default: 1 }
            steps:
              - { id: keep, uses: backup.upload, with: { target: shelf, file: "{{ inputs.folder }}", prefix: a/, kind: files.tar, recoveryPoint: "{{ run.startedAt }}" } }
            """);
        _helix.Write("wrong.yaml", "apiVersion: helix.runbooks/v1\nname: wrong\ntitle: Wrong\nsteps:\n  - { id: a, uses: no.such }\n");
    }

    [Fact]
    public async Task TIM_02_The_next_times_are_shown_in_the_zone_and_in_UTC()
    {
        Book("hourly: { runbook: save.yaml, inputs: { folder: x }, cron: '30 * * * *', dst: shift, freshFor: 2h }");
        Assert.Equal(0, await _helix.Run("schedule", "next", Path.Combine(_helix.Folder, "plan.yaml"), "--from", "2026-10-25T00:00:00Z", "--count", "3"));
        Assert.Contains("Sun 2026-10-25 02:30 +02:00  Europe/Berlin  2026-10-25 00:30Z", _helix.Out, StringComparison.Ordinal);
        Assert.Contains("Sun 2026-10-25 02:30 +01:00  Europe/Berlin  2026-10-25 01:30Z", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run("schedule", "next", Path.Combine(_helix.Folder, "plan.yaml"), "--json"));
        Assert.Equal(5, _helix.Json.AsArray().Count);
    }

    [Theory]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 0 31 2 *', dst: once }", "never comes")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 0 * * * *', dst: once }", "has 6 fields")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 0 * * *' }", "lacks 'dst'")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 0 * * *', dst: sometimes }", "'sometimes'")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 0 * * *', dst: once, timeZone: Europe/Berlyn }", "no time zone 'Europe/Berlyn'")]
    [InlineData("{ runbook: save.yaml, cron: '0 0 * * *', dst: once }", "lacks 'folder'")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x, size: big }, cron: '0 0 * * *', dst: once }", "size")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x, colour: red }, cron: '0 0 * * *', dst: once }", "colour")]
    [InlineData("{ runbook: gone.yaml, cron: '0 0 * * *', dst: once }", "There is no such file")]
    [InlineData("{ runbook: wrong.yaml, cron: '0 0 * * *', dst: once }", "no.such")]
    [InlineData("{ runbook: save.yaml, environment: gone.yaml, inputs: { folder: x }, cron: '0 0 * * *', dst: once }", "There is no such file")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 0 * * *', dst: once, mode: drill }", "is a drill in the protected environment")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 0 * * *', dst: once, every: 1h }", "'every'")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 * * * *', dst: shift, jitter: 1h }", "may start 1h later")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 * * * *', dst: shift, jitter: 5 }", "jitter")]
    [InlineData("{ runbook: save.yaml, inputs: { folder: x }, cron: '0 * * * *', dst: shift, onChange: etc }", "onChange")]
    public async Task What_is_wrong_in_a_schedule_is_an_error_in_its_line(string schedule, string words)
    {
        Book($"a: {schedule}");
        Assert.Equal(2, await Validate());
        Assert.Contains(words, _helix.Out, StringComparison.Ordinal);
        Assert.Contains("plan.yaml:6:", _helix.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ reason: r }", "has no time")]
    [InlineData("{ from: 2026-12-20T00:00:00Z, reason: r }", "has `until` too")]
    [InlineData("{ from: 2026-12-20T00:00:00Z, until: 2026-12-19T00:00:00Z, reason: r }", "ends before it begins")]
    [InlineData("{ from: 2026-12-20T00:00:00Z, until: 2026-12-21T00:00:00Z, cron: '0 0 1 * *', reason: r }", "Keep one of both")]
    [InlineData("{ from: tomorrow, until: 2026-12-21T00:00:00Z, reason: r }", "tomorrow")]
    [InlineData("{ cron: '0 0 1 * *', reason: r }", "has `cron` and `for`")]
    [InlineData("{ cron: '0 0 31 2 *', for: 1d, reason: r }", "never comes")]
    [InlineData("{ cron: '0 0 1 * *', for: 1d }", "lacks 'reason'")]
    [InlineData("{ cron: '0 0 1 * *', for: 1d, reason: r, then: wait }", "'wait'")]
    [InlineData("{ cron: '0 0 1 * *', for: 1d, reason: r, schedules: [b] }", "There is no schedule 'b'")]
    public async Task What_is_wrong_in_a_freeze_is_an_error_in_its_line(string freeze, string words)
    {
        Book($"a: {{ runbook: save.yaml, inputs: {{ folder: x }}, cron: '0 * * * *', dst: shift, freshFor: 2h }}\nfreezes:\n  close: {freeze}");
        Assert.Equal(2, await Validate());
        Assert.Contains(words, _helix.Out, StringComparison.Ordinal);
        Assert.Contains("plan.yaml:8:", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_held_by_a_freeze_or_comes_later_is_shown_before_and_a_freeze_holds_whatever_removes_backups()
    {
        _helix.Write("prune.yaml", "apiVersion: helix.runbooks/v1\nname: prune\ntitle: Prune\nsteps:\n  - { id: a, uses: backup.prune, with: { target: shelf, prefix: a/, keepDaily: 3 } }\n");
        Book("""
            a: { runbook: save.yaml, inputs: { folder: x }, cron: '0 * * * *', dst: shift, freshFor: 2h, jitter: 10m }
              b: { runbook: save.yaml, inputs: { folder: x }, cron: '0 * * * *', dst: shift, freshFor: 2h, onChange: [etc/*.conf] }
              c: { runbook: prune.yaml, cron: '0 * * * *', dst: shift }
            freezes:
              close: { cron: '30 1 1 * *', for: 2h, reason: the books are closed, schedules: [a] }
            """);
        Assert.Equal(0, await _helix.Run("schedule", "next", Path.Combine(_helix.Folder, "plan.yaml"), "--from", "2026-03-01T00:00:00Z", "--count", "2"));
        Assert.Matches(@"a +save .* 2026-03-01 02:30Z +held: close, the books are closed", _helix.Out);
        Assert.Matches(@"b +save .* 2026-03-01 01:00Z +if a file changed", _helix.Out);
        Assert.Matches(@"c +prune .* 2026-03-01 02:30Z +held: close", _helix.Out);
        Assert.Equal(0, await _helix.Run("schedule", "next", Path.Combine(_helix.Folder, "plan.yaml"), "--from", "2026-03-02T00:00:00Z", "--count", "1"));
        Assert.Matches(@"a +save .* 2026-03-02 0[01]:0\dZ +jitter, planned 0[12]:00", _helix.Out);
    }

    [Theory]
    [InlineData("'0 */2 * * *', dst: shift", "comes every 2h at the longest, and its runbook may lose 1h of data")]
    [InlineData("'0 * * * *', dst: once", "`dst: shift` keeps it")]
    [InlineData("'0 * * * *', dst: shift, freshFor: 30m", "would raise an alarm although everything is right")]
    public async Task A_rhythm_that_does_not_keep_the_objective_is_a_warning(string rhythm, string words)
    {
        Book($"a: {{ runbook: save.yaml, inputs: {{ folder: x }}, cron: {rhythm} }}");
        Assert.Equal(0, await Validate());
        Assert.Contains(words, _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rhythm_that_keeps_it_is_none()
    {
        Book("a: { runbook: save.yaml, inputs: { folder: x }, cron: '0 * * * *', dst: shift }\n  b: { runbook: save.yaml, inputs: { folder: x }, cron: '0 0 * * *', dst: once, enabled: false }");
        Assert.Equal(0, await Validate());
        Assert.Equal("", _helix.Out.Trim());
    }

    [Fact]
    public void The_schedules_of_this_repository_keep_the_objectives_of_their_runbooks()
    {
        var read = new ScheduleReader(Contract.Setting.Catalog, TimeProvider.System).ReadFile(Path.Combine(House.Source.Root, "runbooks/schedules.yaml"));
        Assert.Empty(read.Problems);
        Assert.Equal(TimeSpan.FromMinutes(90), read.Value!.Schedules.Single(s => s.Name == "redis_hourly").FreshFor);
        Assert.All(read.Value.Schedules.Where(s => s.Runbook.Name.Contains("drill", StringComparison.Ordinal)), s => Assert.Equal(ScheduledMode.Drill, s.Mode));
    }

    Task<int> Validate() => _helix.Run("validate", Path.Combine(_helix.Folder, "plan.yaml"));

    void Book(string schedules) =>
        _helix.Write("plan.yaml", $"apiVersion: helix.runbooks/v1\nname: plan\ntimeZone: Europe/Berlin\nenvironment: env.yaml\nschedules:\n  {schedules}\n");

    public void Dispose() => _helix.Dispose();
}
