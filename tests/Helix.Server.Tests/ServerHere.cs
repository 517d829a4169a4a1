using System.Net;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Steps.Targets;

namespace Helix.Server.Tests;

/// <summary>A real server in this process, on a free port, with a folder of runbooks and a store of its own.</summary>
sealed class ServerHere : IAsyncDisposable
{
    public const string Password = "correct horse battery";
    static readonly StepCatalog Catalog = new(typeof(Runtime).Assembly);

    readonly List<string> _said = [];
    HelixServer? _server;

    public ServerHere()
    {
        Directory.CreateDirectory(Path.Combine(Runbooks, "environments"));
        Environment("here", "alice", "bob", "carol");
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("helix-server-").FullName;
    public string Runbooks
    {
        get => field.Length > 0 ? field : Path.Combine(Folder, "runbooks");
        init;
    } = "";
    public string StorePath => Path.Combine(Folder, "store", "helix.db");

    /// <summary>The name of the store: that file, or a database.</summary>
    public string StoreName
    {
        get => field ?? StorePath;
        init;
    }
    public TimeProvider Time { get; init; } = TimeProvider.System;
    public Func<ServerSettings, ServerSettings> Change { get; init; } = s => s;

    public HelixServer Server => _server ?? throw new InvalidOperationException("The server was not started.");
    public Uri Address => Server.Address;
    public JournalStore Store => Server.Site.Store;
    internal AccountStore Accounts => Server.Site.Accounts;
    public IReadOnlyList<string> Said
    {
        get
        {
            lock (_said)
                return [.. _said];
        }
    }

    /// <param name="port">One of <see cref="Ports"/> where it must be the same after a restart: what the kernel chooses is anybody's meanwhile.</param>
    public async Task<ServerHere> Start(int port = 0)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(StorePath)!);
        _server = await HelixServer.Start(Change(new ServerSettings
        {
            Listen = new IPEndPoint(IPAddress.Loopback, port),
            Runbooks = Runbooks,
            StorePath = StoreName,
            DataFolder = Path.GetDirectoryName(StorePath)!,
            PasswordRounds = 1000,
            Patience = Hang.Limit,
        }), Catalog, Time, line =>
        {
            lock (_said)
                _said.Add(line);
        });
        return this;
    }

    public async Task Stop()
    {
        if (_server is { } server)
            await server.DisposeAsync();
        _server = null;
    }

    /// <summary>An account with these roles everywhere, logged in through the page.</summary>
    public Task<Browser> LogIn(string name, params Role[] roles) => LogIn(name, [.. roles.Select(r => new Grant(r, Grant.Everywhere))]);

    public async Task<Browser> LogIn(string name, params Grant[] grants)
    {
        if (Accounts.Find(name) is null)
        {
            Accounts.Add(name, grants);
            Accounts.SetPassword(name, Password);
        }
        var browser = new Browser(Address);
        var answer = await browser.Post("/login", ("account", name), ("password", Password));
        Assert.Equal(HttpStatusCode.Redirect, answer.Status);
        return browser;
    }

    /// <param name="people">Members of the group dba.</param>
    public void Environment(string name, params string[] people) => Write($"environments/{name}.yaml", $$"""
        apiVersion: helix.runbooks/v1
        name: {{name}}
        targets:
          shelf: { kind: directory, path: {{Folder}}/shelf }
        people:
          groups: { dba: [{{string.Join(", ", people)}}] }
        """);

    public string Write(string name, string text)
    {
        var path = Path.Combine(Runbooks, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A runbook with this body below its title.</summary>
    public void Runbook(string name, string body) => Write(name + ".yaml", $"apiVersion: helix.runbooks/v1\nname: {name}\ntitle: The runbook {name}\n{body.Replace("FOLDER", Folder, StringComparison.Ordinal)}");

    public RunState State(string run) => RunState.Of(run, Store.Read(run));

    public async Task Becomes(string run, RunStatus status)
    {
        try
        {
            await Eventually.True(() => State(run).Status == status, $"run {run} is {status}");
        }
        catch (Xunit.Sdk.FailException e)
        {
            Assert.Fail($"{e.Message} It is {State(run).Status}, after {string.Join(", ", Store.Read(run).TakeLast(8).Select(x => x.Event.ToString()))}. The server said: {string.Join('\n', Said)}");
        }
    }

    /// <summary>It waits for people, and whoever drove it has let it go: also where another process has the store.</summary>
    public async Task IsLetGo(string run)
    {
        using var store = JournalStore.Open(StoreName, TimeProvider.System);
        await Eventually.True(() => RunState.Of(run, store.Read(run)).Status == RunStatus.Waiting && store.ReadLease(run) is { Released: true }, $"run {run} waits and is let go");
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        // A service that a runbook started outlives its run.
        foreach (var file in Directory.EnumerateFiles(Folder, "app.pid", SearchOption.AllDirectories))
            if (int.TryParse(await File.ReadAllTextAsync(file), out var pid) && System.Diagnostics.Process.GetProcesses().FirstOrDefault(p => p.Id == pid) is { } service)
            {
                service.Kill();
                // Its parent writes down how it ended, into this folder.
                await Eventually.True(() => File.Exists(file + ".exit"), "the service has ended");
            }
        TempFolder.Delete(Folder);
    }
}
