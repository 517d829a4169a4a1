using System.Diagnostics;
using System.Net.Sockets;
using Helix.Steps.Redis;
using StackExchange.Redis;

namespace Helix.Runbooks.Tests.Redis;

/// <summary>One primary, its replicas and three sentinels that know each other. Fresh for each failover: a second one soon after is refused.</summary>
sealed class SentinelSet : IAsyncDisposable
{
    public const string Name = "helix-master";
    const string Password = "set-pass";
    public const string SentinelPassword = "sentinel-pass";

    readonly string _folder = Directory.CreateTempSubdirectory("helix-sentinel-").FullName;
    readonly List<Process> _sentinels = [];
    readonly List<int> _ports = [];

    public required RedisServer Primary { get; init; }
    public required IReadOnlyList<RedisServer> Replicas { get; init; }
    public RedisServer Replica => Replicas[0];

    /// <param name="replicaSettings">One replica for each list of settings.</param>
    public static async Task<SentinelSet> Start(string[]? primarySettings = null, params string[][] replicaSettings)
    {
        if (replicaSettings.Length == 0)
            replicaSettings = [[]];
        var primary = await RedisServer.Start(Password, primarySettings ?? []);
        var replicas = new List<RedisServer>();
        foreach (var settings in replicaSettings)
            replicas.Add(await RedisServer.Start(Password, [$"replicaof 127.0.0.1 {primary.Port}", .. settings]));
        var set = new SentinelSet { Primary = primary, Replicas = replicas };
        for (var i = 0; i < 3; i++)
            set.StartSentinel();
        return set;
    }

    void StartSentinel()
    {
        var port = Ports.Free();
        var file = Path.Combine(_folder, $"sentinel-{port}.conf");
        File.WriteAllLines(file,
        [
            "bind 127.0.0.1", $"port {port}", $"dir {_folder}", $"logfile {Path.Combine(_folder, $"{port}.log")}",
            "sentinel resolve-hostnames yes",
            $"sentinel monitor {Name} 127.0.0.1 {Primary.Port} 2",
            $"sentinel auth-pass {Name} {Password}",
            // A server that only has no turn on a busy machine is not down.
            $"sentinel down-after-milliseconds {Name} 60000",
            $"sentinel failover-timeout {Name} 20000",
            $"sentinel parallel-syncs {Name} 1",
            $"requirepass {SentinelPassword}",
        ]);
        _ports.Add(port);
        _sentinels.Add(Process.Start(new ProcessStartInfo(RedisServer.Executable, [file, "--sentinel"]) { UseShellExecute = false })!);
    }

    /// <summary>Waits until all sentinels know each other and the replicas.</summary>
    public async Task<SentinelSet> Agreed()
    {
        using var host = Host();
        var target = host.PlanContext().Target<SentinelTarget>("sentinel");
        await Eventually.True(async () =>
        {
            var view = await SentinelView.Read(target, host.PlanContext());
            return view.Problems.Count == 0 && view.Replicas.Count + view.Unresolved.Count == Replicas.Count && view.Replicas.Any(r => r.IsGood(false));
        }, "the sentinels agree");
        foreach (var port in _ports)
            await Eventually.True(async () => (await Ask(port, "SENTINEL", "CKQUORUM", Name)).Contains("3 usable", StringComparison.Ordinal), $"sentinel {port} knows the others");
        return this;
    }

    /// <summary>From now on those that answer take for down what does not answer for a second.</summary>
    public async Task NoticeSoon()
    {
        foreach (var port in _ports.Where(Listens))
            await Ask(port, "SENTINEL", "SET", Name, "down-after-milliseconds", "1000", "failover-timeout", "5000");
    }

    public TestHost Host(TimeProvider? clock = null)
    {
        var host = new TestHost { Clock = clock ?? TimeProvider.System };
        host.Add("sentinel", new SentinelTarget
        {
            Endpoints = Endpoints,
            Master = Name,
            Password = host.Canary("SENTINEL_PASSWORD", SentinelPassword),
            NodePassword = host.Canary("NODE_PASSWORD", Password),
        });
        return host;
    }

    static async Task<string> Ask(int port, string command, params object[] arguments)
    {
        await using var sentinel = await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions
        {
            EndPoints = { { "127.0.0.1", port } },
            Password = SentinelPassword,
            CommandMap = CommandMap.Sentinel,
            AllowAdmin = true,
            ConnectTimeout = 60_000,
        });
        return (await sentinel.GetServers()[0].ExecuteAsync(command, arguments)).ToString();
    }

    public IReadOnlyList<string> Endpoints => [.. _ports.Select(p => $"127.0.0.1:{p}")];

    /// <summary>How many of the sentinels listen.</summary>
    public int Listening => _ports.Count(Listens);

    static bool Listens(int port)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Ends all of them.</summary>
    /// <returns>A script that runs them again as one service, until it ends.</returns>
    public async Task<string> AsOneService()
    {
        for (var i = 0; i < _sentinels.Count; i++)
            await StopSentinel(i);
        var script = Path.Combine(_folder, "sentinels.sh");
        await File.WriteAllTextAsync(script, $"""
            trap 'kill $(jobs -p); wait; exit 0' TERM
            for config in {_folder}/sentinel-*.conf; do setpriv --pdeathsig KILL {RedisServer.Executable} "$config" --sentinel & done
            wait
            """);
        return script;
    }

    public async Task StopSentinel(int number)
    {
        _sentinels[number].Kill();
        await _sentinels[number].WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = 0; i < _sentinels.Count; i++)
        {
            await StopSentinel(i);
            _sentinels[i].Dispose();
        }
        await Primary.DisposeAsync();
        foreach (var replica in Replicas)
            await replica.DisposeAsync();
        TempFolder.Delete(_folder);
    }
}
