using System.Diagnostics;

namespace Helix.Runbooks.Tests;

/// <summary>Waits in real time for real servers and processes: looks again and again until a deadline.</summary>
static class Eventually
{
    static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan Latest = TimeSpan.FromMilliseconds(250);

    public static Task True(Func<bool> condition, string what) =>
        True(() => Task.FromResult(condition()), what);

    /// <summary>An exception of the condition counts as "not yet"; the last one is part of the failure.</summary>
    public static async Task True(Func<Task<bool>> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            Exception? last = null;
            try
            {
                if (await condition())
                    return;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                last = e;
            }
            if (watch.Elapsed > Hang.Limit)
                Assert.Fail($"Not within {Hang.Limit}: {what}. {last?.Message}");
            // Looks cost processor time: what takes long is looked at less often.
            await Task.Delay(TimeSpan.FromTicks(Math.Clamp(watch.Elapsed.Ticks / 10, Soonest.Ticks, Latest.Ticks)), TimeProvider.System, CancellationToken.None);
        }
    }
}
