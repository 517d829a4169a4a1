using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Helix.Server.Tests;

/// <summary>The built executable with the store of a test.</summary>
sealed class HelixProcess : IDisposable
{
    readonly Process _process;

    /// <param name="typed">On standard input.</param>
    public HelixProcess(ServerHere here, IEnumerable<string> arguments, string? typed = null, params IEnumerable<(string Name, string Value)> variables) : this(here.StoreName, here.Folder, arguments, typed, variables)
    {
    }

    public HelixProcess(string store, string folder, IEnumerable<string> arguments, string? typed = null, params IEnumerable<(string Name, string Value)> variables)
    {
        var start = new ProcessStartInfo("dotnet", [Programs.HelixDll, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["HELIX_STORE"] = store;
        start.Environment["HELIX_DATA"] = Path.Combine(folder, "data");
        start.Environment["XDG_CONFIG_HOME"] = Path.Combine(folder, "config");
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        if (typed is not null)
            _process.StandardInput.WriteLine(typed);
        _process.StandardInput.Close();
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>A terminal that drives the slow runbook, whose step runs.</summary>
    public static async Task<HelixProcess> DrivesSlow(ServerHere here)
    {
        var terminal = new HelixProcess(here, ["run", Path.Combine(here.Runbooks, "slow.yaml"), "-e", Path.Combine(here.Runbooks, "environments", "here.yaml"), "--unattended"]);
        await Eventually.True(() => File.Exists(Path.Combine(here.Folder, "slow")), "the slow step runs");
        return terminal;
    }

    readonly System.Text.StringBuilder _said = new();

    public string Said
    {
        get
        {
            lock (_said)
                return _said.ToString();
        }
    }

    void Keep(string? line)
    {
        lock (_said)
            _said.AppendLine(line);
    }

    public async Task<int> End()
    {
        using var limit = new CancellationTokenSource(Hang.Limit, TimeProvider.System);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public int Id => _process.Id;

    public Task<int> Stop()
    {
        Process.Start("kill", ["-TERM", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]).WaitForExit();
        return End();
    }

    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }
}

/// <summary><c>helix serve</c> as a process of its own.</summary>
sealed partial class ServeProcess : IDisposable
{
    readonly HelixProcess _process;

    ServeProcess(HelixProcess process) => _process = process;

    public Uri Address => new(Listening().Match(_process.Said).Groups[1].Value);

    public static async Task<ServeProcess> Start(ServerHere here, params IEnumerable<(string Name, string Value)> variables)
    {
        var process = new HelixProcess(here, ["serve", "--listen", "127.0.0.1:0", "--runbooks", here.Runbooks], null, variables);
        await Eventually.True(() => Listening().IsMatch(process.Said), "helix serve listens");
        return new ServeProcess(process);
    }

    /// <summary>The administrator that its first link makes.</summary>
    public async Task<Browser> Administrator(string name = "root")
    {
        await Eventually.True(() => _process.Said.Contains("/setup/", StringComparison.Ordinal), "the first link is printed");
        var browser = new Browser(Address);
        await browser.Post(Link().Match(_process.Said).Value, ("account", name), ("password", ServerHere.Password), ("again", ServerHere.Password));
        return browser;
    }

    public void Kill() => _process.Kill();

    /// <summary>As systemd stops it; gives how it ended.</summary>
    public Task<int> Stop() => _process.Stop();
    public string Maps => File.ReadAllText($"/proc/{_process.Id}/maps");
    public void Dispose() => _process.Dispose();

    [GeneratedRegex(@"Helix serves .* at (http://\S+)")]
    private static partial Regex Listening();

    [GeneratedRegex("/setup/[A-Za-z0-9_-]+")]
    private static partial Regex Link();
}
