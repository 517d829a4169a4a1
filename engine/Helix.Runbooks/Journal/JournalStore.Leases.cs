using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    /// <summary>Takes the lease with the next epoch if it is free or released; else says who holds it.</summary>
    public (Lease? Taken, LeaseState Held) TryTake(string run, Driver driver, string reason) => Write<(Lease?, LeaseState)>(() =>
    {
        var row = Row(run);
        var held = LeaseOf(row);
        return held is { Released: false } ? (null, held) : (Take(row, held, driver, reason), LeaseOf(row)!);
    });

    /// <summary>Takes it from a holder whose heartbeat counter stood still for the taker's own observation, or by force.</summary>
    /// <exception cref="LeaseLostException">A third one was faster.</exception>
    /// <exception cref="RunbookException">The holder is alive: its counter is not the observed one.</exception>
    public Lease Take(string run, Driver driver, string reason, LeaseState observed) => Write(() =>
    {
        var row = Row(run);
        var held = LeaseOf(row);
        if (held is not null && held.Epoch != observed.Epoch)
            throw new LeaseLostException(run, observed.Epoch, held.Epoch);
        if (held is not null && held.Beat != observed.Beat && !held.Released)
            throw new RunbookException($"The driver of run {run} ({held.Driver.Host}, pid {held.Driver.Pid}) is alive: it moved while it was watched.",
                $"`helix handover {run}` asks it to give the run away.");
        return Take(row, held, driver, reason);
    });

    /// <summary>Moves the heartbeat counter, which holds milliseconds. False when the lease is lost.</summary>
    /// <param name="driven">For so long the lease has been held.</param>
    public bool Beat(Lease lease, TimeSpan driven = default) => WriteRelaxed(database => database.Run("""
        UPDATE leases SET beat = CASE WHEN beat < ?3 THEN ?3 ELSE beat + 1 END
        WHERE number = (SELECT number FROM runs WHERE run = ?1) AND epoch = ?2 AND released = 0
        """, lease.Run, lease.Epoch, (long)driven.TotalMilliseconds)) == 1;

    /// <summary>Gives the lease back. Nothing happens if it is lost already.</summary>
    public void Release(Lease lease) => WriteTogether(() => _durable.Run("""
        UPDATE leases SET released = 1
        WHERE number = (SELECT number FROM runs WHERE run = ?1) AND epoch = ?2
        """, lease.Run, lease.Epoch));

    public LeaseState? ReadLease(string run) => Look(database => LeaseOf(database, NumberOf(database, run), run));

    Lease Take(RegisterRow row, LeaseState? held, Driver driver, string reason)
    {
        var epoch = (held?.Epoch ?? 0) + 1;
        SetLease(row.Number, epoch, driver);
        Add(row, epoch, by: null, [new LeaseTaken(driver, reason) { DrivenBefore = held is { Released: false } ? TimeSpan.FromMilliseconds(held.Beat) : null }]);
        return new Lease(row.Run, epoch, driver);
    }

    void SetLease(long number, long epoch, Driver driver) => _durable.Run(
        NewLease, number, epoch, DriverText(driver), 0, false);

    const string NewLease = """
        INSERT INTO leases (number, epoch, driver, beat, released) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (number) DO UPDATE SET epoch = excluded.epoch, driver = excluded.driver, beat = excluded.beat, released = excluded.released
        """;

    LeaseState? LeaseOf(RegisterRow row) => LeaseOf(_durable, row.Number, row.Run);

    static LeaseState? LeaseOf(Database database, long number, string run) => database.One(
        "SELECT epoch, driver, beat, released FROM leases WHERE number = ?1",
        r => new LeaseState(run, r.GetInt64(0), ReadDriver(r, 1), r.GetInt64(2), r.GetInt64(3) != 0), number);
}

/// <summary>The right to drive a run.</summary>
public sealed record Lease(string Run, long Epoch, Driver Driver);

/// <summary>A lease as stored. <see cref="Beat"/> is a counter, never a time: its age is what the observer saw on its own clock.</summary>
public sealed record LeaseState(string Run, long Epoch, Driver Driver, long Beat, bool Released)
{
    /// <summary>Nobody drives: it was given back, or its driver is seen to be gone. Of a driver on another host only the heartbeat tells.</summary>
    public bool IsFree => Released || DriverIdentity.IsGone(Driver);
}
