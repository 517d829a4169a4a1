namespace Helix.Server.Tests;

/// <summary>The clock on the wall, which the test alone sets ahead: however long the machine keeps it waiting, nothing becomes due or over by itself. What waits, waits in real time.</summary>
/// <remarks>Each look is a tick later than the one before, so that of two things the first is the older.</remarks>
sealed class StillClock(DateTimeOffset? begins = null) : TimeProvider
{
    long _ticks = (begins ?? System.GetUtcNow()).UtcTicks;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Increment(ref _ticks), TimeSpan.Zero);
    public void Pass(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
}
