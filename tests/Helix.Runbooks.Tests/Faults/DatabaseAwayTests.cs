using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Tests.Postgres;
using Helix.Runbooks.Tests.Journal;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>A PostgreSQL server that crashes, restarts and stays away while it is written to.</summary>
public sealed class DatabaseAwayTests : IDisposable
{
    readonly PostgresServer _server = new();

    [Fact]
    public async Task A_run_waits_for_its_database_and_goes_on_and_one_that_waited_too_long_has_stopped_what_it_had_started()
    {
        using var scene = new Scene("""
            steps:
              - { id: first, uses: world.child, with: { world: WORLD, line: first, script: "cd $(dirname WORLD); touch began; until test -e go -o ! -d $PWD; do sleep 0.05; done" } }
              - { id: second, uses: world.write, with: { world: WORLD, line: second } }
              - { id: third, uses: world.child, with: { world: WORLD, line: third, script: "cd $(dirname WORLD); test -e again || { touch third; sleep 60; }" } }
            """)
        { Store = _server.Store() };
        using var session = scene.Open(settings: Settings(scene, Hang.Limit));
        using var interrupt = new CancellationTokenSource();
        var run = session.Start();
        var driving = session.Engine.Drive(run, new DriveSettings { Interrupt = interrupt.Token });
        await Seen(scene, "began");

        _server.Stop("immediate");
        scene.Write("go", "");
        await Eventually.True(() => scene.Lines.Contains("first"), "the step comes to its end");
        await Task.Delay(TimeSpan.FromSeconds(0.7), TimeProvider.System);
        Assert.Equal(["first"], scene.Lines); // nothing was begun that the journal does not know of
        _server.Start();
        await Seen(scene, "third");
        Assert.Equal(["first", "second"], scene.Lines);
        await interrupt.CancelAsync();
        Assert.Equal(DriveEnd.Interrupted, (await driving).End);

        // The next driver waits for seconds, not for minutes.
        File.Delete(Path.Combine(scene.Folder, "third"));
        using var hasty = scene.Open(settings: Settings(scene, TimeSpan.FromSeconds(30)));
        driving = hasty.Engine.Drive(run, new DriveSettings());
        await Seen(scene, "third");
        _server.Stop();
        var result = await driving;
        Assert.Equal(DriveEnd.LeaseLost, result.End);
        Assert.Contains("out of reach", result.Why, StringComparison.Ordinal);
        await Eventually.True(() => !System.Diagnostics.Process.GetProcessesByName("sleep").Any(p => Environment(p.Id).Contains(scene.Folder, StringComparison.Ordinal)), "its child is ended");

        _server.Start();
        scene.Write("again", "");
        Assert.Equal(0, (await session.Engine.Drive(run, new DriveSettings { StoodStill = session.Store.ReadLease(run) })).ExitCode);
        Assert.Equal(["first", "second", "third"], scene.Lines);
        Assert.Empty(Ending.Of(scene, session).Faults);
    }

    [Fact]
    public void What_a_restart_cuts_off_is_lost_for_now_and_the_store_comes_back_by_itself()
    {
        using var store = JournalStore.Open(_server.Store(), TimeProvider.System);
        var lease = store.Create("r1", Started(), DriverOf(1));
        store.Log("r1", [new LogLine(0, StoreFixture.Start, "a", 1, "stdout", "x")]);
        var version = store.DataVersion();
        _server.Stop();
        Assert.True(Assert.Throws<StoreLostException>(() => store.Append(lease, StepStarted("a"))).MayComeBack);
        Assert.Contains("does not answer", Assert.Throws<StoreLostException>(() => store.Read("r1")).Message, StringComparison.Ordinal);
        _server.Start();
        store.Append(lease, StepStarted("a"));
        Assert.True(store.Beat(lease));
        Assert.NotEqual(version, store.DataVersion());
        Assert.Empty(store.Verify("r1"));

        // A crash closes no connection in order; whoever asks next does not notice.
        _server.Stop("immediate");
        _server.Start();
        Assert.Equal(3, store.Read("r1").Count);
        store.Append(lease, StepSucceeded("a"));
        Assert.Single(store.Logs("r1"));
        Assert.Empty(store.Verify("r1"));
    }

    static EngineSettings Settings(Scene scene, TimeSpan leaseExpires) =>
        new() { DataFolder = scene.Folder, Look = TimeSpan.FromMilliseconds(10), Heartbeat = TimeSpan.FromMilliseconds(400), LeaseExpires = leaseExpires };

    static Task Seen(Scene scene, string file) => Eventually.True(() => File.Exists(Path.Combine(scene.Folder, file)), $"{file} is there");

    static string Environment(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/cwd").LinkTarget ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }

    public void Dispose() => _server.Dispose();
}
