using System.Text;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Runs;
using Xunit;

namespace Helix.Runbooks.Tests.Reports;

/// <summary>A record outlives the version that could read its runbook: after an upgrade the rules may be stricter, and an auditor asks years later.</summary>
public sealed class UnreadableRunTests
{
    [Fact]
    public async Task The_report_of_a_run_whose_runbook_cannot_be_read_any_more_shows_what_the_record_holds()
    {
        using var h = new RunHarness();
        var run = (await h.Run("""
            objectives: { rto: 1h }
            steps:
              - { id: first, uses: world.write, with: { world: WORLD, line: first } }
            """)).State.Run;
        var recorded = h.Engine.State(run).Ended!.Rta!.Value;
        Replace(h, run);
        Assert.Throws<RunbookException>(() => h.Engine.PlanOf(h.Engine.State(run)));
        var report = Reporting.Of(h.Engine, run);
        Assert.Equal(["first"], report.Steps.Select(s => s.Path));
        Assert.Equal("succeeded", Assert.Single(report.Steps).Status);
        Assert.Equal(recorded, report.Objectives.Rta);
        Assert.Contains(Words.Unreadable, report.Verdict, StringComparison.Ordinal);
        Assert.Contains("| `first` | world.write |", MarkdownReport.Of(report), StringComparison.Ordinal);
        Assert.Contains("first", HtmlReport.Of(report), StringComparison.Ordinal);
    }

    static void Replace(RunHarness h, string run)
    {
        var state = h.Engine.State(run);
        var sha = h.Store.Keep(Encoding.UTF8.GetBytes("apiVersion: helix.runbooks/v9\n"));
        h.Store.Append(run, RunHarness.Alice, _ => [new RunbookReplaced(new string('0', 64), new Dictionary<string, string>(state.Pinned) { [state.Started.RunbookPath] = sha }, "by another version")]);
    }
}
