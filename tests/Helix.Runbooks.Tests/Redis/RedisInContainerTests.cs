using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Docker;
using Helix.Steps.Redis;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Redis;

/// <summary>The same steps on a server in a container of a Compose project: no configuration file, another file owner, another place.</summary>
[Collection("compose")]
public sealed class RedisInContainerTests(DockerFixture docker)
{
    [Theory]
    [InlineData("no")]
    [InlineData("yes")]
    public async Task RED_05_a_backup_is_made_and_restored_through_a_container(string appendOnly)
    {
        docker.Need();
        using var host = new TestHost();
        var port = Ports.Free();
        var stack = docker.Stack(host, $"""
              redis:
                image: {DockerFixture.Image}
                command: ["redis-server", "--port", "{port}", "--dir", "/data", "--save", "3600 1", "--appendonly", "{appendOnly}"]
                network_mode: host
                stop_grace_period: 5s
                volumes: ["data:/data"]
            """);
        var target = host.Add("redis", new RedisTarget { Endpoint = $"127.0.0.1:{port}", DataFile = "/data/dump.rdb", Runtime = new() { Compose = stack.Name, Service = "redis" } });
        await host.Run(new TargetStart(), new() { Targets = ["redis"] });
        await Fill(target, host, 50);

        var saved = await host.Run(new RedisSave(), new() { Target = "redis", To = "work/redis.rdb" });
        await Fill(target, host, 3);
        var restored = await host.Run(new RedisRestore(), new() { Target = "redis", From = saved.File, Counts = saved.Counts });
        await host.Run(new TargetRestart(), new() { Targets = ["redis"] });
        var verified = await host.Run(new RedisVerify(), new() { Target = "redis", Counts = saved.Counts });

        Assert.Equal(50, restored.Loaded);
        Assert.Equal(50, verified.Counts["db0"]);
        Assert.Equal(3, (await RdbFile.Read(restored.SafetyCopy!, default)).Counts!.Total);
        Assert.DoesNotContain(host.Left, r => r.Kind != ResidueKind.SafetyCopy);

        // And when it is down.
        await host.Run(new TargetStop(), new() { Targets = ["redis"] });
        host.SavedValues.Clear();
        Assert.Equal(50, (await host.Run(new RedisRestore(), new() { Target = "redis", From = saved.File })).Loaded);
        await host.Run(new TargetStop(), new() { Targets = ["redis"] });
    }

    static async Task Fill(RedisTarget target, TestHost host, int keys)
    {
        await using var redis = await RedisConnection.Open(target, host.PlanContext());
        await redis.Send("FLUSHALL");
        await redis.Send("EVAL", "for i = 1, ARGV[1] do redis.call('SET', 'k:' .. i, i) end", "0", keys);
    }
}
