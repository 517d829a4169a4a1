using System.Diagnostics;
using Xunit;

namespace Helix.Runbooks.Tests.Journal;

/// <summary>A real second process that writes into a store, and what it said was acknowledged.</summary>
static class WriterProcess
{
    public static async Task<(int ExitCode, List<long> Acknowledged)> Run(string verb, string store, string run, int count, string? failpoint = null, int killAfter = int.MaxValue)
    {
        var start = new ProcessStartInfo(Programs.FakeTool, ["journal", verb, store, run, count.ToString()]) { RedirectStandardOutput = true };
        start.Environment["HELIX_FAILPOINT"] = failpoint ?? "";
        using var process = Process.Start(start)!;
        var acknowledged = new List<long>();
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            acknowledged.Add(long.Parse(line));
            if (acknowledged.Count == killAfter)
                process.Kill();
        }
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, acknowledged);
    }
}
