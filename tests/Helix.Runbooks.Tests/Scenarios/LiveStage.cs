using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Cli;
using Helix.Runbooks.Tests.Http;

namespace Helix.Runbooks.Tests.Scenarios;

/// <summary>Where a shipped runbook runs as a whole: an environment, a store, drivers that are processes and may be killed, and a look for secrets into all that was written.</summary>
sealed class LiveStage : IAsyncDisposable
{
    public const int Killed = 137, Waits = 4;

    readonly Dictionary<string, string> _variables = [];
    readonly ConcurrentQueue<string> _said = new();
    readonly int _dashboardPort = Ports.Free();

    public LiveStage()
    {
        Folder = Directory.CreateTempSubdirectory("helix-live-").FullName;
        Directory.CreateDirectory(Path.Combine(Folder, "site"));
        File.WriteAllText(Path.Combine(Folder, "site", "health"), "well\n");
    }

    public string Folder { get; }
    public string EnvironmentFile => Path.Combine(Folder, "live.yaml");

    /// <summary>The services that use the data: a process that only waits, and a small web server.</summary>
    public string Services => $$"""
          mcp: { kind: process, start: [sleep, infinity], pidFile: mcp.pid, directory: . }
          dashboard:
            kind: http
            url: "http://127.0.0.1:{{_dashboardPort}}/health"
            runtime: { process: { start: [/usr/bin/busybox, httpd, -f, -p, "127.0.0.1:{{_dashboardPort}}", -h, site], pidFile: dashboard.pid, directory: . } }
        """;

    public bool DashboardRuns => IsAlive(Path.Combine(Folder, "dashboard.pid"));

    /// <summary>A value behind a reference, that may turn up nowhere.</summary>
    public string Secret(string variable, string value)
    {
        _variables[variable] = value;
        return $"env:{variable}";
    }

    public string Revealed(string reference) => _variables[reference["env:".Length..]];

    public void Environment(string targets, string variables = "") => File.WriteAllText(EnvironmentFile, $$"""
        apiVersion: helix.runbooks/v1
        name: live
        vars: { self_approval: true, settle: 1s, patience: 15m{{variables}} }
        targets:
        {{targets}}
        people:
          groups: { dba: [{{Me}}], incident_commander: [{{Me}}, carl], security: [{{Me}}, sam], key_holders: [{{Me}}] }
        """);

    public static string Me => System.Environment.UserName;

    public async Task<(int Code, string Out, string Error)> Helix(string? failpoint, params string[] arguments)
    {
        using var process = new HelixProcess(Path.Combine(Folder, "helix.db"), arguments, [.. _variables.Select(v => (v.Key, v.Value)), ("HELIX_FAILPOINT", failpoint ?? "")]);
        var ended = await process.End();
        _said.Enqueue(ended.Out + ended.Error);
        return ended;
    }

    public async Task<string> Ends(int code, string? failpoint, params string[] arguments)
    {
        var ended = await Helix(failpoint, arguments);
        Assert.True(ended.Code == code, $"{string.Join(' ', arguments)} ended with {ended.Code}, not {code}:\n{ended.Out}{ended.Error}");
        return ended.Out + ended.Error;
    }

    /// <summary>A driver that is killed from outside as soon as something is so.</summary>
    public async Task KilledWhen(Func<Task<bool>> condition, string what, params string[] arguments)
    {
        using var process = new HelixProcess(Path.Combine(Folder, "helix.db"), arguments, [.. _variables.Select(v => (v.Key, v.Value))]);
        await Eventually.True(condition, what);
        process.Kill();
        Assert.Equal(Killed, (await process.End()).Code);
    }

    /// <summary>Starts a shipped runbook without anybody at a terminal; gives its run.</summary>
    public Task<string> Start(string runbook, int code, string? failpoint = null, params string[] more) =>
        StartFile(Repository.Runbooks(runbook + ".yaml"), code, failpoint, more);

    public async Task<string> StartFile(string runbook, int code, string? failpoint, params string[] more)
    {
        await Ends(code, failpoint, ["run", runbook, "-e", EnvironmentFile, "--unattended", .. more]);
        return NewestRun.In(Path.Combine(Folder, "helix.db"));
    }

    /// <summary>Runs steps that are not shipped: what is there before the story begins.</summary>
    public async Task Prepare(string steps)
    {
        var path = Path.Combine(Folder, "prepare.yaml");
        await File.WriteAllTextAsync(path, "apiVersion: helix.runbooks/v1\nname: prepare\ntitle: What is there before\nsteps:\n" + steps + "\n");
        await Ends(0, null, "run", path, "-e", EnvironmentFile, "--unattended");
    }

    public async Task<JsonNode> Report(string run) => JsonNode.Parse(await Read("report", run, "--format", "json"))!;

    /// <summary>A command that only reads the store needs no process of its own.</summary>
    async Task<string> Read(params string[] arguments)
    {
        using var here = new HelixHere { Store = Path.Combine(Folder, "helix.db") };
        var code = await here.Run(arguments);
        _said.Enqueue(here.Out + here.Error);
        Assert.True(code == 0, here.Out + here.Error);
        return here.Out;
    }

    /// <summary>Neither the store, nor the files of the run, nor what the commands said, nor what went outside, holds a secret in any form.</summary>
    public async Task NoSecretIsAnywhere(string run, params IEnumerable<string> sinks)
    {
        foreach (var form in (string[])["md", "html", "json"])
            await Read("report", run, "--format", form);
        await Read("export", run);
        await Read("logs", run);
        var files = Directory.EnumerateFiles(Folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint });
        var all = files.Select(f => (Where: f, Text: File.ReadAllText(f, Encoding.Latin1))).Concat(_said.Select(s => ("what the commands said", s))).Concat(sinks.Select(s => ("what went outside", s)));
        foreach (var (where, text) in all)
            foreach (var (name, value) in _variables)
                Assert.False(SecretForms.Of(value).FirstOrDefault(f => text.Contains(f, StringComparison.Ordinal)) is { } form, $"{name} is in {where}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var file in Directory.GetFiles(Folder, "*.pid").Where(IsAlive))
            using (var process = Process.GetProcessById(Pid(file)))
            {
                process.Kill();
                await process.WaitForExitAsync();
            }
        await Eventually.True(() => !Directory.EnumerateDirectories("/proc").Any(RunsHere), $"nothing runs in {Folder}");
        TempFolder.Delete(Folder);
    }

    bool RunsHere(string process)
    {
        try
        {
            return new FileInfo(Path.Combine(process, "cwd")).LinkTarget?.StartsWith(Folder, StringComparison.Ordinal) == true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended
        }
    }

    static bool IsAlive(string pidFile) => File.Exists(pidFile) && Directory.Exists($"/proc/{Pid(pidFile)}");

    static int Pid(string file) => int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture);
}
