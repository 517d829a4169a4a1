namespace Helix.Runbooks.Tests;

/// <summary>The system's clock, on which no pause begins before something is so.</summary>
sealed class WatchedClock : TimeProvider
{
    public Func<bool>? BeforeAPause { get; set; }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (BeforeAPause is { } condition)
            Eventually.True(condition, "a pause may begin").GetAwaiter().GetResult();
        return base.CreateTimer(callback, state, dueTime, period);
    }
}
