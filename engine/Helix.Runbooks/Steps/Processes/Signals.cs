using System.Runtime.InteropServices;

namespace Helix.Runbooks.Steps.Processes;

enum Signal { Interrupt = 2, Kill = 9, Pipe = 13, Terminate = 15 }

/// <summary>Sends signals to process groups, which .NET cannot.</summary>
static class Signals
{
    // .NET ignores SIGPIPE and its children inherit that: `yes | head` in a script would then fail with "write error".
    // A signal that has a handler is reset in children; `abs` is a handler that does nothing and is safe at any moment.
    static Signals() => SetHandler((int)Signal.Pipe, NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "abs"));

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

    [DllImport("libc", EntryPoint = "kill")]
    static extern int Kill(int pid, int signal);

    [DllImport("libc", EntryPoint = "signal")]
    static extern nint SetHandler(int signal, nint handler);
}
