using Helix.Runbooks.Steps;
using Helix.Steps.Redis;

namespace Helix.Runbooks.Tests.Redis;

public sealed class SentinelStatusTests
{
    static SentinelStatusOptions Options => new() { Target = "sentinel" };

    [Fact]
    public async Task A_set_in_order_has_one_master_a_quorum_and_a_fit_replica()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Host();

        var status = await host.Run(new SentinelStatus(), Options);

        Assert.True(status.Healthy);
        Assert.Equal(set.Primary.At.ToString(), status.Master);
        Assert.Equal(3, status.Sentinels.Count);
        Assert.Equal([set.Replica.At.ToString()], status.Replicas);
        host.AssertNoCanary(status);
    }

    [Fact]
    public async Task Sentinels_without_a_majority_are_named()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Host();
        await set.StopSentinel(1);
        await set.StopSentinel(2);
        await set.NoticeSoon();

        await Eventually.True(async () => (await host.Run(new SentinelStatus(), Options with { OnlyReport = true })).Problems.Any(p => p.Contains("NOQUORUM", StringComparison.Ordinal)), "the quorum is missed");
        var e = await host.Fails(FailureClass.Conflict, new SentinelStatus(), Options);

        Assert.Contains("cannot be reached", e.Message);
    }

    [Fact]
    public async Task Two_masters_are_a_problem_that_names_both()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Host();
        await set.Replica.Send("REPLICAOF", "NO", "ONE");

        var e = await host.Fails(FailureClass.Conflict, new SentinelStatus(), Options);

        Assert.Contains($"2 nodes say that they are master: {set.Primary.At}, {set.Replica.At}", e.Message);
    }

    [Fact]
    public async Task RED_10_a_name_that_cannot_be_resolved_is_reported_and_no_failover_begun()
    {
        await using var set = await (await SentinelSet.Start(null, [], ["replica-announce-ip gone.invalid"])).Agreed();
        using var host = set.Host();

        var status = await host.Run(new SentinelStatus(), Options with { OnlyReport = true });
        var e = await host.Fails(FailureClass.Conflict, new SentinelFailover(), new() { Target = "sentinel" });

        Assert.Contains(status.Problems, p => p.Contains("gone.invalid", StringComparison.Ordinal));
        Assert.Contains("gone.invalid", e.Message);
        Assert.Contains("not begun", e.Message);
        Assert.Equal("master", await set.Primary.Info("role"));
        await set.Primary.Send("SET", "still", "writable");
    }

    [Fact]
    public async Task A_wrong_name_of_the_master_is_said()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Host();
        host.Add("other", host.PlanContext().Target<SentinelTarget>("sentinel") with { Master = "nobody" });

        var e = await host.Fails(FailureClass.Missing, new SentinelStatus(), Options with { Target = "other" });

        Assert.Contains("watches no master named 'nobody'", e.Message);
    }
}
