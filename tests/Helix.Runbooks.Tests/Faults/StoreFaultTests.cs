using System.Diagnostics;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Runs;
using Microsoft.Data.Sqlite;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>The disk of the store is full, read-only, gone or locked while a run goes on.</summary>
public sealed class StoreFaultTests : IDisposable
{
    const string Body = """
        steps:
          - { id: one, uses: world.write, with: { world: WORLD, line: one } }
          - { id: hold, uses: world.child, with: { world: WORLD, line: hold, script: "cd $(dirname WORLD); while [ -d $PWD -a ! -e go ]; do sleep 0.05; done" } }
          - { id: two, uses: world.write, with: { world: WORLD, line: two } }
          - { id: three, uses: world.write, with: { world: WORLD, line: three } }
        """;

    readonly string _disk = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"helix-disk-{Guid.NewGuid():N}")).FullName;
    readonly Scene _scene = new(Body);
    bool _mounted;

    string StoreFile => Path.Combine(_disk, "helix.db");
    string Second => Path.Combine(_scene.Folder, "second.db");

    [Fact]
    public async Task A_full_disk_parks_the_run_before_its_next_effect_and_it_goes_on_when_there_is_room()
    {
        Mount();
        using var driver = Start();
        await Held();
        var filler = Fill();
        _scene.Write("go", "");
        var (exit, said, _) = await driver.End();
        Assert.Equal(ExitCodes.Failed, exit);
        Assert.Contains("StoreLost", said);
        Assert.Contains("the disk is full", said);
        Assert.Equal(["one", "hold"], _scene.Lines);

        File.Delete(filler);
        await GoesOnIn(StoreFile);
    }

    [Fact]
    public async Task A_full_disk_lets_the_run_go_on_in_a_second_store()
    {
        Mount();
        using var driver = Start($"second={Second}");
        await Held();
        var filler = Fill();
        _scene.Write("go", "");
        var (exit, said, errors) = await driver.End();
        Assert.True(exit == 0 && said.Contains("Ended"), said + errors);
        WholeIn(Second);
        File.Delete(filler);
        await RefusedIn(StoreFile, Second);
    }

    [Fact]
    public async Task A_store_that_comes_back_says_where_its_run_went()
    {
        using var store = JournalStore.Open(StoreFile, TimeProvider.System);
        var engine = new Engine(RunHarness.Catalog, store, TimeProvider.System, new EngineSettings { DataFolder = _scene.Folder });
        using var h = new RunHarness();
        var run = engine.Start(h.Plan(Body.Replace("WORLD", _scene.Folder)), new StartRequest { Operator = RunHarness.Alice, Trigger = "unattended", Attended = false });
        store.Append(run, RunHarness.Alice, _ => [new RunMoved(Second)]);
        var refused = await Assert.ThrowsAsync<HeldException>(() => engine.Drive(run, new DriveSettings()));
        Assert.Contains($"went on in the store {Second}", refused.Message);
        Assert.Contains($"--store {Second}", refused.Hint);
        Assert.Empty(_scene.Lines);
    }

    /// <summary>Driving the shorter record would do twice what was done since.</summary>
    async Task RefusedIn(string first, string second)
    {
        using var store = JournalStore.Open(first, TimeProvider.System);
        var engine = new Engine(RunHarness.Catalog, store, TimeProvider.System, new EngineSettings { DataFolder = _scene.Folder, SecondStore = second });
        var refused = await Assert.ThrowsAsync<HeldException>(() => engine.Drive(Assert.Single(store.Runs()).Run, new DriveSettings()));
        Assert.Contains(second, refused.Message);
        Assert.Equal(["one", "hold", "two", "three"], _scene.Lines);
    }

    [Fact]
    public async Task A_store_that_is_removed_lets_the_run_go_on_in_a_second_store()
    {
        using var driver = Start($"second={Second}");
        await Held();
        TempFolder.Delete(_disk);
        _scene.Write("go", "");
        var (exit, said, errors) = await driver.End();
        Directory.CreateDirectory(_disk);
        Assert.True(exit == 0 && said.Contains("Ended"), said + errors);
        WholeIn(Second);
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_at_the_start_changes_nothing()
    {
        Mount();
        using (var driver = Start())
        {
            await Held();
            driver.Kill();
            await driver.End();
        }
        Assert.True(Call("mount", "-o", "remount,ro", _disk));
        using var second = new DriverProcess(null, $"store={StoreFile}", $"data={_scene.Folder}", $"book={_scene.Book}", $"env={_scene.Environment}");
        var (exit, _, words) = await second.End();
        Assert.Equal(ExitCodes.Failed, exit);
        Assert.Contains("read-only", words);
        Assert.Equal(["one"], _scene.Lines);

        Assert.True(Call("mount", "-o", "remount,rw", _disk));
        _scene.Write("go", "");
        await GoesOnIn(StoreFile);
    }

    [Fact]
    public async Task A_store_that_another_process_locks_for_seconds_is_waited_for()
    {
        using var driver = Start();
        await Held();
        using (Lock())
        {
            _scene.Write("go", "");
            await Eventually.True(() => _scene.Lines.Contains("hold"), "the step has ended");
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.False(driver.HasExited);
            Assert.Equal(["one", "hold"], _scene.Lines);
        }
        Assert.Equal(0, (await driver.End()).ExitCode);
        WholeIn(StoreFile);
    }

    [Fact]
    public async Task A_store_that_stays_locked_parks_the_run_before_its_next_effect()
    {
        using var store = JournalStore.Open(StoreFile, TimeProvider.System, new StoreSettings { Busy = TimeSpan.FromMilliseconds(300) });
        var engine = new Engine(RunHarness.Catalog, store, TimeProvider.System, new EngineSettings { DataFolder = _scene.Folder, Look = TimeSpan.FromMilliseconds(10) });
        var driving = Task.Run(() => engine.Drive(engine.Start(Plan(), Request), new DriveSettings()));
        await Held();
        using (Lock())
        {
            _scene.Write("go", "");
            Assert.Equal(DriveEnd.StoreLost, (await driving).End);
            Assert.Equal(["one", "hold"], _scene.Lines);
        }
        await GoesOnIn(StoreFile);
    }

    static readonly StartRequest Request = new() { Operator = RunHarness.Alice, Trigger = "unattended", Attended = false };

    Plans.Plan Plan()
    {
        var env = new Model.EnvironmentReader(RunHarness.Catalog).ReadFile(_scene.Environment).Value!;
        return new Plans.Planner(RunHarness.Catalog).Plan(new Model.RunbookReader(RunHarness.Catalog).ReadFile(_scene.Book, env).Value!, env, [], Plans.Mode.Live);
    }

    DriverProcess Start(params IEnumerable<string> more) =>
        new(null, [$"store={StoreFile}", $"data={_scene.Folder}", $"book={_scene.Book}", $"env={_scene.Environment}", .. more]);

    Task Held() => Eventually.True(() => Directory.Exists(Path.Combine(_scene.Folder, "runs")) && Directory.EnumerateFiles(Path.Combine(_scene.Folder, "runs"), "hold.*", SearchOption.AllDirectories).Any(), "the second step runs");

    async Task GoesOnIn(string file)
    {
        using var store = JournalStore.Open(file, TimeProvider.System);
        var engine = new Engine(RunHarness.Catalog, store, TimeProvider.System, new EngineSettings { DataFolder = _scene.Folder });
        Assert.Equal(0, (await engine.Drive(store.Runs().Single().Run, new DriveSettings())).ExitCode);
        store.Dispose();
        WholeIn(file);
    }

    void WholeIn(string file)
    {
        using var store = JournalStore.Open(file, TimeProvider.System);
        var run = store.Runs().Single();
        Assert.Equal("succeeded", run.Status);
        Assert.Empty(store.Verify(run.Run));
        Assert.Empty(store.VerifyRegister());
        Assert.Empty(store.Locks());
        Assert.Equal(["one", "hold", "two", "three"], _scene.Lines);
    }

    SqliteConnection Lock()
    {
        var other = new SqliteConnection($"Data Source={StoreFile};Pooling=False");
        other.Open();
        using var begin = other.CreateCommand();
        begin.CommandText = "BEGIN IMMEDIATE";
        begin.ExecuteNonQuery();
        return other;
    }

    /// <returns>The file that takes all room.</returns>
    string Fill()
    {
        var filler = Path.Combine(_disk, "filler");
        using var file = File.Create(filler);
        var block = new byte[4096];
        try
        {
            while (true)
            {
                file.Write(block);
                file.Flush();
            }
        }
        catch (IOException)
        {
            return filler;
        }
    }

    void Mount()
    {
        _mounted = Call("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", _disk);
        if (!_mounted)
            Assert.Skip("This machine lets nobody mount a tmpfs: a store on a full or read-only disk was not tried.");
    }

    static bool Call(string file, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    public void Dispose()
    {
        if (_mounted)
            Call("umount", "-l", _disk);
        TempFolder.Delete(_disk);
        _scene.Dispose();
    }
}
