using System.Diagnostics;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Processes;

namespace Helix.Runbooks.Tests.Faults;

/// <summary>A driver that is a process of its own.</summary>
sealed class DriverProcess : IDisposable
{
    public const int Killed = 128 + 9;

    readonly Process _process;
    readonly Task<string> _stdout;
    readonly Task<string> _stderr;

    /// <param name="failpoint">Where it dies, see <see cref="Journal.Failpoint"/>.</param>
    public DriverProcess(string? failpoint, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Fake.Path, ["drive", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HELIX_FAILPOINT"] = failpoint ?? "";
        // It lives for a second: code is better cold than tuned.
        start.Environment["DOTNET_TieredPGO"] = "0";
        _process = Process.Start(start)!;
        _stdout = _process.StandardOutput.ReadToEndAsync();
        _stderr = _process.StandardError.ReadToEndAsync();
    }

    public int Pid => _process.Id;
    public bool HasExited => _process.HasExited;

    public async Task<(int ExitCode, string Stdout, string Stderr)> End()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Hang.Limit, TimeProvider.System);
        return (_process.ExitCode, await _stdout, await _stderr);
    }

    public void Interrupt() => _process.Send(ProcessSignals.Interrupt);
    public void Kill() => _process.Send(ProcessSignals.Kill);
    public void Continue() => _process.Send(ProcessSignals.Continue);

    /// <summary>Stopped within a write it would keep the store locked for everybody.</summary>
    public async Task StopBetweenWrites(string store)
    {
        await _process.StopWhole();
        while (StoreHolder.Of(store)?.Pid == Pid)
        {
            Continue();
            await _process.StopWhole();
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
