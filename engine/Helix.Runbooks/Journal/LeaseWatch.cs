namespace Helix.Runbooks.Journal;

/// <summary>Watches a lease on the observer's own monotonic clock: it is expired when its heartbeat stood still for so long.</summary>
/// <remarks>Look at least four times within the patience: a longer gap counts as a quarter, because an observer that was itself paused has seen nothing.</remarks>
public sealed class LeaseWatch(TimeProvider time, TimeSpan patience)
{
    LeaseState? _seen;
    long _lookedAt;
    TimeSpan _still;

    /// <summary>For how long the heartbeat stood still before the observer's eyes.</summary>
    public TimeSpan StoodStill => _still;

    /// <summary>Looks once.</summary>
    public bool IsExpired(LeaseState state)
    {
        var now = time.GetTimestamp();
        if (_seen is null || (_seen.Epoch, _seen.Beat) != (state.Epoch, state.Beat))
            _still = TimeSpan.Zero;
        else
            _still += Min(time.GetElapsedTime(_lookedAt, now), patience / 4);
        (_seen, _lookedAt) = (state, now);
        return _still >= patience;
    }

    static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
