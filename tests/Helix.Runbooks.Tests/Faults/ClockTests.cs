using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Tests.Runs;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>A wall clock that somebody sets, on a machine whose monotonic clock and timers go on.</summary>
sealed class SetClock : TimeProvider
{
    long _ahead;

    public void Set(TimeSpan ahead) => Interlocked.Exchange(ref _ahead, ahead.Ticks);
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _ahead));
}

/// <summary>The clock is set back and forward during a run.</summary>
public sealed class ClockTests
{
    const string Steps = """
        steps:
          - { id: one, uses: world.write, with: { world: WORLD, line: one } }
          - { id: hold, uses: world.child, with: { world: WORLD, line: hold, script: "cd $(dirname WORLD); while [ -d $PWD -a ! -e go ]; do sleep 0.05; done" } }
          - { id: again, uses: world.write, with: { world: WORLD, line: again, failFirst: 2 }, retry: { attempts: 3, delay: 20ms, maxDelay: 1s } }
          - { id: last, uses: world.write, with: { world: WORLD, line: last } }
        """;

    const string Gate = """
        steps:
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"], expiresAfter: 1h, onExpiry: EXPIRY } }
          - { id: one, uses: world.write, with: { world: WORLD, line: one } }
        """;

    [Theory]
    [InlineData(-3)]
    [InlineData(40)]
    public async Task A_clock_that_is_set_reorders_nothing_and_holds_nothing_up(int hours)
    {
        using var scene = new Scene(Steps);
        var clock = new SetClock();
        using var session = scene.Open(clock);
        var driving = session.Engine.Drive(session.Start(), new DriveSettings());
        await Eventually.True(() => session.State.StatusOf("hold") == StepStatus.Running, "a step runs");
        clock.Set(TimeSpan.FromHours(hours));
        scene.Write("go", "");
        var result = await driving.WaitAsync(Hang.Limit, TimeProvider.System);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["one", "hold", "again", "last"], scene.Lines);
        var times = session.Store.Read(session.Run!).Select(e => e.At).ToList();
        Assert.Equal(times.Order(), times);
        Assert.Empty(Ending.Of(scene, session).Faults);
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(40)]
    public async Task A_retry_waits_its_pause_whatever_the_clock_says_meanwhile(int hours)
    {
        using var scene = new Scene("steps:\n  - { id: again, uses: world.write, with: { world: WORLD, line: again, failFirst: 1 }, retry: { attempts: 2, delay: 1s, maxDelay: 1s } }\n");
        var clock = new SetClock();
        using var session = scene.Open(clock);
        var driving = session.Engine.Drive(session.Start(), new DriveSettings());
        await Eventually.True(() => driving.IsCompleted || session.State.StatusOf("again") == StepStatus.Retrying, "it is retried"); // or was, where nobody saw it in its pause
        clock.Set(TimeSpan.FromHours(hours));
        Assert.Equal(0, (await driving.WaitAsync(Hang.Limit, TimeProvider.System)).ExitCode);
    }

    [Fact]
    public async Task A_clock_that_is_set_forward_gives_nobody_the_lease()
    {
        using var scene = new Scene(Steps);
        using var driver = scene.Start(null, "beat=100", "expires=60000");
        using var session = scene.Open();
        await Eventually.True(() => session.Run is not null && session.State.StatusOf("hold") == StepStatus.Running, "a step runs");
        var ahead = new SetClock();
        ahead.Set(TimeSpan.FromDays(3));
        using var other = scene.Open(ahead, new EngineSettings { DataFolder = scene.Folder, LeaseExpires = TimeSpan.FromMinutes(1) });
        await Assert.ThrowsAsync<HeldException>(() => other.Engine.Drive(other.Run!, new DriveSettings()));
        scene.Write("go", "");
        Assert.Equal(0, (await driver.End()).ExitCode);
    }

    [Fact]
    public async Task WFE_05_restarts_do_not_prolong_an_approval_and_a_late_answer_is_refused_and_recorded()
    {
        using var scene = new Scene(Gate.Replace("EXPIRY", "park"));
        var clock = new SetClock();
        using var session = scene.Open(clock);
        Assert.Equal(4, (await session.Engine.Drive(session.Start(), new DriveSettings())).ExitCode);
        var question = session.State.OpenQuestions.Single();

        clock.Set(TimeSpan.FromMinutes(40));
        using (var restarted = scene.Open(clock))
        {
            Assert.Equal(4, (await restarted.Engine.Drive(restarted.Run!, new DriveSettings())).ExitCode);
            Assert.Equal(question.Asked.ExpiresAt, restarted.State.OpenQuestions.Single().Asked.ExpiresAt);
        }
        clock.Set(TimeSpan.FromMinutes(70));
        using var late = scene.Open(clock);
        var answer = new Decided { Question = question.Id, Choice = "approve" };
        var refused = late.Engine.Decide(late.Run!, RunHarness.Bob, answer);
        Assert.False(refused.Accepted);
        Assert.Contains("too late", refused.Message);
        Assert.Contains(late.State.Remarks, r => r.Kind == "refused" && r.By == RunHarness.Bob);

        Assert.Equal(4, (await late.Engine.Drive(late.Run!, new DriveSettings())).ExitCode);
        Assert.Equal(QuestionStatus.Expired, late.State.Questions[question.Id].Status);
        Assert.Empty(scene.Lines);

        // Whoever goes on with the run asks anew; the old question takes no answer.
        Assert.Equal(4, (await late.Engine.Drive(late.Run!, new DriveSettings())).ExitCode);
        Assert.False(late.Engine.Decide(late.Run!, RunHarness.Bob, answer).Accepted);
        var anew = late.State.OpenQuestions.Single();
        Assert.NotEqual(question.Id, anew.Id);
        Assert.True(late.Engine.Decide(late.Run!, RunHarness.Bob, answer with { Question = anew.Id }).Accepted);
        Assert.Equal(0, (await late.Engine.Drive(late.Run!, new DriveSettings())).ExitCode);
        Assert.Empty(Ending.Of(scene, late).Faults);
    }

    [Fact]
    public async Task WFE_05_an_approval_that_expires_while_nobody_drives_is_decided_by_who_looks_first()
    {
        using var scene = new Scene(Gate.Replace("EXPIRY", "reject"));
        var clock = new SetClock();
        using (var session = scene.Open(clock))
            await session.Engine.Drive(session.Start(), new DriveSettings());
        clock.Set(TimeSpan.FromDays(2));
        using var late = scene.Open(clock);
        var result = await late.Engine.Drive(late.Run!, new DriveSettings());
        Assert.Equal((ExitCodes.Cancelled, Outcome.Rejected), (result.ExitCode, result.State.Ended!.Outcome));
        Assert.Empty(scene.Lines);
    }

    [Fact]
    public async Task WFE_05_a_clock_that_is_set_back_does_not_let_an_expired_answer_through()
    {
        using var scene = new Scene(Gate.Replace("EXPIRY", "park"));
        var clock = new SetClock();
        using var session = scene.Open(clock);
        await session.Engine.Drive(session.Start(), new DriveSettings());
        var question = session.State.OpenQuestions.Single();
        clock.Set(TimeSpan.FromMinutes(70));
        await session.Engine.Drive(session.Run!, new DriveSettings());
        clock.Set(TimeSpan.FromMinutes(10));
        Assert.False(session.Engine.Decide(session.Run!, RunHarness.Bob, new Decided { Question = question.Id, Choice = "approve" }).Accepted);
        Assert.Empty(scene.Lines);
    }

    [Fact]
    public async Task The_clocks_of_a_drill_begin_with_the_failure_that_it_brings_about_not_with_the_wait_for_its_approval()
    {
        using var scene = new Scene("""
            objectives: { rto: 1h, failedAt: failure, recoveredAt: back }
            steps:
              - { id: begin, uses: approval, with: { message: "Go?", approvers: ["group:dba"], expiresAfter: 3h } }
              - { id: failure, uses: world.write, with: { world: WORLD, line: failure } }
              - { id: back, uses: world.write, with: { world: WORLD, line: back } }
            """);
        var clock = new SetClock();
        using var session = scene.Open(clock);
        Assert.Equal(4, (await session.Engine.Drive(session.Start(), new DriveSettings())).ExitCode);
        clock.Set(TimeSpan.FromHours(2));
        var waiting = Measured();
        Assert.Equal((TimeSpan.Zero, null, false), (waiting.Elapsed, waiting.BeganAt, waiting.AtRisk));
        session.Engine.Decide(session.Run!, RunHarness.Bob, new Decided { Question = session.State.OpenQuestions.Single().Id, Choice = "approve" });

        Assert.Equal(0, (await session.Engine.Drive(session.Run!, new DriveSettings())).ExitCode);
        Assert.Equal(session.State.Step("failure")!.Attempts[0].Start, Measured().BeganAt);
        Assert.True(session.State.Ended!.Rta < TimeSpan.FromHours(1), $"{session.State.Ended.Rta}");

        Clocks Measured() => Clocks.Of(session.State, session.Engine.PlanOf(session.State), session.Engine.Catalog, clock.GetUtcNow(), _ => TimeSpan.FromMinutes(90));
    }
}
