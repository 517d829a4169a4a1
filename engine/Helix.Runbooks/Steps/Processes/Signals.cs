using System.Globalization;
using System.Runtime.InteropServices;

namespace Helix.Runbooks.Steps.Processes;

enum Signal { Interrupt = 2, Quit = 3, Kill = 9, Pipe = 13, Terminate = 15 }

/// <summary>Sends signals to process groups, which .NET cannot.</summary>
static class Signals
{
    // Children inherit what is ignored. .NET ignores SIGPIPE: `yes | head` in a script would then fail with "write error". Shells let what they
    // start in the background ignore SIGINT and SIGQUIT: a child could then not be asked to end.
    // A signal that has a handler is reset in children; `abs` is a handler that does nothing and is safe at any moment.
    static Signals()
    {
        foreach (var signal in new[] { Signal.Interrupt, Signal.Quit, Signal.Pipe }.Where(IsIgnored))
            SetHandler((int)signal, NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "abs"));
    }

    /// <summary>By what /proc says of this process: a mask, of which the lowest bit is signal 1.</summary>
    static bool IsIgnored(Signal signal)
    {
        var mask = File.ReadLines("/proc/self/status").First(l => l.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim();
        return (ulong.Parse(mask, NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> ((int)signal - 1) & 1) == 1;
    }

    /// <summary>From now on children start with the usual answer to a closed pipe.</summary>
    public static void ResetInChildren()
    {
    }

    /// <summary>To the whole group that the process leads, or to the process alone while it does not lead one yet.</summary>
    public static void SendToGroup(int leader, Signal signal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(leader, 1);
        if (Kill(-leader, (int)signal) != 0)
            _ = Kill(leader, (int)signal);
    }

    /// <summary>There is such a process, and it takes no signals from this account.</summary>
    public static bool Refuses(int pid) => Kill(pid, 0) != 0 && Marshal.GetLastPInvokeError() == NotPermitted;

    const int NotPermitted = 1;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    static extern int Kill(int pid, int signal);

    [DllImport("libc", EntryPoint = "signal")]
    static extern nint SetHandler(int signal, nint handler);
}
