using System.Diagnostics;
using System.Formats.Tar;
using Helix.Runbooks.Steps;
using Helix.Steps.Redis;

namespace Helix.Runbooks.Tests.Redis;

public sealed class RedisSaveTests
{
    /// <summary>A save that nobody waits for.</summary>
    static readonly TimeSpan Long = Hang.Limit * 2;

    static RedisSaveOptions Options => new() { Target = "redis", To = "work/redis.rdb" };

    [Fact]
    public async Task The_copy_holds_every_key_and_says_for_which_moment_it_stands()
    {
        await using var server = await RedisServer.Start("pass'w\"ord$");
        await server.Fill(10_000);
        using var host = server.Host();
        var before = DateTimeOffset.FromUnixTimeMilliseconds(host.Time.GetUtcNow().ToUnixTimeMilliseconds());

        var saved = await host.Run(new RedisSave(), Options);

        Assert.Equal(Path.Combine(host.Work, "redis.rdb"), saved.File);
        Assert.Equal(new Dictionary<string, long> { ["db0"] = 10_000 }, saved.Counts);
        Assert.InRange(saved.RecoveryPoint, before, host.Time.GetUtcNow());
        Assert.Equal("7.0.15", saved.ServerVersion);
        Assert.EndsWith(server.DataFile, saved.Place);
        Assert.Equal(new FileInfo(saved.File).Length, saved.Size);
        Assert.Equal((await RdbFile.Read(saved.File, default)).Sha256, saved.Sha256);
        Assert.Single(Directory.GetFiles(host.Work));
        Assert.Empty(host.Left);
        host.AssertNoCanary(saved);
    }

    [Fact]
    public async Task RED_01_a_save_that_runs_is_waited_for_and_a_new_one_made()
    {
        await using var server = await RedisServer.Start();
        await server.Fill(1000);
        await server.SlowSaves(Long);
        await server.Send("BGSAVE");
        await server.Send("SET", "after", "the running save began");
        await server.Send("CONFIG", "SET", "rdb-key-save-delay", "0");
        using var host = server.Host();

        var saving = host.Run(new RedisSave(), Options);
        await Eventually.True(() => host.Logged.Any(l => l.Contains("already saving", StringComparison.Ordinal)), "the running save is waited for");
        Assert.False(saving.IsCompleted);
        await EndSave(server, "USR1");

        Assert.Equal(1001, (await saving).Counts["db0"]);
        Assert.Equal("2", await server.Info("rdb_saves"));
    }

    [Fact]
    public async Task RED_01_a_rewrite_of_the_append_only_file_is_waited_for_too()
    {
        await using var server = await RedisServer.Start(null, "appendonly yes");
        await server.Fill(1000);
        await server.SlowSaves(TimeSpan.FromSeconds(2));
        await server.Send("BGREWRITEAOF");
        await server.Send("CONFIG", "SET", "rdb-key-save-delay", "0");
        using var host = server.Host();

        Assert.Equal(1000, (await host.Run(new RedisSave(), Options)).Counts["db0"]);
        Assert.Equal("1", await server.Info("rdb_saves"));
    }

    /// <summary>TIME is exact, the clock that dates the file lags behind: begun right after the turn of a second, a new file bears the second before.</summary>
    [Theory]
    [InlineData(99, 500, false)]
    [InlineData(100, 500, true)]
    [InlineData(99, 0, true)]
    [InlineData(99, 10, true)]
    [InlineData(99, 20, false)]
    public void RED_03_a_save_waits_for_a_second_of_its_own_that_has_come_on_every_clock(long lastSave, int milliseconds, bool tooEarly) =>
        Assert.Equal(tooEarly, Snapshot.IsTooEarly(lastSave, DateTimeOffset.FromUnixTimeSeconds(100), TimeSpan.FromMilliseconds(milliseconds)));

    [Fact, Timed]
    public async Task RED_03_two_saves_within_a_second_end_in_less_than_five()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        // The best of some: what else runs on the machine is no fault of the step.
        var (best, rounds) = (TimeSpan.MaxValue, 0);

