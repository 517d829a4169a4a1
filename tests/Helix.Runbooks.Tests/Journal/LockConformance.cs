using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Postgres;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public abstract class LockConformance : IDisposable
{
    static readonly PlannedLock Redis = new("redis://h:6379", "redis", Shared: false);
    static readonly PlannedLock Bucket = new("s3://b", "backups", Shared: true);

    readonly StoreFixture _fixture;
    readonly Lease _first;
    JournalStore Store => _fixture.Store;

    protected LockConformance(PostgresServer? server)
    {
        _fixture = new(server);
        _first = Store.Create("r1", Started(), DriverOf(1));
        Store.Create("r2", Started("other"), DriverOf(2));
    }

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void All_locks_are_taken_or_none()
    {
        Assert.Empty(Store.TakeLocks("r1", [Redis]));
        var held = Assert.Single(_fixture.Other().TakeLocks("r2", [Bucket, Redis]));
        Assert.Equal(("redis://h:6379", "r1", "redis-restore", Start), (held.Identity, held.Run, held.Runbook, held.Since));
        Assert.Equal(["redis://h:6379"], Store.Locks().Select(l => l.Identity));
    }

    [Fact]
    public void A_run_is_registered_with_all_its_locks_or_not_at_all()
    {
        Assert.NotNull(Store.Create("r3", Started(), DriverOf(3), [Redis, Bucket]).Created);
        Assert.Equal(2, Store.Locks().Count(l => l.Run == "r3"));
        var (created, held) = Store.Create("r4", Started(), DriverOf(4), [Bucket, Redis with { Shared = true }]);
        Assert.Null(created);
        Assert.Equal(("r3", "redis"), (held.Single().Run, held.Single().Target));
        Assert.False(Store.Has("r4"));
        Assert.Equal(2, Store.Locks().Count);
        Assert.Empty(Store.VerifyRegister());
    }

    [Fact]
    public void Readers_share_and_a_writer_waits_for_all_of_them()
    {
        Assert.Empty(Store.TakeLocks("r1", [Bucket]));
        Assert.Empty(Store.TakeLocks("r2", [Bucket]));
        Store.Create("r3", Started(), DriverOf(3));
        Assert.Equal(["r1", "r2"], Store.TakeLocks("r3", [Bucket with { Shared = false }]).Select(l => l.Run));
        Assert.Single(Store.TakeLocks("r1", [Bucket with { Shared = false }]));
    }

    [Fact]
    public void A_reader_waits_for_a_writer()
    {
        Store.TakeLocks("r1", [Redis]);
        Assert.Single(Store.TakeLocks("r2", [Redis with { Shared = true }]));
    }

    [Fact]
    public void A_run_takes_its_own_locks_again_and_never_weakens_them()
    {
        Store.TakeLocks("r1", [Redis with { Shared = true }]);
        Assert.Empty(Store.TakeLocks("r1", [Redis, Redis with { Shared = true }]));
        Assert.Empty(Store.TakeLocks("r1", [Redis with { Shared = true }]));
        Assert.False(Assert.Single(Store.Locks()).Shared);
    }

    [Fact]
    public void Locks_are_held_while_suspended_and_released_with_the_end_of_the_run()
    {
        Store.TakeLocks("r1", [Redis, Bucket]);
        Store.Append(_first, new RunSuspended("pause"));
        Store.Release(_first);
        Assert.Single(Store.TakeLocks("r2", [Redis]));

        var again = Store.TryTake("r1", DriverOf(9), "resume").Taken!;
        Store.Append(again, new RunEnded(Outcome.Succeeded, "done", []));
        Assert.Empty(Store.TakeLocks("r2", [Redis]));
    }

    [Fact]
    public void Released_locks_are_free()
    {
        Store.TakeLocks("r1", [Redis]);
        Store.ReleaseLocks("r1");
        Assert.Empty(Store.TakeLocks("r2", [Redis]));
    }

    [Fact]
    public void Breaking_a_lock_goes_into_the_record_of_each_run_that_held_it()
    {
        Store.TakeLocks("r1", [Bucket]);
        Store.TakeLocks("r2", [Bucket]);
        Store.BreakLock("s3://b", Bob, "host burnt down");

        Assert.Empty(Store.Locks());
        foreach (var run in new[] { "r1", "r2" })
        {
            var entry = Store.Read(run)[^1];
            Assert.Equal((Bob, new LockBroken("s3://b", "host burnt down")), (entry.By, (LockBroken)entry.Event));
            Assert.Empty(Store.Verify(run));
        }
    }

    [Fact]
    public void A_lock_is_broken_only_with_a_reason_and_only_if_somebody_holds_it()
    {
        Store.TakeLocks("r1", [Redis]);
        Assert.Throws<RunbookException>(() => Store.BreakLock(Redis.Identity, Bob, " "));
        Assert.Throws<RunbookException>(() => Store.BreakLock("nothing", Bob, "why not"));
        Assert.Single(Store.Locks());
    }

    [Fact]
    public void A_lock_taken_before_its_run_was_registered_can_be_seen_and_broken()
    {
        Store.TakeLocks("never", [Redis]);
        Assert.Equal(("never", ""), (Store.Locks()[0].Run, Store.Locks()[0].Runbook));
        Store.BreakLock(Redis.Identity, Bob, "crashed at the start");
        Assert.Empty(Store.Locks());
    }

    [Fact]
    public void WFE_01_Who_waits_is_told_who_holds_the_target_since_when_and_that_its_driver_is_gone()
    {
        var dead = DriverIdentity.Current with { StartTicks = 1 };
        Store.Create("r3", Started(), dead);
        Store.TakeLocks("r3", [Redis]);

        var held = Assert.Single(Store.TakeLocks("r2", [Redis]));
        Assert.True(held.DriverGone);
        Assert.Equal($"Target redis is held by run r3 of 'redis-restore' (started by alice, suspended) since 2026-03-01 02:00:00 UTC; its driver ({dead.Host}, pid {dead.Pid}) is gone.", held.Words);
        Assert.Contains("helix locks break 'redis://h:6379'", held.Hint, StringComparison.Ordinal);
        Assert.Empty(Store.TakeLocks("r1", [Bucket])); // others are not blocked
    }
}
