using Helix.Runbooks.Steps;
using Helix.Steps.Redis;

namespace Helix.Runbooks.Tests.Redis;

public sealed class SentinelFailoverTests
{
    static SentinelFailoverOptions Options => new() { Target = "sentinel", Within = new(Hang.Limit) };

    [Fact]
    public async Task A_failover_loses_no_confirmed_write_and_leaves_one_master_that_the_old_one_follows()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Host();
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(() => Write(set, stop.Token));
        await Eventually.True(async () => await set.Primary.Keys() > 20, "the writer writes");

        var result = await host.Run(new SentinelFailover(), Options);

        await stop.CancelAsync();
        var confirmed = await writer;
        Assert.Equal(set.Primary.At.ToString(), result.Old);
        Assert.Equal(set.Replica.At.ToString(), result.New);
        Assert.Equal([result.Old], result.Replicas);
        Assert.Equal("master", await set.Replica.Info("role"));
        Assert.Equal("slave", await set.Primary.Info("role"));
        Assert.Equal("up", await set.Primary.Info("master_link_status"));
        Assert.Equal(confirmed, await set.Replica.Keys());
        Assert.Empty(host.Left);
        Assert.Contains(host.EverLeft, r => r.Kind == ResidueKind.Paused);
        host.AssertNoCanary(result);
    }

    [Fact]
    public async Task A_failover_works_when_the_master_is_gone()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Host();
        await set.Primary.Fill(50);
        await Eventually.True(async () => await set.Replica.Keys() == 50, "the replica has followed");
        await set.Primary.Kill();
        await set.NoticeSoon();
        SentinelFailoverOutputs? result = null;

        // Sentinel may see the outage first and do it by itself; both ways end with the replica as master.
        await Eventually.True(async () =>
        {
            try
            {
                result = await host.Run(new SentinelFailover(), Options);
                return true;
            }
            catch (StepFailedException e) when (e.Failure is FailureClass.Transient or FailureClass.Conflict)
            {
                return false;
            }
        }, "the failover is done");

        Assert.Equal(set.Replica.At.ToString(), result!.New);
        Assert.Equal(50, await set.Replica.Keys());
        var status = new SentinelStatusOptions { Target = "sentinel", Replicas = 0 };
        Assert.Contains($"{set.Primary.At} does not answer", (await host.Fails(FailureClass.Conflict, new SentinelStatus(), status)).Message);
        await Eventually.True(async () => (await host.Run(new SentinelStatus(), status with { MayBeDown = [set.Primary.At.ToString()] })).MasterAnswers, "all is well but for the one that was given up");
    }

    [Fact]
    public async Task RED_15_a_replica_without_the_password_is_named_after_the_failover()
    {
        // The old primary does not know the password of the new one.
        await using var set = await (await SentinelSet.Start(["masterauth wrong"])).Agreed();
        var clock = new JumpingClock();
        using var host = set.Host(clock);

        var failing = host.Fails(FailureClass.TimedOut, new SentinelFailover(), Options);
        await Eventually.True(() => host.Logged.Any(l => l.Contains($"{set.Primary.At} follows", StringComparison.Ordinal)), "the old primary is told to follow");
        await Eventually.True(() =>
        {
            clock.Jump(Options.Within.Value);
            return failing.IsCompleted;
        }, "the time is over");
        var e = await failing;

        Assert.Contains($"{set.Primary.At} has no link to its primary {set.Replica.At}", e.Message);
        Assert.Contains("masterauth", e.Hint);
        Assert.Equal("master", await set.Replica.Info("role"));
        Assert.Empty(host.Left);
    }

    /// <summary>The system's clock, which the test sets forward.</summary>
    sealed class JumpingClock : TimeProvider
    {
        long _ahead;

        public void Jump(TimeSpan time) => Interlocked.Add(ref _ahead, time.Ticks);
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => System.GetUtcNow().Ticks + Interlocked.Read(ref _ahead);
    }

    static readonly RedisEndpoint Master = new("10.0.0.1", 1), One = new("10.0.0.2", 1), Two = new("10.0.0.3", 1);

    static SentinelView View(string one, string two) => new()
    {
        Master = Master,
        MasterIsDown = false,
        Replicas = [new(One, [], one, 100), new(Two, [], two, 1)],
        Answering = [],
        Problems = [],
        Unresolved = [],
    };

    static DataNode Node(RedisEndpoint at, long has) => new(at, at == Master ? "master" : "slave", at == Master ? null : new($"{at}", IsReplica: true, Up: true, $"{Master}", 0), has);

    [Theory]
    [InlineData(100, "ok", false)]
    [InlineData(200, "ok", true)]
    [InlineData(100, "err", true)]  // Sentinel does not choose it
    public void Every_replica_that_sentinel_may_choose_has_all_before_the_order_to_fail_over(long offset, string link, bool go) =>
        Assert.Equal(go, Failover.HaveAll(View("ok", link), [Node(Master, 200), Node(One, 200), Node(Two, offset)]));

    [Fact]
    public void There_is_no_order_to_fail_over_while_none_may_be_chosen_or_one_that_may_be_does_not_answer()
    {
        Assert.False(Failover.HaveAll(View("err", "err"), [Node(Master, 200), Node(One, 200), Node(Two, 200)]));
        Assert.False(Failover.HaveAll(View("ok", "ok"), [Node(Master, 200), Node(One, 200)]));
    }

    [Fact]
    public async Task Without_a_fit_replica_nothing_is_begun()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Host();
        await set.Replica.Kill();
        await set.NoticeSoon();

        await Eventually.True(async () =>
            (await Assert.ThrowsAsync<StepFailedException>(() => host.Run(new SentinelFailover(), Options with { Within = new(TimeSpan.FromSeconds(1)) }))).Message
                .Contains("no replica that could take over", StringComparison.Ordinal), "the replica is seen as down");

        Assert.Equal("master", await set.Primary.Info("role"));
        await set.Primary.Send("SET", "still", "writable");
        Assert.Empty(host.Left);
    }

    [Fact]
    public async Task After_a_crash_of_the_engine_the_failover_is_finished()
    {
        await using var set = await (await SentinelSet.Start()).Agreed();
        using var host = set.Host();
        var ordered = new TaskCompletionSource();
        host.AfterSave = (key, _) => key == "old" ? Crash(ordered) : Task.CompletedTask;
        _ = host.Run(new SentinelFailover(), Options);
        await ordered.Task;
        host.AfterSave = null;

        Assert.Equal(ProbeVerdict.NotDone, (await host.Probe(new SentinelFailover(), Options)).Verdict);
        var result = await host.Run(new SentinelFailover(), Options);

        Assert.Equal(set.Replica.At.ToString(), result.New);
        var probe = await host.Probe(new SentinelFailover(), Options);
        Assert.Equal(ProbeVerdict.Done, probe.Verdict);
        Assert.Equal(result.Old, probe.Outputs!.Old);
    }

    static Task Crash(TaskCompletionSource ordered)
    {
        ordered.SetResult();
        return new TaskCompletionSource().Task;
    }

    /// <summary>Writes as clients do: to whoever is master, and counts what was confirmed.</summary>
    static async Task<long> Write(SentinelSet set, CancellationToken stop)
    {
        long confirmed = 0;
        foreach (var server in new[] { set.Primary, set.Replica })
        {
            await using var redis = await server.Connect();
            while (!stop.IsCancellationRequested)
                try
                {
                    await redis.GetServers()[0].ExecuteAsync("SET", $"w:{confirmed}", "x");
                    confirmed++;
                    await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
                }
                catch (StackExchange.Redis.RedisServerException e) when (e.Message.StartsWith("READONLY", StringComparison.Ordinal))
                {
                    break;
                }
        }
        return confirmed;
    }
}
