using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Helix.Runbooks.Steps;
using Helix.Steps.Redis;
using StackExchange.Redis;

namespace Helix.Runbooks.Tests.Redis;

/// <summary>A real redis-server on a free port with its files in a fresh folder. The runtime of its target may stop and start it: it is stopped by the pid in its pid file.</summary>
sealed class RedisServer : IAsyncDisposable
{
    public const string Executable = "/usr/bin/redis-server";

    public int Port { get; }
    public string Folder { get; }
    public string? Password { get; }
    public string DataFile => Path.Combine(Folder, "dump.rdb");
    public string LogFile => Path.Combine(Folder, "redis.log");
    public string ConfigFile => Path.Combine(Folder, "redis.conf");
    public string PidFile => Path.Combine(Folder, "redis.pid");
    public RedisEndpoint At => new("127.0.0.1", Port);

    readonly IReadOnlyList<string> _arguments;

    /// <summary>The server reads no configuration file, as in a container that gets arguments.</summary>
    RedisServer(IEnumerable<string> arguments)
    {
        Folder = Directory.CreateTempSubdirectory("helix-redis-").FullName;
        Port = Ports.Free();
        _arguments = ["--bind", "127.0.0.1", "--port", $"{Port}", "--dir", Folder, "--pidfile", PidFile, "--logfile", LogFile, .. arguments];
    }

    RedisServer(string? password, IEnumerable<string> settings)
    {
        Folder = Directory.CreateTempSubdirectory("helix-redis-").FullName;
        Port = Ports.Free();
        Password = password;
        string[] own =
        [
            "bind 127.0.0.1", $"port {Port}", $"dir {Folder}", $"pidfile {PidFile}", $"logfile {LogFile}",
            "daemonize no", "repl-diskless-sync-delay 0", "repl-ping-replica-period 1", "enable-debug-command local",
            .. password is null ? [] : new[] { $"requirepass {Quoted(password)}", $"masterauth {Quoted(password)}" },
        ];
        File.WriteAllLines(ConfigFile, [.. own, .. settings]);
        _arguments = [ConfigFile];
    }

    static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    public static async Task<RedisServer> Start(string? password = null, params string[] settings)
    {
        if (!File.Exists(Executable))
            Assert.Skip($"{Executable} is missing: apt-get install redis-server");
        var server = new RedisServer(password, settings);
        await server.Run();
        return server;
    }

    public static async Task<RedisServer> StartByArguments(params string[] arguments)
    {
        if (!File.Exists(Executable))
            Assert.Skip($"{Executable} is missing: apt-get install redis-server");
        var server = new RedisServer(arguments);
        await server.Run();
        return server;
    }

    /// <summary>Starts the process (again) and waits until it has loaded.</summary>
    public async Task Run()
    {
        Process.Start(new ProcessStartInfo(Executable, _arguments) { WorkingDirectory = Folder, UseShellExecute = false })!.Dispose();
        await Eventually.True(async () => await Answers(), $"redis-server on port {Port} answers");
    }

    /// <summary>A host whose environment has this server as target.</summary>
    public TestHost Host(string name = "redis")
    {
        var host = new TestHost();
        AddTo(host, name);
        return host;
    }

    public RedisTarget AddTo(TestHost host, string name) =>
        host.Add(name, Target(name, Password is null ? null : host.Canary($"{name.ToUpperInvariant()}_PASSWORD", Password)));

    /// <summary>The target with a process runtime, as an environment would describe it.</summary>
    public RedisTarget Target(string name = "redis", Secret? password = null) => new()
    {
        Name = name,
        Endpoint = At.ToString(),
        Password = password ?? (Password is null ? null : new Secret(["env:REDIS_PASSWORD"])),
        DataFile = DataFile,
        Runtime = new()
        {
            Process = new() { Start = [Executable, .. _arguments], PidFile = PidFile, Directory = Folder },
        },
    };

    public async Task<ConnectionMultiplexer> Connect() => await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions
    {
        EndPoints = { { "127.0.0.1", Port } },
        Password = Password,
        AllowAdmin = true,
        ConnectTimeout = 60_000,
        SyncTimeout = 60_000,
        AsyncTimeout = 60_000,
    });

    public async Task<string> Send(string command, params object[] arguments)
    {
        await using var redis = await Connect();
        return (await redis.GetServers()[0].ExecuteAsync(command, arguments)).ToString();
    }

    public async Task<long> Keys() => long.Parse(await Send("DBSIZE"), CultureInfo.InvariantCulture);

    public async Task<string> Setting(string name)
    {
        await using var redis = await Connect();
        return (await redis.GetServers()[0].ConfigGetAsync(name)).Single().Value;
    }

    public async Task<string> Info(string name)
    {
        var text = await Send("INFO", "everything");
        return text.Split('\n').Select(l => l.Trim()).First(l => l.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..];
    }

    /// <summary>Fills keys k:0 … on the server itself, which takes milliseconds.</summary>
    public Task Fill(int keys, string prefix = "k") =>
        Send("EVAL", "for i = 0, ARGV[1] - 1 do redis.call('SET', ARGV[2] .. ':' .. i, 'value ' .. i) end", "0", keys, prefix);

    /// <summary>Makes a save take this long for all keys together.</summary>
    public async Task SlowSaves(TimeSpan whole) =>
        await Send("CONFIG", "SET", "rdb-key-save-delay", ((long)(whole.TotalMicroseconds / Math.Max(1, await Keys()))).ToString(CultureInfo.InvariantCulture));

    public int? Pid => File.Exists(PidFile) && int.TryParse(File.ReadAllText(PidFile).Trim(), out var pid) ? pid : null;

    public bool IsAlive => Pid is { } pid && Directory.Exists($"/proc/{pid}");

    /// <summary>Ends it at once, as a crash would.</summary>
    public async Task Kill()
    {
        if (Pid is not { } pid)
            return;
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
            await process.WaitForExitAsync();
        }
        catch (ArgumentException)
        {
            // it has ended already
        }
    }

    /// <summary>Ends it as SIGTERM does, with its save at shutdown.</summary>
    public async Task ShutDown()
    {
        using var kill = Process.Start("/bin/kill", ["-TERM", Pid!.Value.ToString(CultureInfo.InvariantCulture)])!;
        await kill.WaitForExitAsync();
        await Eventually.True(() => !File.Exists(PidFile), "redis-server has shut down");
    }

    async Task<bool> Answers()
    {
        try
        {
            // The multiplexer may need its whole time-out to notice that nobody listens.
            using (var socket = new TcpClient())
                await socket.ConnectAsync(IPAddress.Loopback, Port);
            return await Send("PING") == "PONG";
        }
        catch (Exception e) when (e is RedisException or SocketException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        // What watched the process notes its end in the folder.
        await Eventually.True(() =>
        {
            TempFolder.Delete(Folder);
            return true;
        }, $"{Folder} is removed");
    }
}
