using System.Diagnostics;

namespace Helix.Runbooks.Tests.Cli;

/// <summary>The built executable as a process of its own, for what only a process has: environment, signals, pipes.</summary>
sealed class HelixProcess : IDisposable
{
    readonly Process _process;
    readonly Task<string> _out;
    readonly Task<string> _error;

    /// <summary>Whatever ignores signals around the tests, as nohup does, it starts with none ignored.</summary>
    public HelixProcess(string store, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
        : this("env", ["--default-signal", "dotnet", Programs.HelixDll, .. arguments], store, environment)
    {
    }

    /// <summary>As a shell starts what stands before an ampersand in a script: SIGINT and SIGQUIT are ignored.</summary>
    public static HelixProcess InBackground(string store, IEnumerable<string> arguments) =>
        new("sh", ["-c", """trap '' INT QUIT; exec dotnet "$@" """, "sh", Programs.HelixDll, .. arguments], store, []);

    /// <summary>In a folder that is gone by then.</summary>
    public static HelixProcess Nowhere(string store, IEnumerable<string> arguments) =>
        new("sh", ["-c", """cd "$(mktemp -d)" && rmdir "$PWD" && exec dotnet "$@" """, "sh", Programs.HelixDll, .. arguments], store, []);

    HelixProcess(string file, IEnumerable<string> arguments, string store, IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["HELIX_STORE"] = store;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.StandardInput.Close();
        _out = _process.StandardOutput.ReadToEndAsync();
        _error = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;
    public void Kill() => _process.Kill();
    public void HangUp() => _process.Send(ProcessSignals.HangUp);

    public async Task<(int Code, string Out, string Error)> End()
    {
        using var limit = new CancellationTokenSource(Hang.Limit, TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"helix (pid {Id}) has not ended. What runs:\n{Running()}");
        }
        return (_process.ExitCode, await _out, await _error);
    }

    static string Running()
    {
        using var list = Process.Start(new ProcessStartInfo("ps", ["-eo", "pid,ppid,pgid,stat,etimes,wchan:20,args", "--forest"]) { RedirectStandardOutput = true })!;
        return list.StandardOutput.ReadToEnd();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
