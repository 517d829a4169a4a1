using Helix.Runbooks.Steps;
using Helix.Steps.Redis;

namespace Helix.Runbooks.Tests.Redis;

public sealed class RedisRestoreTests
{
    internal static RedisRestoreOptions Options => new() { Target = "redis", From = "good.rdb" };

    [Fact]
    public async Task The_keys_of_the_file_replace_those_of_the_server_and_a_copy_of_them_is_kept()
    {
        await using var server = await RedisServer.Start("pa'ss", "save 3600 1");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(7, "present");

        var restored = await host.Run(new RedisRestore(), Options with { Counts = new Dictionary<string, long> { ["db0"] = 50 } });

        Assert.Equal(new Dictionary<string, long> { ["db0"] = 50 }, restored.Counts);
        Assert.Equal(50, restored.Loaded);
        Assert.Equal(50, await server.Keys());
        Assert.Equal("3600 1", await server.Setting("save"));
        Assert.Equal(7, (await RdbFile.Read(restored.SafetyCopy!, default)).Counts!.Total);
        Assert.Equal(ResidueKind.SafetyCopy, Assert.Single(host.Left).Kind);
        Assert.Contains(host.EverLeft, r => r.Key == "stopped:redis");
        host.AssertNoCanary(restored);
    }

    [Fact]
    public async Task A_save_at_shutdown_does_not_overwrite_what_was_restored()
    {
        await using var server = await RedisServer.Start(null, "save 3600 1 300 100 60 1");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(3, "present");

        await host.Run(new RedisRestore(), Options);
        await server.ShutDown();
        await server.Run();

        Assert.Equal(50, await server.Keys());
    }

    [Theory]
    [InlineData(0, true)]   // (a) no append-only folder
    [InlineData(3, false)]  // (b) an old one with 3 keys
    [InlineData(3, true)]
    public async Task RED_05_an_append_only_file_does_not_hide_what_was_restored(int oldKeys, bool removeFolder)
    {
        await using var server = await RedisServer.Start(null, "appendonly yes", "save 3600 1");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(oldKeys, "old");
        if (removeFolder)
            TempFolder.Delete(Path.Combine(server.Folder, "appendonlydir"));

        var restored = await host.Run(new RedisRestore(), Options);

        Assert.Equal(50, restored.Counts["db0"]);
        Assert.Equal("yes", await server.Setting("appendonly"));
        Assert.Contains("appendonly yes", await File.ReadAllTextAsync(server.ConfigFile, TestContext.Current.CancellationToken));
        Assert.DoesNotContain(host.Left, r => r.Kind != ResidueKind.SafetyCopy);
        await server.Kill();
        await server.Run();
        Assert.Equal(50, await server.Keys());
        Assert.Equal("3600 1", await server.Setting("save"));
    }

    [Fact]
    public async Task RED_05_a_server_whose_configuration_cannot_be_written_gets_the_file_as_base_of_its_append_only_folder()
    {
        await using var server = await RedisServer.StartByArguments("--appendonly", "yes");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(3, "old");

        var restored = await host.Run(new RedisRestore(), Options);

        Assert.Equal(50, restored.Counts["db0"]);
        Assert.Equal("yes", await server.Setting("appendonly"));
        await server.Send("SET", "one", "more");
        await server.Kill();
        await server.Run();
        Assert.Equal(51, await server.Keys());
    }

    [Fact]
    public async Task RED_05_a_server_that_is_down_is_restored_around_its_append_only_folder()
    {
        await using var server = await RedisServer.Start(null, "appendonly yes");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(3, "old");
        await server.Kill();

        var restored = await host.Run(new RedisRestore(), Options);

        Assert.Equal(50, restored.Counts["db0"]);
        await server.Kill();
        await server.Run();
        Assert.Equal(50, await server.Keys());
    }

    [Fact]
    public async Task RED_05_a_server_that_is_down_and_lost_its_append_only_folder_is_restored_too()
    {
        await using var server = await RedisServer.Start(null, "appendonly yes");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Kill();
        TempFolder.Delete(Path.Combine(server.Folder, "appendonlydir"));

        await host.Run(new RedisRestore(), Options);

        await server.Kill();
        await server.Run();
        Assert.Equal(50, await server.Keys());
    }

