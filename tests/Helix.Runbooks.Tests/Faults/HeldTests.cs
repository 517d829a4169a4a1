using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Tests.Runs;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>Two runs want the same target.</summary>
public sealed class HeldTests
{
    const string Waiting = """
        steps:
          - { id: one, uses: world.write, with: { world: WORLD, line: one, target: thing } }
          - { id: go, uses: approval, with: { message: "Go?", approvers: ["group:dba"] } }
          - { id: two, uses: world.write, with: { world: WORLD, line: two, target: thing } }
        """;

    [Fact]
    public async Task A_second_run_is_told_who_holds_the_target_and_runs_when_it_is_free()
    {
        using var scene = new Scene(Waiting);
        using var first = scene.Start(null, "stay=yes");
        using var session = scene.Open();
        await Eventually.True(() => session.Run is not null && session.State.OpenQuestions.Any(), "the first waits");
        var run = session.Run!;

        using (var second = scene.Start())
        {
            var (exit, _, words) = await second.End();
            Assert.Equal(ExitCodes.Held, exit);
            Assert.Contains($"Target thing is held by run {run} of 'book' (started by alice", words);
        }
        Assert.Single(session.Store.Runs());
        session.Answer();
        Assert.Equal(0, (await first.End()).ExitCode);

        using var third = scene.Start(null, "stay=yes");
        await Eventually.True(() => session.Run != run && session.State.OpenQuestions.Any(), "the third waits");
        session.Answer();
        Assert.Equal(0, (await third.End()).ExitCode);
        Assert.Equal(["one", "two", "one", "two"], scene.Lines);
        Assert.Empty(session.Store.Locks());
    }

    [Fact]
    public async Task Of_two_that_start_at_the_same_time_one_gets_the_target()
    {
        using var scene = new Scene(Waiting);
        using var a = scene.Start();
        using var b = scene.Start();
        var ends = new[] { (await a.End()).ExitCode, (await b.End()).ExitCode };
        Assert.Equal([ExitCodes.Waiting, ExitCodes.Held], ends.Order());
        Assert.Equal(["one"], scene.Lines);
    }

    [Fact]
    public async Task Of_two_that_go_on_with_the_same_run_one_drives_it()
    {
        using var scene = new Scene(Waiting);
        using (var driver = scene.Start("point:intent:one:1"))
            await driver.End();
        using var session = scene.Open();
        using var a = scene.Resume(session.Run!, null, "stay=yes", "beat=50", "expires=60000");
        using var b = scene.Resume(session.Run!, null, "stay=yes", "beat=50", "expires=60000");
        await Eventually.True(() => (a.HasExited || b.HasExited) && session.State.OpenQuestions.Any(), "one is refused, the other waits");
        session.Answer();
        Assert.Equal([0, ExitCodes.Held], new[] { (await a.End()).ExitCode, (await b.End()).ExitCode }.Order());
        Assert.Equal(["one", "two"], scene.Lines);
        Assert.Empty(Ending.Of(scene, session).Faults);
    }

    [Fact]
    public async Task WFE_01_a_run_whose_driver_died_is_shown_as_suspended_and_its_lock_can_be_broken()
    {
        using var scene = new Scene(Waiting);
        using (var driver = scene.Start("point:effect:one:1"))
            Assert.Equal(DriverProcess.Killed, (await driver.End()).ExitCode);
        using var session = scene.Open();
        var dead = session.Run!;
        var shown = session.Store.Runs().Single();
        Assert.Equal(("suspended", true), (shown.Status, shown.DriverGone));

        using (var second = scene.Start())
        {
            var (exit, _, words) = await second.End();
            Assert.Equal(ExitCodes.Held, exit);
            Assert.Contains($"held by run {dead}", words);
            Assert.Matches("since .* UTC; its driver .* is gone", words);
            Assert.Contains("locks break", words);
        }
        session.Store.BreakLock(session.Store.Locks().Single().Identity, RunHarness.Bob, "that run is given up");
        using var third = scene.Start();
        Assert.Equal(ExitCodes.Waiting, (await third.End()).ExitCode);
        Assert.Contains(session.Engine.State(dead).Remarks, r => r.Kind == "lock broken" && r.Text.Contains("given up"));
        var refused = await Assert.ThrowsAsync<HeldException>(() => session.Engine.Drive(dead, new DriveSettings()));
        Assert.Contains("Target thing is held", refused.Message);
    }

    [Fact]
    public async Task WFE_01_a_run_whose_driver_died_blocks_no_other_target()
    {
        using var scene = new Scene(Waiting);
        using (var driver = scene.Start("point:effect:one:1"))
            await driver.End();
        scene.Write("book.yaml", $"apiVersion: helix.runbooks/v1\nname: book\ntitle: Other\nsteps:\n  - {{ id: one, uses: world.write, with: {{ world: {scene.World}, line: other }} }}\n");
        using var other = scene.Start();
        Assert.Equal(0, (await other.End()).ExitCode);
    }
}
