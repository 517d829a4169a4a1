using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Helix.Runbooks.Tests;

/// <summary>Signals to a process that a test started.</summary>
static class ProcessSignals
{
    public const int HangUp = 1, Interrupt = 2, Kill = 9, Terminate = 15, Continue = 18, Stop = 19;

    public static void Send(this Process process, int signal) => _ = Send(process.Id, signal);

    /// <summary>Stops it, and waits until none of its threads runs: a signal returns before it is obeyed.</summary>
    public static Task StopWhole(this Process process)
    {
        process.Send(Stop);
        return Eventually.True(() => Directory.EnumerateDirectories($"/proc/{process.Id}/task").All(IsStopped), $"process {process.Id} stands still");
    }

    static bool IsStopped(string thread)
    {
        var text = File.ReadAllText(Path.Combine(thread, "stat"));
        return text[(text.LastIndexOf(')') + 2)..][0] == 'T';
    }

    [DllImport("libc", EntryPoint = "kill")]
    static extern int Send(int pid, int signal);
}
