namespace Helix.Runbooks.Runs.Simulations;

/// <summary>A clock that stands still until somebody moves it. Its timers never fire: whoever waits looks at the time when it has moved.</summary>
sealed class SkippingClock(DateTimeOffset start) : TimeProvider
{
    long _ticks;

    public override DateTimeOffset GetUtcNow() => start + TimeSpan.FromTicks(Interlocked.Read(ref _ticks));
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override long GetTimestamp() => Interlocked.Read(ref _ticks);
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Never();

    public void Skip(TimeSpan time) => Interlocked.Add(ref _ticks, Math.Max(time.Ticks, 0));

    sealed class Never : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;
        public void Dispose() { }
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
