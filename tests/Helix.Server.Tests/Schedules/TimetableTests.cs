using System.Net;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Postgres;
using Helix.Server.Accounts;
using Helix.Server.Schedules;

namespace Helix.Server.Tests.Schedules;

public sealed class TimetableTests(PostgresServer postgres)
{
    /// <summary>Every test begins ten seconds before a full hour.</summary>
    static StillClock Noon() => new(new DateTimeOffset(2026, 3, 2, 11, 59, 50, TimeSpan.Zero));

    static void Plan(ServerHere here, string fields) => here.Write("schedules.yaml", $"""
        apiVersion: helix.runbooks/v1
        name: schedules
        timeZone: UTC
        environment: environments/here.yaml
        schedules:
          hourly:
            runbook: slow.yaml
            cron: "0 * * * *"
            dst: shift
            {fields}
        """);

    static async Task<(ServerHere Here, StillClock Clock)> Hourly(string fields = "overlap: skip", bool on = true, string? store = null, Action<ServerHere>? before = null)
    {
        var clock = Noon();
        var here = store is null ? new ServerHere { Time = clock } : new ServerHere { Time = clock, StoreName = store };
        here.Runbook("slow", Books.Slow);
        before?.Invoke(here);
        Plan(here, fields);
        if (on)
            await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await here.Start();
        await Eventually.True(() => here.Accounts.WatchedSince("hourly") is not null, "the schedule is read");
        return (here, clock);
    }

    static IReadOnlyList<PlannedTime> Results(ServerHere here) => [.. here.Accounts.PlannedOf("hourly", 100).Where(p => p.Result != "watched").Reverse()];
    static Task Comes(ServerHere here, string what, Func<IReadOnlyList<PlannedTime>, bool> wanted) => Eventually.True(() => wanted(Results(here)), what);

    [Fact]
    public async Task A_planned_run_starts_at_its_time_unattended_and_under_the_name_of_its_schedule()
    {
        var (here, clock) = await Hourly();
        await using var _ = here;
        Assert.Empty(here.Store.Runs());
        clock.Pass(TimeSpan.FromSeconds(15));
        await Comes(here, "the run is started", r => r is [{ Result: "started" }]);
        var run = Results(here)[0].Run!;
        await here.Becomes(run, RunStatus.Succeeded);
        var started = here.State(run).Started;
        Assert.Equal(("schedule:hourly", "schedule", false), (started.Operator.Account, started.Trigger, started.Attended));
        Assert.Equal(new DateTimeOffset(2026, 3, 2, 12, 0, 0, TimeSpan.Zero), Results(here)[0].Planned);
    }

    [Fact]
    public async Task TIM_07_A_planned_time_gives_one_run_with_two_servers_and_a_file_that_is_read_again_and_again()
    {
        var (here, clock) = await Hourly();
        await using var _ = here;
        await using var second = await HelixServer.Start(new ServerSettings { Listen = new IPEndPoint(IPAddress.Loopback, 0), Runbooks = here.Runbooks, StorePath = here.StorePath, PasswordRounds = 1000 },
            new Helix.Runbooks.Steps.StepCatalog(typeof(Helix.Steps.Targets.Runtime).Assembly), clock, _ => { });
        clock.Pass(TimeSpan.FromSeconds(15));
        await Comes(here, "the run is started", r => r.Count > 0);
        for (var i = 0; i < 5; i++)
        {
            File.SetLastWriteTimeUtc(Path.Combine(here.Runbooks, "schedules.yaml"), DateTime.UnixEpoch.AddDays(i + 1));
            await here.Server.Site.Timetable.Again();
            await second.Site.Timetable.Again();
        }
        await here.Becomes(here.Store.Runs()[^1].Run, RunStatus.Succeeded);
        Assert.Equal(PlannedRun.Id("hourly", new DateTimeOffset(2026, 3, 2, 12, 0, 0, TimeSpan.Zero)), here.Store.Runs().Single().Run);
        Assert.Equal("started", Results(here).Single().Result);
    }

