namespace Helix.Runbooks.Tests.Language;

/// <summary>How long this thread had a processor: what a limit on work means where other tests run beside it.</summary>
static class ThreadClock
{
    /// <summary>To 10 ms.</summary>
    public static TimeSpan Now()
    {
        var fields = File.ReadAllText("/proc/thread-self/stat");
        var after = fields[(fields.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromMilliseconds(10 * (long.Parse(after[11]) + long.Parse(after[12])));
    }
}
