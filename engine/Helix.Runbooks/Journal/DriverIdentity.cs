using System.Runtime.InteropServices;
using Helix.Runbooks.Steps.Processes;

namespace Helix.Runbooks.Journal;

/// <summary>Which process drives, and whether another one of this host still runs.</summary>
public static class DriverIdentity
{
    static readonly Lazy<Driver> ThisProcess = new(Read);

    public static Driver Current => ThisProcess.Value;

    /// <summary>It runs on this host, since its last boot, and is the same process, not another with its number.</summary>
    public static bool IsAlive(Driver driver) => IsOfThisHost(driver) && driver.BootId == Current.BootId && !IsDead(driver);

    /// <summary>It is sure to be no more. False for a driver of another host: there only the heartbeat tells.</summary>
    public static bool IsGone(Driver driver) => IsOfThisHost(driver) && (driver.BootId != Current.BootId || IsDead(driver));

    static bool IsOfThisHost(Driver driver) => driver.Host == Current.Host;

    static bool IsDead(Driver driver)
    {
        // Other people's processes may be hidden in /proc, but a signal tells "not yours" from "not there".
        if (kill(driver.Pid, 0) != 0 && Marshal.GetLastPInvokeError() == NoSuchProcess)
            return true;
        return ProcessStat.Read(driver.Pid) is { } stat && (stat.StartTicks != driver.StartTicks || stat.Ended);
    }

    static Driver Read()
    {
        var ticks = ProcessStat.Read(Environment.ProcessId)?.StartTicks ?? 0;
        return new Driver(HostName(), ProcessIdentity.BootId, Environment.ProcessId, ticks, Environment.UserName);
    }

    // Process numbers of a container mean nothing outside of it, even when it uses the name of its host.
    static string HostName()
    {
        var space = new FileInfo("/proc/self/ns/pid").LinkTarget;
        // With its domain: two sites may each have a "dr1", and .NET's MachineName ends at the first dot.
        var host = File.ReadAllText("/proc/sys/kernel/hostname").Trim();
        return space is null or FirstSpace ? host : $"{host}/{space}";
    }

    const int NoSuchProcess = 3;
    const string FirstSpace = "pid:[4026531836]";

    [DllImport("libc", ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int kill(int pid, int signal);
}
