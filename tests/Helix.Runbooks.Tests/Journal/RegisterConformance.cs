using System.Diagnostics;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Postgres;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public abstract class RegisterConformance(PostgresServer? server) : IDisposable
{
    readonly StoreFixture _fixture = new(server);
    JournalStore Store => _fixture.Store;
    RunSummary Summary => Store.Runs()[0];

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void The_status_follows_the_events()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        Assert.Equal(("running", null), (Summary.Status, Summary.WaitsFor));

        Store.Append(lease, Asked("gate"), StepStarted("beside"));
        Assert.Equal(("running", "approval gate by oncall"), (Summary.Status, Summary.WaitsFor));
        Store.Append(lease, StepSucceeded("beside"));
        Assert.Equal("waiting", Summary.Status);
        Store.Append(lease, new RunSuspended("waits"));
        Store.Release(lease);
        Assert.Equal("waiting", Summary.Status);

        lease = Store.TryTake("r1", DriverOf(2), "resume").Taken!;
        Store.Append(lease, new QuestionClosed("gate#1", "approved"), StepSucceeded("gate"), new WaitStarted("pause", Start.AddHours(1)));
        Assert.Equal(("waiting", "pause until 2026-03-01 03:00:00 UTC"), (Summary.Status, Summary.WaitsFor));
        Store.Append(lease, StepSucceeded("pause"), StepStarted("save"), new StepInterrupted("save", "Ctrl-C"), new RunSuspended("Ctrl-C"));
        Assert.Equal(("suspended", null), (Summary.Status, Summary.WaitsFor));

        Store.Append(lease, new LeaseTaken(DriverOf(2), "resume"), new RunEnded(Outcome.Succeeded, "done", []) { Rta = TimeSpan.FromMinutes(9), Rpa = TimeSpan.FromMinutes(5), ObjectivesMet = false });
        Assert.Equal(("succeeded", TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(5), false), (Summary.Status, Summary.Rta, Summary.Rpa, Summary.ObjectivesMet));
        Assert.Equal(Store.Read("r1")[^1].Hash, Summary.Head);

        Store.Append("r1", Alice, _ => [new NoteAdded("after the end")]);
        Assert.Equal(("succeeded", TimeSpan.FromMinutes(9), false), (Summary.Status, Summary.Rta, Summary.ObjectivesMet));
        Store.Append("r1", Alice, _ => [new RunReopened("save", "data is bad", [])]);
        Assert.Equal(("suspended", null, null), (Summary.Status, Summary.EndedAt, Summary.Rta));
    }

    [Fact]
    public void WFE_01_A_run_whose_driver_is_gone_is_shown_as_suspended_since_its_last_event()
    {
        Store.Create("r1", Started(), DriverIdentity.Current with { StartTicks = 1 });
        Store.Create("r2", Started(), DriverIdentity.Current);
        Assert.Equal([("r2", "running", false), ("r1", "suspended", true)], Store.Runs().Select(r => (r.Run, r.Status, r.DriverGone)));
        Assert.Equal(Start, Store.Runs()[1].LastAt);
    }

    [Fact]
    public void Runs_are_listed_newest_first_by_runbook_and_by_being_open()
    {
        for (var i = 1; i <= 6; i++)
        {
            var lease = Store.Create($"r{i}", Started(i % 2 == 0 ? "even" : "odd") with { Environment = i % 3 == 0 ? "third" : "other" }, DriverOf(i));
            if (i > 3)
                Store.Append(lease, new RunEnded(Outcome.Failed, "x", []));
        }
        Assert.Equal("r6 r5 r4 r3 r2 r1", Names(Store.Runs()));
        Assert.Equal("r6 r5", Names(Store.Runs(limit: 2)));
        Assert.Equal("r6 r4 r2", Names(Store.Runs(runbook: "even")));
        Assert.Equal("r3 r2 r1", Names(Store.Runs(openOnly: true)));
        Assert.Equal("r2", Names(Store.Runs(runbook: "even", openOnly: true)));
        Assert.Equal("r6 r3", Names(Store.Runs(limit: 2, environments: ["third"])));
        Assert.Equal("r4 r2", Names(Store.Runs(runbook: "even", environments: ["other", "none"])));
        Assert.Empty(Store.Runs(environments: []));

        static string Names(IEnumerable<RunSummary> runs) => string.Join(' ', runs.Select(r => r.Run));
    }

    [Fact]
    public void A_run_is_found_by_the_beginning_of_its_name_when_that_is_unique()
    {
        foreach (var run in new[] { "20260301-ab", "20260301-cd", "20260301-cdx", "2026" })
            Store.Create(run, Started(), DriverOf(1));
        Assert.Equal("20260301-ab", Store.Resolve("20260301-a"));
        Assert.Equal("20260301-cd", Store.Resolve("20260301-cd"));
        Assert.Equal("2026", Store.Resolve("2026"));
        Assert.Contains("20260301-cd, 20260301-cdx", Assert.Throws<RunbookException>(() => Store.Resolve("20260301-c")).Message, StringComparison.Ordinal);
        Assert.Throws<RunbookException>(() => Store.Resolve("x%"));
        Assert.Throws<RunbookException>(() => Store.Resolve(""));
    }

    [Fact]
    public void Durations_are_those_of_the_succeeded_attempt_in_earlier_real_runs()
    {
        foreach (var (run, mode, minutes) in new[] { ("r1", "live", 3), ("r2", "drill", 5), ("r3", "simulate", 90) })
        {
            var lease = Store.Create(run, Started(mode: mode), DriverOf(1));
            Store.Append(lease, StepStarted("save"));
            _fixture.Time.Advance(TimeSpan.FromMinutes(30));
            Store.Append(lease, new StepFailed("save", 1, FailureClass.Transient, "x", null, Start), StepStarted("save"));
            _fixture.Time.Advance(TimeSpan.FromMinutes(minutes));
            Store.Append(lease, StepSucceeded("save"));
        }
        Assert.Equal([TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(3)], Store.Durations("redis-restore", "save"));
        Assert.Equal([TimeSpan.FromMinutes(5)], Store.Durations("redis-restore", "save", limit: 1));
        Assert.Equal([TimeSpan.FromMinutes(3)], Store.Durations("redis-restore", "save", but: "r2"));
        Assert.Empty(Store.Durations("redis-restore", "other"));
    }

    [Fact, Timed]
    public void Ten_thousand_runs_are_listed_far_below_a_second()
    {
        // Written past the store: what is measured is the listing, not ten thousand fsyncs.
        Store.Create("template", Started(), DriverOf(1));
        _fixture.Sql("""
            WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
            INSERT INTO runs SELECT i, 'r' || i, runbook, environment, mode, operator, status, waits_for, open, started_at, ended_at, rta, rpa, objectives_met, head, events, last_at FROM runs, n
            """);
        // The best of some: what else runs on the machine is no fault of the store, and what is slow is slow each time.
        double Best(int limit, int count) => Enumerable.Range(0, 10).Select(_ =>
        {
            var watch = Stopwatch.StartNew();
            Assert.Equal(count, Store.Runs(limit).Count);
            return watch.Elapsed.TotalMilliseconds;
        }).Min();
        Assert.InRange(Best(100, 100), 0, 200);
        Assert.InRange(Best(20_000, 10_000), 0, 700);
    }

    static QuestionAsked Asked(string path) => new()
    {
        Question = path + "#1",
        Path = path,
        Kind = QuestionKind.Approval,
        Message = "Go?",
        ShownHash = "h",
        Approvers = ["oncall"],
    };
}