    [Fact]
    public async Task TIM_03_A_run_that_would_overlap_is_left_out_and_that_is_recorded()
    {
        var (here, clock) = await Hourly("overlap: skip", on: false);
        await using var _ = here;
        clock.Pass(TimeSpan.FromSeconds(15));
        await Comes(here, "the first run is started", r => r is [{ Result: "started" }]);
        clock.Pass(TimeSpan.FromHours(1));
        await Comes(here, "the second is skipped", r => r is [_, { Result: "skipped" }]);
        Assert.Contains(Results(here)[0].Run!, Results(here)[1].Detail, StringComparison.Ordinal);
        Assert.Single(here.Store.Runs());
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
    }

    [Fact]
    public async Task TIM_03_A_run_that_would_overlap_waits_where_that_is_asked_for()
    {
        var (here, clock) = await Hourly("overlap: queue", on: false);
        await using var _ = here;
        clock.Pass(TimeSpan.FromSeconds(15));
        await Comes(here, "the first run is started", r => r is [{ Result: "started" }]);
        clock.Pass(TimeSpan.FromHours(1));
        await Comes(here, "the second is queued", r => r is [_, { Result: "queued" }]);
        Assert.Single(here.Store.Runs());
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        await Comes(here, "the second is started", r => r is [_, { Result: "started" }]);
        await here.Becomes(Results(here)[1].Run!, RunStatus.Succeeded);
    }

    [Theory]
    [InlineData("missed: run-once", "started")]
    [InlineData("missed: skip", "missed")]
    public async Task Times_at_which_no_server_was_there_are_caught_up_once_or_left_out(string policy, string result)
    {
        var (here, clock) = await Hourly("overlap: skip\n    " + policy);
        await using var _ = here;
        await here.Stop();
        clock.Pass(TimeSpan.FromHours(5) + TimeSpan.FromMinutes(10));
        await here.Start();
        await Comes(here, "the missed times are dealt with", r => r.Count > 1 && r[^1].Result == result);
        Assert.Equal(result == "started" ? 1 : 0, here.Store.Runs().Count);
        Assert.Contains(Results(here), r => r.Result == "missed");
        Assert.Equal(new DateTimeOffset(2026, 3, 2, 17, 0, 0, TimeSpan.Zero), Results(here)[^1].Planned);
    }

    [Fact]
    public async Task A_schedule_is_paused_and_fired_from_its_page()
    {
        var (here, clock) = await Hourly();
        await using var _ = here;
        using var alice = await here.LogIn("alice", Role.Operator);
        using var carol = await here.LogIn("carol", Role.Viewer);
        Assert.Equal(HttpStatusCode.Forbidden, (await carol.Post("/schedules/hourly/pause")).Status);
        await alice.Post("/schedules/hourly/pause");
        clock.Pass(TimeSpan.FromSeconds(15));
        await Comes(here, "the time passes", r => r is [{ Result: "paused" }]);
        Assert.Empty(here.Store.Runs());
        var fired = await alice.Post("/schedules/hourly/fire");
        await here.Becomes(fired.Run, RunStatus.Succeeded);
        Assert.Equal("alice", here.State(fired.Run).Started.Operator.Account);
        await alice.Post("/schedules/hourly/resume");
        clock.Pass(TimeSpan.FromHours(1));
        await Comes(here, "the next run starts", r => r is [_, { Result: "started" }]);
    }

    [Fact]
    public async Task A_schedule_that_destroys_in_a_protected_environment_is_fired_by_whoever_types_its_name()
    {
        var (here, _) = await Hourly("overlap: skip\n    environment: environments/production.yaml", before: here =>
        {
            here.Write("environments/production.yaml", $"apiVersion: helix.runbooks/v1\nname: production\nprotected: true\ntargets:\n  shelf: {{ kind: directory, path: {here.Folder}/shelf, identity: {{ place: \"{here.Folder}/shelf\" }} }}\npeople:\n  groups: {{ dba: [bob] }}\n");
            here.Runbook("slow", """
                steps:
                  - { id: go, uses: approval, with: { message: "Remove the notes?", approvers: [group:dba] } }
                  - { id: wipe, uses: file.remove, with: { path: notes, base: . } }
                """);
        });
        await using var _1 = here;
        using var alice = await here.LogIn("alice", Role.Operator);
        Assert.Contains("name=\"confirm\" required", (await alice.Get("/schedules")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await alice.Post("/schedules/hourly/fire", ("confirm", "here"))).Status);
        var run = (await alice.Post("/schedules/hourly/fire", ("confirm", "production"))).Run;
        Assert.Equal("alice", here.State(run).Started.Operator.Account);
        Assert.Equal("production", here.State(run).Confirmed.Single().Environment);
    }