    [Fact]
    public async Task A_server_that_cannot_start_on_its_damaged_file_is_restored()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(500, "present");
        await server.Send("SAVE");
        await server.Kill();
        var damaged = await File.ReadAllBytesAsync(server.DataFile, TestContext.Current.CancellationToken);
        damaged[damaged.Length / 2] ^= 0xFF;
        await File.WriteAllBytesAsync(server.DataFile, damaged, TestContext.Current.CancellationToken);

        var restored = await host.Run(new RedisRestore(), Options);

        Assert.Equal(50, restored.Counts["db0"]);
        Assert.Equal(damaged, await File.ReadAllBytesAsync(restored.SafetyCopy!, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_damaged_file_is_refused_before_anything_is_touched()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        var path = Path.Combine(host.Folder, "good.rdb");
        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes[100] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        await server.Fill(7, "present");
        var run = await server.Info("run_id");

        await host.Fails(FailureClass.InvalidData, new RedisRestore(), Options);

        Assert.Equal(run, await server.Info("run_id"));
        Assert.Empty(host.EverLeft);
        Assert.Equal(7, await server.Keys());
    }

    [Fact]
    public async Task A_file_with_other_counts_than_its_manifest_is_refused_before_anything_is_touched()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(7, "present");

        var e = await host.Fails(FailureClass.InvalidData, new RedisRestore(), Options with { Counts = new Dictionary<string, long> { ["db0"] = 51 } });

        Assert.Contains("50 keys and should have 51", e.Message);
        Assert.Equal(7, await server.Keys());
    }

    [Fact]
    public async Task Keys_that_expire_meanwhile_are_no_difference()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        await server.Fill(20);
        // Meanwhile is after the save, however long that takes.
        await server.Send("DEBUG", "SET-ACTIVE-EXPIRE", "0");
        for (var i = 0; i < 5; i++)
            await server.Send("SET", $"dying{i}", "x", "PX", 1500);
        var saved = await host.Run(new RedisSave(), new() { Target = "redis", To = "good.rdb" });
        Assert.Equal(new Dictionary<string, long> { ["db0"] = 25, ["db0_expiring"] = 5 }, saved.Counts);
        await server.Send("DEBUG", "SET-ACTIVE-EXPIRE", "1");
        await Eventually.True(async () => await server.Keys() == 20, "the keys have expired");

        var restored = await host.Run(new RedisRestore(), Options with { Counts = saved.Counts });

