namespace Helix.Server.Tests.Messages;

/// <summary>The clock on the wall, set ahead by the test.</summary>
sealed class Clock : TimeProvider
{
    TimeSpan _ahead;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _ahead;
    public void Pass(TimeSpan time) => _ahead += time;
}