    [Fact]
    public async Task The_page_shows_the_next_ten_times_in_the_zone_of_the_schedule_and_in_UTC()
    {
        var (here, _) = await Hourly("overlap: skip\n    timeZone: Asia/Kolkata");
        await using var _1 = here;
        using var alice = await here.LogIn("alice", Role.Viewer);
        var page = WebUtility.HtmlDecode((await alice.Get("/schedules")).Text);
        Assert.Contains("Mon 2026-03-02 18:00 +05:30 Asia/Kolkata", page, StringComparison.Ordinal);
        Assert.Contains("2026-03-02 12:30Z", page, StringComparison.Ordinal);
        Assert.Equal(10, page.Split("data-head=\"UTC\"").Length - 1);
        Assert.DoesNotContain("Run now", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_that_are_too_old_raise_an_alarm_once_and_a_success_ends_it()
    {
        var (here, clock) = await Hourly("overlap: skip\n    freshFor: 90m");
        await using var _ = here;
        here.Accounts.SetPaused("hourly", true);
        clock.Pass(TimeSpan.FromHours(2));
        using var alice = await here.LogIn("alice", Role.Operator);
        await Eventually.True(() => here.Said.Any(s => s.StartsWith("OVERDUE", StringComparison.Ordinal)), "the alarm is raised");
        Assert.Contains("Overdue", (await alice.Get("/schedules")).Text, StringComparison.Ordinal);
        Assert.Contains(here.Accounts.Audited(10), l => l is { What: "schedule hourly", Result: "overdue" });
        await here.Becomes((await alice.Post("/schedules/hourly/fire")).Run, RunStatus.Succeeded);
        Assert.DoesNotContain("Overdue", (await alice.Get("/schedules")).Text, StringComparison.Ordinal);
        Assert.Single(here.Said, s => s.StartsWith("OVERDUE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_good_backup_in_time_by_the_manifests_is_an_alarm_and_a_new_one_ends_it()
    {
        var clock = Noon();
        await using var here = new ServerHere { Time = clock };
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "data"), "something");
        Directory.CreateDirectory(Path.Combine(here.Folder, "shelf"));
        here.Runbook("slow", """
            steps:
              - id: keep
                uses: backup.upload
                with: { target: shelf, file: FOLDER/data, prefix: a/, kind: files, recoveryPoint: "{{ run.startedAt }}" }
            """);
        Plan(here, "overlap: skip\n    freshFor: 90m");
        await here.Start();
        await Eventually.True(() => here.Accounts.WatchedSince("hourly") is not null, "the schedule is read");
        clock.Pass(TimeSpan.FromSeconds(15));
        await Comes(here, "the run is started", r => r is [{ Result: "started" }]);
        await here.Becomes(Results(here)[0].Run!, RunStatus.Succeeded);
        here.Accounts.SetPaused("hourly", true);
        clock.Pass(TimeSpan.FromMinutes(80));
        using (var alice = await here.LogIn("alice", Role.Viewer))
            Assert.DoesNotContain("Overdue", (await alice.Get("/schedules")).Text, StringComparison.Ordinal);
        clock.Pass(TimeSpan.FromMinutes(30));
        await Eventually.True(() => here.Said.Any(s => s.StartsWith("OVERDUE: hourly: The newest good backup below a/ in shelf is of 2026-03-02 12:00", StringComparison.Ordinal)), "the alarm is raised");
        using var bob = await here.LogIn("bob", Role.Operator);
        Assert.Contains("The newest good backup below a/", (await bob.Get("/schedules")).Text, StringComparison.Ordinal);
        await here.Becomes((await bob.Post("/schedules/hourly/fire")).Run, RunStatus.Succeeded);
        clock.Pass(TimeSpan.FromSeconds(40));
        await Eventually.True(async () => !(await bob.Get("/schedules")).Text.Contains("Overdue", StringComparison.Ordinal), "the alarm ends");
    }

    [Theory]
    [InlineData("hold", "held", "started")]
    [InlineData("skip", "skipped", "skipped")]
    public async Task In_a_freeze_nothing_starts_by_itself_and_after_it_once_or_not(string then, string within, string after)
    {
        var (here, clock) = await Hourly($"overlap: skip\nfreezes:\n  close: {{ from: 2026-03-02T11:00:00Z, until: 2026-03-02T14:30:00Z, reason: the books are closed, then: {then} }}");
        await using var _ = here;
        using var alice = await here.LogIn("alice", Role.Operator);
        var page = (await alice.Get("/schedules")).Text;
        Assert.Contains("Frozen until 2026-03-02 14:30:00Z", page, StringComparison.Ordinal);
        Assert.Contains("the books are closed", page, StringComparison.Ordinal);
        clock.Pass(TimeSpan.FromSeconds(15));
        await Comes(here, "the first is kept back", r => r is [{ Result: var result }] && result == within);
        clock.Pass(TimeSpan.FromHours(1));
        await Comes(here, "the second too", r => r is [_, { Result: var result }] && result == within);
        Assert.Empty(here.Store.Runs());
        clock.Pass(TimeSpan.FromMinutes(91));
        await Comes(here, "the freeze is over", r => r[^1].Result == after || r.Count > 2);
        Assert.Equal(then == "hold" ? 1 : 0, here.Store.Runs().Count);
        Assert.DoesNotContain(Results(here), r => r.Result == "held");
    }

    [Fact]
    public async Task A_run_on_change_starts_when_a_file_is_another_one_than_at_the_last_success_also_after_a_restart()
    {
        var clock = Noon();
        await using var here = new ServerHere { Time = clock };
        here.Runbook("slow", Books.Slow);
        here.Write("etc/deep/app.conf", "one");
        await File.WriteAllTextAsync(Path.Combine(here.Folder, "on"), "");
        Plan(here, "onChange: [etc/**/*.conf]\n    freshFor: 2h");
        await here.Start();
        await Eventually.True(() => here.Accounts.WatchedSince("hourly") is not null, "the schedule is read");
        clock.Pass(TimeSpan.FromSeconds(15));
        await Comes(here, "the first time is a change", r => r is [{ Result: "started" }]);
        await here.Becomes(Results(here)[0].Run!, RunStatus.Succeeded);
        for (var hour = 0; hour < 3; hour++)
        {
            clock.Pass(TimeSpan.FromHours(1));
            await Comes(here, "nothing has changed", r => r is [_, { Result: "unchanged" }] && r[1].Planned.Hour == 13 + hour);
        }
        Assert.DoesNotContain(here.Said, s => s.StartsWith("OVERDUE", StringComparison.Ordinal));
        await here.Stop();
        here.Write("etc/deep/app.conf", "two");
        clock.Pass(TimeSpan.FromHours(1));
        await here.Start();
        await Comes(here, "the change is seen after the restart", r => r[^1] is { Result: "started", Planned.Hour: 16 });
        await here.Becomes(Results(here)[^1].Run!, RunStatus.Succeeded);
        Assert.Equal(2, here.Store.Runs().Count);
    }

    [Fact]
    public async Task A_start_comes_later_by_its_jitter_and_on_every_server_by_the_same()
    {
        var (here, clock) = await Hourly("jitter: 30m");
        await using var _ = here;
        var schedule = here.Server.Site.Timetable.Find("hourly")!;
        var noon = new DateTimeOffset(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
        var starts = Enumerable.Range(0, 200).Select(h => schedule.StartOf(noon.AddHours(h)) - noon.AddHours(h)).ToList();
        Assert.All(starts, s => Assert.InRange(s, TimeSpan.Zero, TimeSpan.FromMinutes(30)));
        Assert.InRange(starts.Distinct().Count(), 150, 200);
        clock.Pass(TimeSpan.FromSeconds(5) + starts[0]);
        await here.Server.Site.Timetable.Again();
        Assert.Empty(here.Store.Runs());
        clock.Pass(TimeSpan.FromSeconds(10));
        await Comes(here, "it starts", r => r is [{ Result: "started" }]);
        Assert.Equal(noon, Results(here)[0].Planned);
        Assert.Equal(PlannedRun.Id("hourly", noon), Results(here)[0].Run);
    }

    [Fact]
    public async Task A_planned_time_that_comes_while_the_store_is_away_starts_its_run_when_the_store_is_back()
    {
        var (here, clock) = await Hourly(store: postgres.Store());
        await using var _ = here;
        using var database = StorePlace.Beside(here.StoreName, "");
        // What a sequence gave is not taken back with the rest.
        database.Run("CREATE SEQUENCE tries");
        database.Run("CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM nextval(''tries''); RAISE EXCEPTION ''it rests'' USING ERRCODE = ''57P03''; END'");
        database.Run("CREATE TRIGGER away BEFORE INSERT ON planned FOR EACH ROW EXECUTE FUNCTION away()");
        clock.Pass(TimeSpan.FromSeconds(15));
        // Two by the alarm and the look at the clock; more only when it goes on trying.
        await Eventually.True(() => database.Number("SELECT last_value FROM tries") > 2, "it is tried again and again");
        await Eventually.True(() => here.Said.Any(s => s.StartsWith("Schedules: ", StringComparison.Ordinal) && s.Contains("it rests", StringComparison.Ordinal)), "it is said");
        database.Run("DROP TRIGGER away ON planned");
        await Comes(here, "the run is started", r => r is [{ Result: "started" }]);
        await here.Becomes(Results(here)[0].Run!, RunStatus.Succeeded);
    }

    [Fact]
    public async Task A_schedule_that_meets_a_mistake_says_it_once_keeps_no_other_from_its_time_and_goes_on_when_it_is_mended()
    {
        var (here, clock) = await Hourly("overlap: skip\n  another:\n    runbook: other.yaml\n    cron: \"0 * * * *\"\n    dst: shift", before: h => h.Runbook("other", Books.Slow));
        await using var _ = here;
        await Eventually.True(() => here.Accounts.WatchedSince("another") is not null, "the other schedule is read");
        using var database = StorePlace.Beside(here.Server.Site.Settings.AccountsPath, "");
        database.Run("CREATE TRIGGER faulty BEFORE INSERT ON planned WHEN new.schedule = 'hourly' BEGIN SELECT RAISE(FAIL, 'a mistake'); END");
        clock.Pass(TimeSpan.FromSeconds(15));
        await Eventually.True(() => here.Accounts.LastOf("another", "started") is not null, "the other is started");
        clock.Pass(TimeSpan.FromHours(1));
        await Eventually.True(() => here.Accounts.StartedOf("another", 10).Count == 2, "the other is started again");
        Assert.Empty(Results(here));
        Assert.Single(here.Said, s => s.StartsWith("The schedule hourly could not be looked at", StringComparison.Ordinal));
        database.Run("DROP TRIGGER faulty");
        await Comes(here, "it is started", r => r.Any(p => p.Result == "started"));
    }

    [Fact]
    public async Task A_file_with_an_error_starts_nothing_and_says_so()
    {
        var (here, clock) = await Hourly();
        await using var _ = here;
        using var alice = await here.LogIn("alice", Role.Viewer);
        Plan(here, "overlap: whatever");
        await here.Server.Site.Timetable.Again();
        Assert.Contains("nothing starts by itself", (await alice.Get("/schedules")).Text, StringComparison.Ordinal);
        clock.Pass(TimeSpan.FromSeconds(15));
        Plan(here, "overlap: skip");
        await here.Server.Site.Timetable.Again();
        await Comes(here, "it starts when the file is mended", r => r is [{ Result: "started" }]);
    }
}
