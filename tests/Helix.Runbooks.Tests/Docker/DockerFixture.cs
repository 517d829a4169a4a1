using System.Diagnostics;
using Helix.Runbooks.Steps;
using Helix.Steps.Compose;
using Helix.Steps.Docker;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Docker;

/// <summary>A real Docker engine of its own in a fresh folder, with one image made of busybox and this machine's redis. The host's network is not touched.</summary>
public sealed class DockerFixture : IAsyncLifetime
{
    public const string Image = "redis:7-local";

    // Short, for the length of a socket's path.
    readonly string _folder = Directory.CreateTempSubdirectory("hxd").FullName;
    Process? _engine;
    string? _missing;

    public string Host => $"unix://{_folder}/docker.sock";

    public async ValueTask InitializeAsync()
    {
        _missing = new[] { "dockerd", "docker", "docker-compose", "busybox", "redis-server" }.FirstOrDefault(t => Where(t) is null) is { } tool ? $"{tool} is not installed"
            : System.Environment.UserName != "root" ? "only root can start a Docker engine" : null;
        if (_missing is not null)
            return;
        _engine = Process.Start(new ProcessStartInfo("sh",
        [
            "-c", """
            exec dockerd --data-root "$0/data" --exec-root "$0/exec" --pidfile "$0/dockerd.pid" -H "unix://$0/docker.sock" \
              --iptables=false --ip6tables=false --bridge=none --ip-forward=false --ip-masq=false >"$0/log" 2>&1
            """, _folder,
        ]))!;
        await Eventually.True(() => _engine.HasExited || (File.Exists(Path.Combine(_folder, "docker.sock")) && Run("docker", "version").Code == 0), "the Docker engine answers");
        if (_engine.HasExited)
            _missing = $"the Docker engine does not start here: {await File.ReadAllTextAsync(Path.Combine(_folder, "log"))}";
        else
            MakeImage();
    }

    /// <summary>What ends by itself ends long before.</summary>
    internal static readonly TimeSpan Grace = Hang.Limit;

    /// <summary>Every test of the engine begins with this.</summary>
    public void Need()
    {
        if (_missing is not null)
            Assert.Skip($"NO DOCKER ENGINE: {_missing}. Nothing about Docker was tested.");
    }

    /// <summary>A name that no other test has.</summary>
    public static string Name(string what) => $"{what}{Guid.NewGuid().ToString("N")[..8]}";

    public string Docker(params string[] arguments)
    {
        var (code, output, error) = Run("docker", arguments);
        return code == 0 ? output.Trim() : throw new InvalidOperationException($"docker {string.Join(' ', arguments)}: {code} {error}");
    }

    public void Shell(string command)
    {
        var (code, _, error) = Run("sh", "-c", command);
        Assert.True(code == 0, error);
    }

    /// <summary>A Compose project of its own with these services (YAML, indented by two).</summary>
    internal ComposeTarget Stack(TestHost host, string services, params (string Name, Secret Value)[] secrets)
    {
        var file = Path.Combine(host.Folder, "docker-compose.yml");
        File.WriteAllText(file, $"version: \"3\"\nservices:\n{services}\nvolumes:\n  data: {{}}\n");
        return host.Add("stack", new ComposeTarget { Project = Name("p"), Files = [file], Host = Host, Secrets = secrets.ToDictionary(s => s.Name, s => s.Value) });
    }

    /// <summary>Ends what runs in a project before its time: a health check is a new process at each look, for as long as the engine lives.</summary>
    internal void End(ComposeTarget stack)
    {
        foreach (var id in Docker("ps", "-q", "--filter", $"label=com.docker.compose.project={stack.Project}").Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Docker("kill", id);
    }

    internal const string RedisService =
        """
          redis:
            image: redis:7-local
            command: ["redis-server", "--dir", "/data", "--save", ""]
            network_mode: none
            stop_grace_period: 1s
            volumes: ["data:/data"]
            environment: { GREETING: hello }
        """;

    internal static RunningTarget Service(TestHost host, string name, string service, int? index = null) =>
        host.Add(name, new ServiceTarget { Runtime = new() { Compose = "stack", Service = service, Index = index } });

    /// <summary>A running container with a volume at /data.</summary>
    internal DockerTarget Container(TestHost host, string name, params string[] more)
    {
        Docker(["run", "-d", "--name", name, "--network", "none", "-v", $"{name}:/data", .. more, Image, "redis-server", "--dir", "/data", "--save", ""]);
        return host.Add("redis", new DockerTarget { Container = name, Host = Host });
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null && _missing is null)
        {
            foreach (var id in Run("docker", "ps", "-q").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Run("docker", "kill", id);
            Process.Start("kill", ["-TERM", File.ReadAllText(Path.Combine(_folder, "dockerd.pid"))]).WaitForExit();
            await _engine.WaitForExitAsync();
        }
        foreach (var mount in File.ReadLines("/proc/mounts").Select(l => l.Split(' ')[1]).Where(m => m.StartsWith(_folder, StringComparison.Ordinal)).Reverse().ToList())
            Process.Start("umount", ["-l", mount]).WaitForExit();
        TempFolder.Delete(_folder);
    }

    void MakeImage()
    {
        var script =
            """
            set -e
            mkdir -p bin usr/bin etc data tmp
            cp -L "$(command -v busybox)" bin/busybox
            for name in $(busybox --list); do [ "$name" = busybox ] || ln -s busybox "bin/$name"; done
            for tool in redis-server redis-cli; do
              file=$(readlink -f "$(command -v $tool)"); cp "$file" "usr/bin/$tool"
              for lib in $(ldd "$file" | grep -oE '/[^ ]+'); do mkdir -p ".$(dirname "$lib")"; cp -L "$lib" ".$lib"; done
            done
            printf 'root:x:0:0:root:/:/bin/sh\nredis:x:7474:7475::/data:/bin/sh\n' >etc/passwd
            printf 'root:x:0:\nredis:x:7475:\n' >etc/group
            tar -c . | docker import -c 'CMD ["redis-server", "--dir", "/data"]' - redis:7-local
            """;
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "image")).FullName;
        var (code, _, error) = Run("sh", ["-c", script], folder);
        if (code != 0)
            throw new InvalidOperationException($"The image could not be made: {error}");
    }

    (int Code, string Output, string Error) Run(string file, params string[] arguments) => Run(file, arguments, _folder);

    (int Code, string Output, string Error) Run(string file, string[] arguments, string folder)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
            Environment = { ["DOCKER_HOST"] = Host },
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    static string? Where(string tool) =>
        (System.Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin").Split(':').Select(f => Path.Combine(f, tool)).FirstOrDefault(File.Exists);
}

// Two groups with an engine each, so that they run side by side; the longest classes have one of their own.
[CollectionDefinition("docker")]
public sealed class DockerCollection : ICollectionFixture<DockerFixture>;

[CollectionDefinition("compose")]
public sealed class ComposeCollection : ICollectionFixture<DockerFixture>;
