using System.Globalization;

namespace Helix.Runbooks.Steps.Processes;

/// <summary>One very process: a pid alone may be somebody else's by now.</summary>
public sealed record ProcessIdentity(int Pid, long StartTicks, string Boot)
{
    static readonly Lazy<string> ThisBoot = new(() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());

    // The kernel gives all programs clock ticks of 1/100 s.
    const double TicksPerSecond = 100;

    public static string BootId => ThisBoot.Value;

    /// <summary>The process with this pid, now; null when there is none. One that has ended is none, also while its parent has not looked.</summary>
    public static ProcessIdentity? Of(int pid) =>
        ProcessStat.Read(pid) is { Ended: false } stat ? new(pid, stat.StartTicks, BootId) : null;

    public bool IsAlive => Boot == BootId && ProcessStat.Read(Pid) is { Ended: false } stat && stat.StartTicks == StartTicks;

    /// <summary>It lives, and this account may not see more of it (hidepid).</summary>
    public static bool IsHidden(int pid) => ProcessStat.Read(pid) is null && Signals.Refuses(pid);

    /// <summary>When it was started, where the clock says that the machine booted at <paramref name="bootedAt"/>.</summary>
    public DateTime StartedAt(DateTime bootedAt) => bootedAt.AddSeconds(StartTicks / TicksPerSecond);

    /// <summary>By the clock of now: it moves when that is set.</summary>
    public static DateTime BootedAt =>
        DateTime.UnixEpoch.AddSeconds(long.Parse(File.ReadLines("/proc/stat").First(l => l.StartsWith("btime ", StringComparison.Ordinal))[6..], CultureInfo.InvariantCulture));

    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"{Pid} {StartTicks} {Boot}\n");

    /// <summary>Null when the text is not one.</summary>
    public static ProcessIdentity? Parse(string text) =>
        text.Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is [var pid, var ticks, var boot]
        && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var p) && p > 1
        && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var t)
            ? new(p, t, boot)
            : null;
}

/// <summary>What /proc says of a process.</summary>
public sealed record ProcessStat(int Pid, char State, int Group, int Session, int Threads, long StartTicks)
{
    /// <summary>With all its threads: the first may be a zombie while another still holds files, locks and ports (proc_pid_stat(5)).</summary>
    public bool Ended => State is 'X' || State is 'Z' && Threads <= 1;

    public static ProcessStat? Read(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            // The name, in parentheses, may hold anything.
            return Parse(pid, text[(text.LastIndexOf(')') + 2)..]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <param name="text">What follows the name.</param>
    public static ProcessStat Parse(int pid, string text)
    {
        var fields = text.Split(' ');
        return new(pid, fields[0][0], int.Parse(fields[2], CultureInfo.InvariantCulture), int.Parse(fields[3], CultureInfo.InvariantCulture), int.Parse(fields[17], CultureInfo.InvariantCulture), long.Parse(fields[19], CultureInfo.InvariantCulture));
    }

    public static IEnumerable<ProcessStat> All() =>
        Directory.EnumerateDirectories("/proc")
            .Select(d => int.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? Read(pid) : null)
            .OfType<ProcessStat>();
}
