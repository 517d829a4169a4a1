using Helix.Runbooks.Steps;
using Helix.Steps.Redis;
using static Helix.Runbooks.Tests.Redis.RedisRestoreTests;

namespace Helix.Runbooks.Tests.Redis;

/// <summary>A restore that ends in its middle, and the next one that finds what it left.</summary>
public sealed class RedisRestoreCrashTests
{
    [Fact]
    public async Task RED_07_replicas_stay_detached_when_the_restore_does_not_come_to_its_check()
    {
        await using var primary = await RedisServer.Start();
        await using var replica = await RedisServer.Start(null, $"replicaof 127.0.0.1 {primary.Port}");
        using var host = primary.Host();
        await MakeBackup(host, keys: 50);
        await primary.Fill(500, "present");
        await Eventually.True(async () => await replica.Keys() == 500, "the replica has followed");
        Crash(host, RestoreStage.Starting);

        await Assert.ThrowsAsync<CrashException>(() => host.Run(new RedisRestore(), Options with { SkipSafetyCopy = true }));

        Assert.Equal(500, await replica.Keys());
        Assert.Contains(host.Left, r => r.Command.Contains($"REPLICAOF 127.0.0.1 {primary.Port}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cancelled_restore_leaves_the_server_running_on_its_old_data_and_can_be_resumed()
    {
        await using var server = await RedisServer.Start(null, "appendonly yes");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(7, "present");
        host.OnSave = (_, value) =>
        {
            if (StageOf(value) == RestoreStage.Placing)
                host.Cancel();
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Run(new RedisRestore(), Options));

        await Eventually.True(async () => await server.Keys() == 7, "the old data is served");
        Assert.Equal("yes", await server.Setting("appendonly"));
        Assert.DoesNotContain(host.Left, r => r.Kind != ResidueKind.SafetyCopy);
    }

    [Theory]
    [InlineData(nameof(RestoreStage.Begun))]
    [InlineData(nameof(RestoreStage.Kept))]
    [InlineData(nameof(RestoreStage.Quiet))]
    [InlineData(nameof(RestoreStage.Placing))]
    [InlineData(nameof(RestoreStage.Starting))]
    [InlineData(nameof(RestoreStage.Checked))]
    [InlineData(nameof(RestoreStage.AppendOnly))]
    public async Task A_crash_of_the_engine_at_any_stage_is_gone_on_from(string stage)
    {
        await using var server = await RedisServer.Start(null, "appendonly yes", "save 3600 1");
        await using var replica = await RedisServer.Start(null, $"replicaof 127.0.0.1 {server.Port}");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(7, "present");
        await Eventually.True(async () => await replica.Keys() == 7, "the replica has followed");
        await CrashAt(host, Enum.Parse<RestoreStage>(stage));

        Assert.Equal(ProbeVerdict.NotDone, (await host.Probe(new RedisRestore(), Options)).Verdict);
        var restored = await host.Run(new RedisRestore(), Options);

        Assert.Equal(50, await server.Keys());
        Assert.Equal(50, await replica.Keys());
        Assert.Equal("up", await replica.Info("master_link_status"));
        Assert.Equal("yes", await server.Setting("appendonly"));
        Assert.Equal(7, (await RdbFile.Read(restored.SafetyCopy!, default)).Counts!.Total);
        Assert.DoesNotContain(host.Left, r => r.Kind != ResidueKind.SafetyCopy);
        Assert.Equal(ProbeVerdict.Done, (await host.Probe(new RedisRestore(), Options)).Verdict);
        await server.Kill();
        await server.Run();
        Assert.Equal(50, await server.Keys());
        Assert.Equal("3600 1", await server.Setting("save"));
    }

    [Fact]
    public async Task RED_07_after_a_crash_another_file_is_restored_and_a_failure_before_it_is_placed_does_not_pass_the_first_one_for_the_old_data()
    {
        await using var primary = await RedisServer.Start();
        await using var replica = await RedisServer.Start(null, $"replicaof 127.0.0.1 {primary.Port}");
        using var host = primary.Host();
        await MakeBackup(host, keys: 50);
        await primary.Fill(7, "present");
        await Eventually.True(async () => await replica.Keys() == 7, "the replica has followed");
        await CrashAt(host, RestoreStage.Checked);
        await MakeBackup(host, keys: 51, "another.rdb");
        var saves = 0;
        host.OnSave = (_, _) =>
        {
            if (++saves == 2)
                throw StepFailedException.Transient("The server went away.");
        };

        await Assert.ThrowsAsync<StepFailedException>(() => host.Run(new RedisRestore(), Options with { From = "another.rdb" }));

        Assert.Equal(7, await replica.Keys());
        host.OnSave = null;
        await host.Run(new RedisRestore(), Options with { From = "another.rdb" });
        Assert.Equal(51, await replica.Keys());
    }

    [Fact]
    public async Task After_a_crash_while_the_old_data_is_put_back_it_does_not_pass_for_the_restored()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        await MakeBackup(host, keys: 7);
        await server.Fill(7, "present");
        // The server ends on a data file that is damaged on its way in, so the step puts the old one back.
        host.OnSave = (_, value) =>
        {
            if (StageOf(value) == RestoreStage.Starting)
                File.WriteAllText(server.DataFile, "no data");
        };
        await CrashAt(host, RestoreStage.Placing, time: 2);
        host.OnSave = null;
        File.Copy(RestoreProgress.Of(host.Context())!.SafetyCopy!, server.DataFile, overwrite: true);
        await server.Run();
        Assert.Equal("1", await server.Send("EXISTS", "present:0"));

        Assert.Equal(ProbeVerdict.NotDone, (await host.Probe(new RedisRestore(), Options)).Verdict);
        await host.Run(new RedisRestore(), Options);

        Assert.Equal("1", await server.Send("EXISTS", "k:0"));
        Assert.Equal(7, await server.Keys());
    }

    [Theory]
    [InlineData(nameof(RestoreStage.Quiet))]
    [InlineData(nameof(RestoreStage.Placing))]
    public async Task What_was_written_after_a_failed_attempt_is_in_the_safety_copy_of_the_next_one(string stage)
    {
        await using var server = await RedisServer.Start(null, "save 3600 1");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(7, "present");
        var failed = false;
        host.OnSave = (_, value) =>
        {
            if (failed || StageOf(value) != Enum.Parse<RestoreStage>(stage))
                return;
            failed = true;
            throw StepFailedException.Transient("The server went away.");
        };
        await host.Fails(FailureClass.Transient, new RedisRestore(), Options);
        host.OnSave = null;
        await server.Send("SET", "written", "meanwhile");

        var restored = await host.Run(new RedisRestore(), Options);

        Assert.Equal(8, (await RdbFile.Read(restored.SafetyCopy!, default)).Counts!.Total);
        Assert.Equal(50, await server.Keys());
        Assert.Equal("3600 1", await server.Setting("save"));
    }

    [Fact]
    public async Task A_replica_that_was_detached_while_the_server_was_down_is_attached_again_although_somebody_started_it_meanwhile()
    {
        await using var server = await RedisServer.Start();
        await using var replica = await RedisServer.Start(null, $"replicaof 127.0.0.1 {server.Port}");
        using var host = server.Host();
        host.Add("replica", replica.Target("replica"));
        await MakeBackup(host, keys: 50);
        await server.Fill(7, "present");
        await Eventually.True(async () => await replica.Keys() == 7, "the replica has followed");
        await server.ShutDown();
        var options = Options with { Replicas = ["replica"] };
        await CrashAt(host, RestoreStage.Quiet, options: options);
        await server.Run();

        var restored = await host.Run(new RedisRestore(), options);

        Assert.Equal([$"127.0.0.1:{replica.Port}"], restored.Replicas);
        await Eventually.True(async () => await replica.Keys() == 50, "the replica follows again");
    }

    [Fact]
    public async Task A_server_that_was_down_and_was_started_between_two_attempts_is_asked_anew()
    {
        await using var server = await RedisServer.Start(null, "save 3600 1");
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(7, "present");
        await server.ShutDown();
        await CrashAt(host, RestoreStage.Kept);
        await server.Run();
        await server.Send("SET", "written", "meanwhile");

        var restored = await host.Run(new RedisRestore(), Options);

        Assert.Equal(8, (await RdbFile.Read(restored.SafetyCopy!, default)).Counts!.Total);
        Assert.Equal(50, await server.Keys());
    }

    [Fact]
    public async Task After_a_crash_a_server_that_holds_something_else_is_a_question_for_a_person()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        await MakeBackup(host, keys: 50);
        await server.Fill(7, "present");
        await CrashAt(host, RestoreStage.Starting);
        File.Delete(server.DataFile);
        await server.Run();

        var probe = await host.Probe(new RedisRestore(), Options);

        Assert.Equal(ProbeVerdict.Unknown, probe.Verdict);
    }

    static RestoreStage StageOf(System.Text.Json.Nodes.JsonNode value) =>
        Enum.Parse<RestoreStage>(value["stage"]!.GetValue<string>().Replace("-", "", StringComparison.Ordinal), ignoreCase: true);

    static void Crash(TestHost host, RestoreStage at) => host.OnSave = (_, value) =>
    {
        if (StageOf(value) == at)
            throw new CrashException();
    };

    /// <summary>From this stage on nothing of the attempt reaches the world, as if the engine's process had ended.</summary>
    static async Task CrashAt(TestHost host, RestoreStage at, int time = 1, RedisRestoreOptions? options = null)
    {
        var reached = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        host.AfterSave = (_, value) =>
        {
            if (StageOf(value) != at || --time > 0)
                return Task.CompletedTask;
            reached.SetResult();
            return never.Task;
        };
        var restore = host.Run(new RedisRestore(), options ?? Options);
        await (await Task.WhenAny(reached.Task, restore));
        host.AfterSave = null;
    }

    sealed class CrashException : Exception;
}
