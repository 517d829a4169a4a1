using System.Diagnostics;

[assembly: AssemblyFixture(typeof(Helix.Runbooks.Tests.Postgres.PostgresServer))]

namespace Helix.Runbooks.Tests.Postgres;

/// <summary>A real PostgreSQL server on a free port. Starts when a test first asks for it, and ends with the tests; each test has a schema of its own.</summary>
public sealed class PostgresServer : IDisposable
{
    const string User = "helix";
    static int _schemas;

    readonly Lock _lock = new();
    readonly string _folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"hxpg-{Guid.NewGuid():N}");
    bool _started;

    /// <summary>127.0.0.1, or where another network namespace finds it.</summary>
    public string Address { get; init; } = "127.0.0.1";
    public int Port { get; private set; }

    /// <summary>Where the password lies: names of stores hold only the reference.</summary>
    public string PasswordFile => Path.Combine(_folder, "password");

    /// <summary>The name of a store that nobody else has.</summary>
    public string Store()
    {
        Started();
        return $"postgres://{User}@{Address}:{Port}/postgres?schema=t{Interlocked.Increment(ref _schemas)}_{Environment.ProcessId}&password=file:{PasswordFile}";
    }

    void Started()
    {
        lock (_lock)
        {
            if (_started)
                return;
            if (Binaries() is null || Environment.UserName != "root")
                Assert.Skip("NO REAL POSTGRESQL: install postgresql, and be root to become its user. Nothing about a shared store was tested.");
            Directory.CreateDirectory(_folder, (UnixFileMode)0b111_101_101);
            File.WriteAllText(PasswordFile, "canary-of-the-store");
            Call("chown", "-R", "postgres", _folder);
            Call("runuser", "-u", "postgres", "--", $"{Binaries()}/initdb", "-D", Data, "-U", User, "--auth-host=scram-sha-256", "--auth-local=peer", $"--pwfile={PasswordFile}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync");
            File.AppendAllText(Path.Combine(Data, "pg_hba.conf"), "host all all 10.0.0.0/8 scram-sha-256\n");
            Port = Ports.Free();
            Start();
            _started = true;
        }
    }

    public void Start() => Control("start", "-l", Path.Combine(_folder, "log"), "-o", $"-p {Port} -c listen_addresses={Address} -c unix_socket_directories={_folder} -c max_connections=200");

    /// <param name="mode">fast ends sessions, immediate is a crash.</param>
    public void Stop(string mode = "fast") => Control("stop", "-m", mode);

    void Control(string verb, params string[] more) => Call("runuser", ["-u", "postgres", "--", $"{Binaries()}/pg_ctl", "-w", "-D", Data, verb, .. more]);

    string Data => Path.Combine(_folder, "data");

    static string? Binaries() => Directory.Exists("/usr/lib/postgresql")
        ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).LastOrDefault(d => File.Exists(Path.Combine(d, "initdb")))
        : null;

    // The server keeps what it inherits open, so its pipes would never end.
    static void Call(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null 2>&1", "sh", file, .. arguments]) { WorkingDirectory = "/" })!;
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }

    public void Dispose()
    {
        if (!_started)
            return;
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
            Stop("immediate");
        TempFolder.Delete(_folder);
    }
}
