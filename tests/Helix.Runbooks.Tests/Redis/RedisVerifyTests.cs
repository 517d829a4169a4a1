using Helix.Runbooks.Steps;
using Helix.Steps.Redis;

namespace Helix.Runbooks.Tests.Redis;

public sealed class RedisVerifyTests
{
    static RedisVerifyOptions Options => new() { Target = "redis" };

    static Dictionary<string, long> Counts(long db0, long expiring = 0) =>
        expiring == 0 ? new() { ["db0"] = db0 } : new() { ["db0"] = db0, ["db0_expiring"] = expiring };

    [Fact]
    public async Task Equal_counts_and_readable_keys_pass()
    {
        await using var server = await RedisServer.Start("secret");
        using var host = server.Host();
        await server.Fill(1000);

        var verified = await host.Run(new RedisVerify(), Options with
        {
            Counts = Counts(1000),
            Checks = [new() { Key = "k:5", Value = "value 5" }, new() { Key = "k:6", MinimumLength = 7 }],
        });

        Assert.Equal(1000, verified.Counts["db0"]);
        Assert.Equal(100, verified.Sampled);
        Assert.Equal(2, verified.Checked);
        host.AssertNoCanary(verified);
    }

    [Theory]
    [InlineData(999, 0, 0, false)]
    [InlineData(1001, 0, 0, false)]
    [InlineData(1001, 0, 1, true)]
    [InlineData(1100, 100, 0, true)]  // those with a time to live may be gone
    [InlineData(1101, 100, 0, false)]
    public async Task Other_counts_fail_unless_tolerated(long expected, long expiring, double tolerance, bool passes)
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        await server.Fill(1000);
        var options = Options with { Counts = Counts(expected, expiring), Tolerance = tolerance, Sample = 0 };

        if (passes)
            await host.Run(new RedisVerify(), options);
        else
            Assert.Contains("database 0 has 1,000 keys", (await host.Fails(FailureClass.InvalidData, new RedisVerify(), options)).Message);
    }

    [Fact]
    public async Task What_is_restored_into_a_scratch_server_must_pass_the_checks_of_the_one_it_came_from()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();
        host.Add("live", server.Target() with { Checks = [new() { Key = "helix:schema" }] });
        await server.Fill(10);

        var e = await host.Fails(FailureClass.InvalidData, new RedisVerify(), Options with { ChecksOf = "live" });
        Assert.Contains("helix:schema", e.Message);
    }

    [Fact]
    public async Task Checks_of_the_target_find_data_that_agrees_with_its_own_backup_and_is_wrong()
    {
        await using var server = await RedisServer.Start();
        using var host = new TestHost();
        host.Add("redis", server.Target() with { Checks = [new() { Key = "helix:schema", Value = "top secret" }, new() { Key = "k:1", MinimumLength = 1000 }] });
        await server.Fill(10);

        var e = await host.Fails(FailureClass.InvalidData, new RedisVerify(), Options);

        Assert.Contains("key 'helix:schema' is missing", e.Message);
        Assert.Contains("key 'k:1' has a length of 7, and at least 1,000 are expected", e.Message);
        Assert.DoesNotContain("top secret", e.Message);
    }

    [Fact]
    public async Task RED_15_a_replica_without_the_password_fails_with_the_name_of_the_node()
    {
        await using var primary = await RedisServer.Start("secret");
        await using var good = await RedisServer.Start("secret", $"replicaof 127.0.0.1 {primary.Port}");
        await using var bad = await RedisServer.Start("secret", $"replicaof 127.0.0.1 {primary.Port}", "masterauth wrong");
        using var host = primary.Host();
        good.AddTo(host, "good");
        bad.AddTo(host, "bad");
        await Eventually.True(async () => await good.Info("master_link_status") == "up", "the good replica follows");

        Assert.Equal([$"the replica at {good.At}"], (await host.Run(new RedisVerify(), Options)).Replicas);
        var e = await host.Fails(FailureClass.InvalidData, new RedisVerify(), Options with { Replicas = ["good", "bad"] });

        Assert.Contains($"the replica at {bad.At} has no link to its primary 127.0.0.1:{primary.Port}", e.Message);
        Assert.DoesNotContain(good.At.ToString(), e.Message);
        Assert.Contains("masterauth", e.Hint);
    }

    [Fact]
    public async Task A_named_replica_that_is_ahead_because_it_follows_another_primary_fails_with_that_ones_name()
    {
        await using var primary = await RedisServer.Start();
        await using var other = await RedisServer.Start();
        await using var replica = await RedisServer.Start(null, $"replicaof 127.0.0.1 {other.Port}");
        using var host = primary.Host();
        replica.AddTo(host, "replica");
        await Eventually.True(async () => await replica.Info("master_link_status") == "up", "the replica follows the other one");

        var e = await host.Fails(FailureClass.InvalidData, new RedisVerify(), Options with { Replicas = ["replica"] });

        Assert.Contains($"the replica at {replica.At} follows another primary, 127.0.0.1:{other.Port}", e.Message);
    }

    [Fact]
    public async Task A_name_that_is_no_count_of_redis_is_the_runbooks_fault()
    {
        await using var server = await RedisServer.Start();
        using var host = server.Host();

        var e = await Assert.ThrowsAsync<RunbookException>(() => host.Run(new RedisVerify(), Options with { Counts = new Dictionary<string, long> { ["Person"] = 4 } }));

        Assert.Contains("'Person' is no count", e.Message);
    }
}
