using Helix.Runbooks.Tests.Redis;
using static Helix.Runbooks.Tests.Scenarios.LiveStage;

namespace Helix.Runbooks.Tests.Scenarios;

/// <summary>The restore of a master that sentinels watch, as it is shipped: a real primary, its replica and three real sentinels.</summary>
public sealed class SentinelRestoreRunTests : IAsyncDisposable
{
    const int Keys = 300;

    readonly LiveStage _stage = new();

    [Fact]
    public async Task A_restore_is_not_undone_by_the_sentinels_although_its_driver_is_killed()
    {
        await using var set = await SentinelSet.Start();
        await Begin(set);
        await set.Primary.Send("FLUSHALL");
        await set.Primary.Fill(7, "since");
        await Eventually.True(async () => await set.Replica.Keys() == 7, "the replica has followed");

        var run = await _stage.Start("redis-restore-sentinel", Waits);
        Assert.Contains($"The master is {set.Primary.At}", await _stage.Ends(0, null, "show", run));
        await _stage.Ends(Killed, "point:effect:restore:1", "approve", run, "go", "--input", "reason=the newest", "--resume");
        Assert.Equal(0, set.Listening);
        await _stage.Ends(0, null, "resume", run);

        Assert.Equal((Keys, Keys), (await set.Primary.Keys(), await set.Replica.Keys()));
        Assert.Equal(3, set.Listening);
        Assert.Equal("master", await set.Primary.Info("role"));
    }

    [Fact]
    public async Task Where_a_replica_took_over_nothing_is_restored_into_the_old_master()
    {
        await using var set = await SentinelSet.Start();
        await Begin(set);
        await Eventually.True(async () => await set.Replica.Keys() == Keys, "the replica has followed");
        await set.Primary.Kill();
        await set.NoticeSoon();
        await Eventually.True(async () => await set.Replica.Info("role") == "master", "the replica took over");

        var run = await _stage.Start("redis-restore-sentinel", 1);

        Assert.Contains($"{set.Replica.At} is the master now", await _stage.Ends(0, null, "report", run));
        Assert.False(set.Primary.IsAlive);
    }

    /// <summary>The sentinels run as a service of the environment, and there is a backup.</summary>
    async Task Begin(SentinelSet set)
    {
        Environment(set, await set.AsOneService());
        await _stage.Prepare("  - { id: watch, uses: target.start, with: { targets: [sentinels] } }");
        await set.Agreed();
        await set.Primary.Fill(Keys);
        await _stage.Start("backup-redis", 0);
    }

    void Environment(SentinelSet set, string sentinels) => _stage.Environment($$"""
          redis:
            kind: redis
            endpoint: {{set.Primary.At}}
            password: {{_stage.Secret("REDIS_PASSWORD", set.Primary.Password!)}}
            dataFile: "{{set.Primary.DataFile}}"
            runtime: { process: { start: [{{RedisServer.Executable}}, "{{set.Primary.ConfigFile}}"], pidFile: "{{set.Primary.PidFile}}", directory: "{{set.Primary.Folder}}" } }
          sentinel: { kind: sentinel, endpoints: [{{string.Join(", ", set.Endpoints.Select(e => $"\"{e}\""))}}], master: {{SentinelSet.Name}}, password: {{_stage.Secret("SENTINEL_PASSWORD", SentinelSet.SentinelPassword)}}, nodePassword: env:REDIS_PASSWORD }
          sentinels: { kind: service, runtime: { process: { start: [bash, "{{sentinels}}"], pidFile: sentinels.pid, directory: . } } }
          backups: { kind: directory, path: . }
        """);

    public ValueTask DisposeAsync() => _stage.DisposeAsync();
}
