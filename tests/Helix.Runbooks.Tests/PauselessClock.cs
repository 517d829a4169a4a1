namespace Helix.Runbooks.Tests;

/// <summary>A clock on which short pauses pass at once, and move it forward by their length. Long timers are those of the system.</summary>
/// <param name="stands">Nothing else moves it.</param>
sealed class PauselessClock(bool stands = false) : TimeProvider
{
    static readonly TimeSpan Short = TimeSpan.FromSeconds(5);

    readonly DateTimeOffset _began = System.GetUtcNow();
    long _ahead;

    public TimeSpan Ahead => TimeSpan.FromTicks(Interlocked.Read(ref _ahead));
    public override DateTimeOffset GetUtcNow() => (stands ? _began : System.GetUtcNow()) + Ahead;
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime < TimeSpan.Zero || dueTime > Short)
            return System.CreateTimer(callback, state, dueTime, period);
        Interlocked.Add(ref _ahead, dueTime.Ticks);
        return System.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
