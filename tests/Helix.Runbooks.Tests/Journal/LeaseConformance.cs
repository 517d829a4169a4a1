using System.Diagnostics;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Microsoft.Extensions.Time.Testing;
using Helix.Runbooks.Tests.Postgres;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public abstract class LeaseConformance(PostgresServer? server) : IDisposable
{
    readonly StoreFixture _fixture = new(server);
    JournalStore Store => _fixture.Store;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_held_lease_is_not_taken_and_its_holder_is_told()
    {
        Store.Create("r1", Started(), DriverOf(1));
        var (taken, held) = _fixture.Other().TryTake("r1", DriverOf(2), "resume");
        Assert.Null(taken);
        Assert.Equal(new LeaseState("r1", 1, DriverOf(1), 0, Released: false), held);
        Assert.Equal(2, Store.Read("r1").Count);
    }

    [Fact]
    public void A_released_lease_is_taken_under_the_next_epoch_and_the_record_says_so()
    {
        var first = Store.Create("r1", Started(), DriverOf(1));
        Store.Release(first);
        var (taken, held) = Store.TryTake("r1", DriverOf(2), "resume");

        Assert.Equal((2, 2, false), (taken!.Epoch, held.Epoch, held.Released));
        var entry = Store.Read("r1")[^1];
        Assert.Equal((2, new LeaseTaken(DriverOf(2), "resume")), (entry.Epoch, (LeaseTaken)entry.Event));
        Assert.Throws<LeaseLostException>(() => Store.Append(first, StepStarted("a")));
        Assert.False(Store.Beat(first));
        Store.Release(first); // changes nothing
        Assert.False(Store.ReadLease("r1")!.Released);
    }

    [Fact]
    public void An_append_after_the_own_release_is_a_bug_and_changes_nothing()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        Store.Release(lease);
        Assert.Throws<InvalidOperationException>(() => Store.Append(lease, StepStarted("a")));
        Assert.Equal(2, Store.Read("r1").Count);
    }

    [Fact]
    public void A_holder_that_moved_since_it_was_observed_keeps_its_lease()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        var observed = _fixture.Other().ReadLease("r1")!;
        Assert.True(Store.Beat(lease));

        Assert.Throws<RunbookException>(() => _fixture.Other().Take("r1", DriverOf(2), "takeover", observed));
        Store.Append(lease, StepStarted("a"));
    }

    [Fact]
    public void Of_two_takers_of_a_dead_lease_one_wins()
    {
        Store.Create("r1", Started(), DriverOf(1));
        var observed = Store.ReadLease("r1")!;
        var won = _fixture.Other().Take("r1", DriverOf(2), "expired", observed);
        Assert.Throws<LeaseLostException>(() => Store.Take("r1", DriverOf(3), "expired", observed));
        Assert.Equal(2, won.Epoch);
        Assert.Equal(DriverOf(2), Store.ReadLease("r1")!.Driver);
    }

    [Fact]
    public void A_lease_expires_by_the_observers_own_clock_and_only_while_the_heartbeat_stands_still()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        var clock = new FakeTimeProvider();
        var watch = new LeaseWatch(clock, TimeSpan.FromSeconds(10));

        Assert.False(Look(0));
        for (var i = 0; i < 9; i++)
            Assert.False(Look(1));
        Store.Beat(lease);
        for (var i = 0; i < 10; i++)
            Assert.False(Look(1));
        Assert.True(Look(1));

        bool Look(int seconds)
        {
            clock.Advance(TimeSpan.FromSeconds(seconds));
            return watch.IsExpired(Store.ReadLease("r1")!);
        }
    }

    [Fact]
    public void The_wall_clock_does_not_matter_for_a_lease()
    {
        Store.Create("r1", Started(), DriverOf(1));
        var clock = new FakeTimeProvider(Start);
        var watch = new LeaseWatch(clock, TimeSpan.FromSeconds(10));
        watch.IsExpired(Store.ReadLease("r1")!);
        clock.AdjustTime(Start.AddDays(1));
        Assert.False(watch.IsExpired(Store.ReadLease("r1")!));
    }

    [Fact]
    public void An_observer_that_was_itself_paused_has_not_seen_the_heartbeat_stand_still()
    {
        Store.Create("r1", Started(), DriverOf(1));
        var clock = new FakeTimeProvider();
        var watch = new LeaseWatch(clock, TimeSpan.FromSeconds(10));
        watch.IsExpired(Store.ReadLease("r1")!);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.False(watch.IsExpired(Store.ReadLease("r1")!));
    }

    [Fact]
    public void This_process_is_alive_and_one_with_its_number_from_another_time_is_gone()
    {
        var me = DriverIdentity.Current;
        Assert.Equal(Environment.ProcessId, me.Pid);
        Assert.True(DriverIdentity.IsAlive(me));
        Assert.False(DriverIdentity.IsGone(me));
        Assert.True(DriverIdentity.IsGone(me with { StartTicks = me.StartTicks - 1 }));
        Assert.True(DriverIdentity.IsGone(me with { BootId = "before the power cut" }));
    }

    [Fact]
    public void Of_a_driver_on_another_host_nothing_is_known_from_here()
    {
        var there = DriverIdentity.Current with { Host = "elsewhere", Pid = 1_999_999 };
        Assert.False(DriverIdentity.IsAlive(there));
        Assert.False(DriverIdentity.IsGone(there));
    }

    [Fact]
    public void A_driver_that_was_killed_is_gone_at_once()
    {
        using var child = Process.Start(new ProcessStartInfo("sleep", "60"))!;
        var stat = File.ReadAllText($"/proc/{child.Id}/stat").Split(' ');
        var driver = DriverIdentity.Current with { Pid = child.Id, StartTicks = long.Parse(stat[21]) };
        Assert.True(DriverIdentity.IsAlive(driver));
        child.Kill();
        child.WaitForExit();
        Assert.True(DriverIdentity.IsGone(driver));
    }
}
