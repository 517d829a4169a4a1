using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Postgres;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Nodes;

/// <summary>Several real <c>helix serve</c> on one PostgreSQL store, runbooks in a folder that all of them have, and somebody who may do everything.</summary>
sealed class Cluster : IAsyncDisposable
{
    readonly List<NodeProcess> _nodes = [];
    readonly AccountStore _accounts;

    public Cluster(PostgresServer postgres)
    {
        StoreName = postgres.Store();
        Store = JournalStore.Open(StoreName, TimeProvider.System);
        _accounts = new AccountStore(StoreName, TimeProvider.System, 1000);
        _accounts.Add("root", [new Grant(Role.Admin, Grant.Everywhere)]);
        Token = _accounts.NewToken("root", "test", [Role.Admin], TimeSpan.FromDays(1));
        Write("environments/here.yaml", "apiVersion: helix.runbooks/v1\nname: here\ntargets:\n  shelf: { kind: directory, path: /nowhere }\n");
        Write("count.yaml", Counting("count"));
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("helix-nodes-").FullName;
    public string StoreName { get; }
    public string Token { get; }
    public JournalStore Store { get; }
    internal AccountStore Accounts => _accounts;
    public string Runbooks => Path.Combine(Folder, "runbooks");

    /// <summary>Writes a line, counts its tries until somebody says "on", writes another.</summary>
    public string Counting(string name, string head = "") => $$$"""
        apiVersion: helix.runbooks/v1
        name: {{{name}}}
        title: Counts
        {{{head}}}
        steps:
          - { id: first, uses: command.run, effect: changes, with: { argv: [sh, -c, 'echo first >> "$0/world-$1"', {{{Folder}}}, "{{ run.id }}"] } }
          - { id: slow, uses: command.run, effect: reads, with: { argv: [sh, -c, 'echo $$ >> "$0/slow-$1"; until test -e "$0/on-$1" -o ! -d "$0"; do sleep 0.05; done', {{{Folder}}}, "{{ run.id }}"] } }
          - { id: last, uses: command.run, effect: changes, with: { argv: [sh, -c, 'echo last >> "$0/world-$1"', {{{Folder}}}, "{{ run.id }}"] } }
        """;

    public string Write(string name, string text)
    {
        var path = Path.Combine(Runbooks, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Nodes that start together, since each takes its time.</summary>
    public async Task<NodeProcess[]> Start(params IEnumerable<Func<Cluster, NodeProcess>> starts)
    {
        var nodes = starts.Select(s => s(this)).ToArray();
        _nodes.AddRange(nodes);
        await Task.WhenAll(nodes.Select(n => n.Listens(Token)));
        return nodes;
    }

    public RunState State(string run) => RunState.Of(run, Store.Read(run));
    public string[] Tries(string run) => Lines("slow-" + run);
    public string[] World(string run) => Lines("world-" + run);
    public void GoOn(string run) => File.WriteAllText(Path.Combine(Folder, "on-" + run), "");

    /// <summary>The slow step has been begun so often.</summary>
    public Task Tried(string run, int times = 1) => Until(() => Tries(run).Length >= times, $"{run} is at its slow step");

    public Task Ends(string run) => Until(() => State(run).Status == RunStatus.Succeeded, $"{run} succeeds");

    public async Task Until(Func<bool> holds, string what)
    {
        try
        {
            await Eventually.True(holds, what);
        }
        catch (Xunit.Sdk.FailException e)
        {
            Assert.Fail($"{e.Message}\n{string.Join('\n', _nodes.Select(n => $"{n.Name}: {n.Said}"))}");
        }
    }

    /// <summary>It went well, once, and its record says so without a gap.</summary>
    public void Sound(string run)
    {
        Assert.Equal(["first", "last"], World(run));
        Assert.Empty(Store.Verify(run));
        Assert.All(Store.Read(run).Select(e => e.Event).OfType<StepSucceeded>().CountBy(s => s.Path), s => Assert.Equal(1, s.Value));
    }

    string[] Lines(string file) => File.Exists(Path.Combine(Folder, file)) ? File.ReadAllLines(Path.Combine(Folder, file)) : [];

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            node.Dispose();
        _accounts.Dispose();
        Store.Dispose();
        await Task.Yield();
        TempFolder.Delete(Folder);
    }
}

/// <summary>One <c>helix serve</c> of several.</summary>
sealed class NodeProcess : IDisposable
{
    readonly Process _process;
    readonly System.Text.StringBuilder _said = new();
    HttpClient? _client;

    /// <param name="within">What it is started through, as another network.</param>
    public NodeProcess(Cluster cluster, string name, string listen = "127.0.0.1:0", IEnumerable<string>? within = null, params IEnumerable<string> more)
    {
        Name = name;
        string[] command = [.. within ?? [], "dotnet", Programs.HelixDll, "serve", "--listen", listen, "--runbooks", cluster.Runbooks, "--node", name, .. more];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HELIX_STORE"] = cluster.StoreName;
        start.Environment["HELIX_DATA"] = Directory.CreateDirectory(Path.Combine(cluster.Folder, "data")).FullName;
        start.Environment["DOTNET_TieredPGO"] = "0";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }
    public int Pid => _process.Id;
    public HttpClient Client => _client ?? throw new InvalidOperationException($"{Name} does not listen.");

    public string Said
    {
        get
        {
            lock (_said)
                return _said.ToString();
        }
    }

    public async Task Listens(string token)
    {
        const string Serves = " at http";
        await Eventually.True(() => Said.Contains(Serves, StringComparison.Ordinal) || _process.HasExited, $"{Name} listens");
        Assert.False(_process.HasExited, Said);
        var address = Said[(Said.IndexOf(Serves, StringComparison.Ordinal) + 4)..].Split('\n')[0].Trim();
        _client = new HttpClient { BaseAddress = new Uri(address), Timeout = Hang.Limit };
        _client.DefaultRequestHeaders.Authorization = new("Bearer", token);
    }

    public async Task<string> Run(string runbook, string? key = null)
    {
        using var wish = new HttpRequestMessage(HttpMethod.Post, "/api/v1/runs") { Content = JsonContent.Create(new { runbook, environment = "here" }) };
        if (key is not null)
            wish.Headers.Add("Idempotency-Key", key);
        using var answer = await Client.SendAsync(wish);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!["run"]!.GetValue<string>();
    }

    public async Task<HttpStatusCode> Ready()
    {
        using var answer = await Client.GetAsync("/health/ready");
        return answer.StatusCode;
    }

    public void Kill() => _process.Send(ProcessSignals.Kill);
    public Task Stop() => _process.StopWhole();
    public void Continue() => _process.Send(ProcessSignals.Continue);

    void Keep(string? line)
    {
        lock (_said)
            _said.AppendLine(line);
    }

    public void Dispose()
    {
        Continue();
        Kill();
        _process.WaitForExit();
        _process.Dispose();
        _client?.Dispose();
    }
}
