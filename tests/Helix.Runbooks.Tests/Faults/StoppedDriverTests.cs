using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>A driver is stopped (SIGSTOP) until another has taken its run, and then goes on (SIGCONT).</summary>
public sealed class StoppedDriverTests
{
    const int Sides = 12;

    // Many steps pause at the same time, so that some of them wake up before the heartbeat does. They pause until the test says "go": while nobody drives.
    static readonly string Pausing = "steps:\n  - id: before\n    uses: world.write\n    with: { world: WORLD, line: before }\n  - parallel:\n"
        + string.Concat(Enumerable.Range(0, Sides).Select(i => $"      - - {{ id: s{i}, uses: world.write, with: {{ world: WORLD, line: s{i}, until: WORLD.go }} }}\n"));

    static readonly string[] Short = ["beat=100", "expires=600"];

    static EngineSettings Hasty(Scene scene) => new() { DataFolder = scene.Folder, Look = TimeSpan.FromMilliseconds(10), LeaseExpires = TimeSpan.FromMilliseconds(600) };

    [Fact]
    public async Task A_driver_that_stood_still_does_nothing_more_when_it_goes_on()
    {
        using var scene = new Scene(Pausing);
        using var session = scene.Open(settings: Hasty(scene));
        using var old = scene.Start(null, Short);
        await Eventually.True(() => session.Run is not null && session.State.Steps.Values.Count(s => s.Status == StepStatus.Running) == Sides, "all sides run");
        await old.StopBetweenWrites(scene.StoreFile);
        scene.Write("world.go", "");
        var taking = session.Engine.Drive(session.Run!, new DriveSettings());
        await Eventually.True(() => taking.IsCompleted || session.State.Steps.Values.Any(s => s.Path != "before" && s.Status == StepStatus.Succeeded), "the other's pauses are over, so those of the old one are too");
        Assert.Equal(2, session.State.Epoch);
        old.Continue();

        var (exit, said, _) = await old.End();
        Assert.Equal(ExitCodes.Held, exit);
        Assert.Contains("LeaseLost", said);
        Assert.Equal(0, (await taking).ExitCode);
        Assert.Equal(["before", .. Enumerable.Range(0, Sides).Select(i => $"s{i}").Order(StringComparer.Ordinal)], scene.Lines.Order(StringComparer.Ordinal));
        Assert.Empty(Ending.Of(scene, session).Faults);
    }

    [Fact]
    public async Task What_it_had_started_is_ended_by_who_takes_the_run()
    {
        using var scene = new Scene(Child);
        using var session = scene.Open(settings: Hasty(scene));
        using var old = scene.Start(null, Short);
        var child = await ChildOf(scene);
        await old.StopBetweenWrites(scene.StoreFile);
        scene.Write("go", "");
        var result = await session.Engine.Drive(session.Run!, new DriveSettings());
        Assert.Equal(0, result.ExitCode);
        Assert.False(child.GroupIsAlive);
        Assert.Equal(["child"], scene.Lines);
        old.Continue();
        Assert.Equal(ExitCodes.Held, (await old.End()).ExitCode);
        Assert.Equal(["child"], scene.Lines);
        Assert.Empty(Ending.Of(scene, session).Faults);
    }

    [Fact]
    public async Task What_the_taker_could_not_see_is_ended_by_the_old_driver_itself()
    {
        using var scene = new Scene(Child);
        using var session = scene.Open(settings: Hasty(scene));
        using var old = scene.Start(null, Short);
        var child = await ChildOf(scene);
        await old.StopBetweenWrites(scene.StoreFile);
        // As on another host, where its pids mean nothing.
        File.Delete(child.PidFile);
        scene.Write("go", "");
        Assert.Equal(0, (await session.Engine.Drive(session.Run!, new DriveSettings())).ExitCode);
        Assert.True(child.IsAlive);
        old.Continue();
        Assert.Equal(ExitCodes.Held, (await old.End()).ExitCode);
        await Eventually.True(() => !child.GroupIsAlive, "its child is ended");
        Assert.Equal(["child"], scene.Lines);
    }

    [Fact]
    public async Task A_driver_that_is_alive_keeps_its_run()
    {
        using var scene = new Scene(Child);
        // So long a driver that is alive may come to no beat.
        using var session = scene.Open(settings: Hasty(scene) with { LeaseExpires = TimeSpan.FromMinutes(1) });
        using var old = scene.Start(null, Short);
        var child = await ChildOf(scene);
        var held = await Assert.ThrowsAsync<HeldException>(() => session.Engine.Drive(session.Run!, new DriveSettings()));
        Assert.Contains($"process {old.Pid}", held.Message);
        Assert.Contains("takeover", held.Hint);
        Assert.Equal(1, session.State.Epoch);

        session.Engine.TakeOver(session.Run!, Runs.RunHarness.Bob, "it must stop");
        scene.Write("go", "");
        Assert.Equal(0, (await session.Engine.Drive(session.Run!, new DriveSettings())).ExitCode);
        Assert.Equal(ExitCodes.Held, (await old.End()).ExitCode);
        Assert.False(child.GroupIsAlive);
        Assert.Equal(["child"], scene.Lines);
        Assert.Contains(session.State.Remarks, r => r is { Kind: "takeover", Text: "it must stop" });
    }

    /// <summary>The first child goes on for minutes; one that is started after "go" was said ends at once.</summary>
    const string Child = """
        steps:
          - { id: child, uses: world.child, with: { world: WORLD, line: child, script: "cd $(dirname WORLD); test -e go || { touch began; sleep 300; }" } }
        """;

    static async Task<LeftOverProcess> ChildOf(Scene scene)
    {
        await Eventually.True(() => File.Exists(Path.Combine(scene.Folder, "began")), "the child runs");
        return Pids(scene).Single();
    }

    static IEnumerable<LeftOverProcess> Pids(Scene scene) =>
        Directory.EnumerateDirectories(Path.Combine(scene.Folder, "runs")).SelectMany(r => LeftOverProcess.Of(Path.Combine(r, "pids"), "child"));
}