        for (; best > TimeSpan.FromSeconds(5) && rounds < 10; rounds++)
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < 3; i++)
                Assert.Empty((await host.Run(new RedisSave(), Options)).Counts);
            best = watch.Elapsed < best ? watch.Elapsed : best;
        }

        Assert.True(best < TimeSpan.FromSeconds(5), $"took {best}");
        Assert.Equal($"{3 * rounds}", await server.Info("rdb_saves"));
    }

    [Fact]
    public async Task RED_04_the_copy_waits_for_a_slow_save_however_long_it_takes()
    {
        await using var server = await RedisServer.Start();
        await server.Fill(100);
        await server.Send("SAVE");
        await server.Fill(400, "new");
        await server.SlowSaves(TimeSpan.FromSeconds(4));
        using var host = server.Host();

        var saved = await host.Run(new RedisSave(), Options);

        Assert.Equal(500, saved.Counts["db0"]);
        Assert.Equal("keys", host.LastProgress?.Unit);
    }

    [Fact]
    public async Task RED_04_a_file_from_before_the_save_is_never_taken_for_the_new_one()
    {
        await using var server = await RedisServer.Start();
        await server.Fill(100);
        await server.Send("SAVE");
        var old = server.DataFile + ".old";
        File.Move(server.DataFile, old);
        using var host = new TestHost();
        // The server may not be asked, and the environment names a wrong file.
        await server.Send("ACL", "SETUSER", "default", "-config");
        host.Add("redis", server.Target() with { DataFile = old });
        await Task.Delay(TimeSpan.FromSeconds(1.1), TimeProvider.System, TestContext.Current.CancellationToken);

        var e = await host.Fails(FailureClass.InvalidData, new RedisSave(), Options);

        Assert.Contains("before this save began", e.Message);
        Assert.Empty(Directory.GetFiles(host.Work));
    }

    [Theory]
    [InlineData("KILL")]
    [InlineData("USR1")] // the server itself ends its child so, and then leaves the status as it was
    public async Task A_killed_save_fails_and_leaves_no_copy(string signal)
    {
        await using var server = await RedisServer.Start();
        await server.Fill(1000);
        await server.SlowSaves(Long);
        using var host = server.Host();

        var save = host.Fails(FailureClass.Transient, new RedisSave(), Options);
        await Eventually.True(async () => await server.Info("rdb_bgsave_in_progress") == "1", "the save runs");
        await EndSave(server, signal);

        Assert.Contains("ended without a new file", (await save).Message);
        Assert.Empty(Directory.GetFiles(host.Work));
    }

    [Fact]
    public async Task RED_11_no_password_fails_and_copies_nothing()
    {
        await using var server = await RedisServer.Start("secret");
        using var host = new TestHost();
        host.Add("redis", server.Target() with { Password = null });

        await host.Fails(FailureClass.Auth, new RedisSave(), Options);

        Assert.Empty(Directory.GetFiles(host.Work));
    }

    [Fact]
    public async Task RED_14_append_only_parts_are_copied_without_a_rewrite_between_them()
    {
        await using var server = await RedisServer.Start(null, "appendonly yes", "auto-aof-rewrite-min-size 1kb");
        await server.Fill(2000);
        await server.SlowSaves(TimeSpan.FromSeconds(2));
        await Eventually.True(async () => (await server.Send("BGREWRITEAOF")).Length > 0, "a rewrite of our own begins, after those that the server begins by itself");
        await server.Fill(500, "during");
        using var host = server.Host();

        var saved = await host.Run(new RedisSave(), Options with { To = "work/aof.tar", Include = RedisContents.Aof });

        Assert.Equal("100", await server.Setting("auto-aof-rewrite-percentage"));
        Assert.Empty(host.Left);
        Assert.NotEmpty(host.EverLeft);
        Assert.Equal(2500, saved.Counts["db0"]);
        Assert.Equal(2500, await CountIn(saved.File));
    }

    [Fact]
    public async Task RED_14_rewriting_is_let_again_when_the_copy_is_cancelled()
    {
        await using var server = await RedisServer.Start(null, "appendonly yes");
        await server.Fill(1000);
        await server.SlowSaves(Long);
        await server.Send("BGREWRITEAOF");
        using var host = server.Host();

        var save = host.Run(new RedisSave(), Options with { To = "work/aof.tar", Include = RedisContents.Aof });
        await Eventually.True(async () => await server.Setting("auto-aof-rewrite-percentage") == "0", "rewriting is held");
        host.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => save);

        Assert.Equal("100", await server.Setting("auto-aof-rewrite-percentage"));
        Assert.Empty(host.Left);
    }

    [Fact]
    public async Task A_server_without_append_only_file_says_so()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();

        var e = await host.Fails(FailureClass.Conflict, new RedisSave(), Options with { Include = RedisContents.Aof });

        Assert.Contains("keeps no append-only file", e.Message);
    }

    [Fact]
    public async Task A_replica_that_has_lost_its_primary_is_not_saved()
    {
        await using var server = await RedisServer.Start();
        await server.Send("REPLICAOF", "127.0.0.1", Ports.Free());
        using var host = server.Host();

        var e = await host.Fails(FailureClass.Conflict, new RedisSave(), Options);

        Assert.Contains("has lost its primary", e.Message);
    }

    [Fact]
    public async Task Without_a_runtime_the_runbook_is_told_what_is_missing()
    {
        using var host = new TestHost();
        host.Add("redis", new RedisTarget { Endpoint = "localhost:6379" });

        var e = await Assert.ThrowsAsync<RunbookException>(() => host.Run(new RedisSave(), Options));

        Assert.Contains("has no runtime", e.Message);
        Assert.Contains("runtime:", e.Hint);
    }

    [Fact]
    public async Task A_cancelled_save_ends_within_a_second()
    {
        await using var server = await RedisServer.Start();
        await server.Fill(1000);
        await server.SlowSaves(Long);
        using var host = server.Host();

        var save = host.Run(new RedisSave(), Options);
        await Eventually.True(async () => await server.Info("rdb_bgsave_in_progress") == "1", "the save runs");
        var watch = Stopwatch.StartNew();
        host.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => save);

        Assert.True(watch.Elapsed < Long / 2, $"took {watch.Elapsed}");
    }

    /// <summary>The child that writes the file gets a signal.</summary>
    static async Task EndSave(RedisServer server, string signal)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{signal} $(cat /proc/{server.Pid}/task/{server.Pid}/children)"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Starts another server on the copied parts.</summary>
    static async Task<long> CountIn(string tar)
    {
        await using var other = await RedisServer.Start(null, "appendonly yes");
        await other.ShutDown();
        TempFolder.Delete(Path.Combine(other.Folder, "appendonlydir"));
        await TarFile.ExtractToDirectoryAsync(tar, other.Folder, overwriteFiles: false);
        await other.Run();
        return await other.Keys();
    }
}