        Assert.Equal(20, restored.Counts["db0"]);
        Assert.Equal(25, restored.Loaded);
    }

    [Fact]
    public async Task A_server_that_ends_on_the_new_file_gets_its_old_data_back()
    {
        await using var server = await RedisServer.Start(null, "appendonly yes", "save 3600 1");
        await using var replica = await RedisServer.Start(null, $"replicaof 127.0.0.1 {server.Port}");
        using var host = server.Host();
        // Sound by its checksum, with a kind of value that only a newer server would know.
        byte[] content = [.. "REDIS0010"u8, 0xFE, 0, 99, 1, (byte)'k', 1, (byte)'v', 0xFF];
        await File.WriteAllBytesAsync(Path.Combine(host.Folder, "good.rdb"),
            [.. content, .. BitConverter.GetBytes(RdbChecksum.Append(0, content))], TestContext.Current.CancellationToken);
        await server.Fill(7, "present");
        await Eventually.True(async () => await replica.Keys() == 7, "the replica has followed");

        var e = await host.Fails(FailureClass.InvalidData, new RedisRestore(), Options);

        Assert.Contains("ended while it loaded", e.Message);
        Assert.Equal(7, await server.Keys());
        Assert.Equal(7, await replica.Keys());
        Assert.Equal("up", await replica.Info("master_link_status"));
        Assert.Equal("yes", await server.Setting("appendonly"));
        Assert.DoesNotContain(host.Left, r => r.Kind != ResidueKind.SafetyCopy);
    }

    [Fact]
    public async Task A_second_round_with_another_backup_keeps_the_first_safety_copy()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await MakeBackup(host, keys: 20, "older.rdb");
        await server.Fill(7, "present");

        var first = await host.Run(new RedisRestore(), Options);
        var second = await host.Run(new RedisRestore(), Options with { From = "older.rdb" });

        Assert.Equal(20, await server.Keys());
        Assert.Equal(7, (await RdbFile.Read(first.SafetyCopy!, default)).Counts!.Total);
        Assert.Equal(50, (await RdbFile.Read(second.SafetyCopy!, default)).Counts!.Total);
    }

    [Fact]
    public async Task RED_07_replicas_never_see_an_empty_primary()
    {
        await using var primary = await RedisServer.Start("secret");
        await using var replica = await RedisServer.Start("secret", $"replicaof 127.0.0.1 {primary.Port}");
        using var host = primary.Host();
        await MakeBackup(host, keys: 50);
        await primary.Fill(500, "present");
        await Eventually.True(async () => await replica.Keys() == 500, "the replica has followed");
        using var watch = new LowestCount(replica);

        var restored = await host.Run(new RedisRestore(), Options);

        Assert.Equal(50, await replica.Keys());
        Assert.Equal("up", await replica.Info("master_link_status"));
        Assert.Equal([replica.At.ToString()], restored.Replicas);
        Assert.DoesNotContain(host.Left, r => r.Kind != ResidueKind.SafetyCopy);
        Assert.Equal(50, await watch.Stop());
    }

    [Fact]
    public async Task RED_07_sentinels_that_would_undo_the_restore_are_refused_before_anything_is_stopped()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Primary.Host();
        await MakeBackup(host, keys: 50);
        var run = await set.Primary.Info("run_id");

        var e = await host.Fails(FailureClass.Conflict, new RedisRestore(), Options);

        Assert.Contains("watched by 3 sentinels", e.Message);
        Assert.Equal(run, await set.Primary.Info("run_id"));
        Assert.Equal("up", await set.Replica.Info("master_link_status"));
    }

    [Fact]
    public async Task RED_07_sentinels_that_come_to_a_server_that_was_down_are_seen_after_its_start()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Primary.Host();
        await MakeBackup(host, keys: 50);
        await set.Primary.Kill();

        var e = await host.Fails(FailureClass.Conflict, new RedisRestore(), Options);

        Assert.Contains("is watched by", e.Message);
        Assert.Contains("target.stop", e.Hint);
    }

    [Fact]
    public async Task A_server_that_was_down_and_follows_another_one_by_its_configuration_is_not_reported_as_restored()
    {
        await using var promoted = await RedisServer.Start();
        await using var former = await RedisServer.Start();
        using var host = former.Host();
        await MakeBackup(host, keys: 50);
        await former.Kill();
        await File.AppendAllLinesAsync(former.ConfigFile, [$"replicaof 127.0.0.1 {promoted.Port}"], TestContext.Current.CancellationToken);

        var e = await host.Fails(FailureClass.Conflict, new RedisRestore(), Options);

        Assert.Contains($"follows 127.0.0.1:{promoted.Port}", e.Message);
        Assert.Contains("replicaof", e.Hint);
    }

    [Fact]
    public async Task A_replica_is_no_place_to_restore_into()
    {
        await using var primary = await RedisServer.Start();
        await using var replica = await RedisServer.Start(null, $"replicaof 127.0.0.1 {primary.Port}");
        using var host = replica.Host();
        await Eventually.True(async () => await replica.Info("master_link_status") == "up", "the replica follows");
        await MakeBackup(host, keys: 0);

        var e = await host.Fails(FailureClass.Conflict, new RedisRestore(), Options);

        Assert.Contains($"is a replica of 127.0.0.1:{primary.Port}", e.Message);
    }

    [Fact]
    public async Task A_server_that_is_down_without_a_known_data_file_is_left_alone()
    {
        using var host = new TestHost();
        await using var server = await RedisServer.Start();
        host.Add("redis", server.Target() with { DataFile = null });
        await MakeBackup(host, keys: 50);
        await server.Kill();

        var e = await host.Fails(FailureClass.Conflict, new RedisRestore(), Options);

        Assert.Contains("dataFile", e.Hint);
    }

    internal static async Task MakeBackup(TestHost host, int keys, string name = "good.rdb")
    {
        await using var source = await RedisServer.Start();
        await source.Fill(keys);
        await source.Send("SAVE");
        File.Copy(source.DataFile, Path.Combine(host.Folder, name));
    }
}
