using System.Diagnostics;
using Helix.Runbooks.Tests.Neo4j;
using Helix.Runbooks.Tests.Redis;
using StackExchange.Redis;

namespace Helix.Runbooks.Tests.Docker;

/// <summary>A Compose project of a real Neo4j 3.1.1 and a real Redis, each with a volume, whose passwords are variables of the Compose file.</summary>
sealed class DataStack
{
    readonly DockerFixture _docker;

    DataStack(DockerFixture docker, string folder) => (_docker, Folder) = (docker, folder);

    public string Folder { get; }
    public string Project { get; } = DockerFixture.Name("stack");
    public string File => Path.Combine(Folder, "docker-compose.yml");
    public int GraphPort { get; } = Ports.Free();
    public int RedisPort { get; } = Ports.Free();
    public string Containers => _docker.Docker("ps", "-aq", "--filter", Label);
    public string Volumes => _docker.Docker("volume", "ls", "-q", "--filter", Label);

    /// <summary>What ends it for good, with the container that a killed copy of a volume may have left.</summary>
    public string Removal => $"docker -H {_docker.Host} rm -f $(docker -H {_docker.Host} ps -aq --filter {Label}; {Users("neo4j_data")}; {Users("redis_data")}); docker -H {_docker.Host} volume rm $(docker -H {_docker.Host} volume ls -q --filter {Label})";
    string Users(string volume) => $"docker -H {_docker.Host} ps -aq --filter volume={Project}_{volume}";
    string Label => $"label=com.docker.compose.project={Project}";

    /// <summary>Its files are written; nothing runs yet.</summary>
    public static async Task<DataStack> Write(DockerFixture docker, string folder)
    {
        docker.Need();
        var stack = new DataStack(docker, folder);
        Directory.CreateDirectory(folder);
        stack.Write(await OldNeo4jProgram.Get(), Java());
        return stack;
    }

    /// <summary>The machine's own Java and libraries are seen in the container, so that no image of them has to be made.</summary>
    void Write(string program, string java)
    {
        System.IO.File.WriteAllText(Path.Combine(Folder, "neo4j.conf"), OldNeo4j.Configuration(GraphPort) + "dbms.directories.data=/data\n");
        const string home = """
            export LD_LIBRARY_PATH=/usr/lib/$(uname -m)-linux-gnu
            mkdir -p /neo4j/conf /neo4j/logs /neo4j/import /neo4j/plugins /data/databases /data/dbms
            cp /opt/helix/neo4j.conf /neo4j/conf/

            """;
        // The first start of an empty volume takes the password, as that of the image does.
        const string password = """
            [ -e /data/dbms/auth ] || printf 'neo4j:SHA-256,%s,73616C74:\n' "$(printf 'salt%s' "$NEO4J_PASSWORD" | sha256sum | cut -d' ' -f1 | tr a-f A-F)" >/data/dbms/auth

            """;
        OldNeo4j.Script(Folder, "neo4j", home + password + OldNeo4j.ServerCommand(java, program, "/neo4j"));
        OldNeo4j.Script(Folder, "neo4j-admin", home + OldNeo4j.AdminCommand(java, program, "/neo4j"));
        OldNeo4j.Script(Folder, "redis", $"printf 'bind 127.0.0.1\\nport {RedisPort}\\ndir /data\\nsave 3600 1\\nrequirepass %s\\n' \"$REDIS_PASSWORD\" >/tmp/redis.conf\nexec redis-server /tmp/redis.conf");
        var javaHome = Path.GetDirectoryName(Path.GetDirectoryName(java))!;
        string[] configured = [.. Directory.GetDirectories("/etc", "java-*"), program, .. javaHome.StartsWith("/usr/lib/", StringComparison.Ordinal) ? Array.Empty<string>() : [javaHome]];
        System.IO.File.WriteAllText(File, $$"""
            version: "3"
            services:
              neo4j:
                image: {{DockerFixture.Image}}
                command: [/opt/helix/neo4j]
                network_mode: host
                environment: { NEO4J_PASSWORD: "${NEO4J_PASSWORD}" }
                volumes: ["neo4j_data:/data", "{{Folder}}:/opt/helix:ro", "/usr/lib:/usr/lib:ro", {{string.Join(", ", configured.Select(f => $"\"{f}:{f}:ro\""))}}]
              redis:
                image: {{DockerFixture.Image}}
                command: [/opt/helix/redis]
                network_mode: host
                stop_grace_period: 5s
                environment: { REDIS_PASSWORD: "${REDIS_PASSWORD}" }
                volumes: ["redis_data:/data", "{{Folder}}:/opt/helix:ro"]
            volumes: { neo4j_data: {}, redis_data: {} }
            """);
    }

    public async Task<long> CountGraph(string password, string what) => (long)(await OldNeo4j.Query(GraphPort, password, what))[0]!["row"]![0]!;

    public async Task<string> Redis(string password, string command, params object[] arguments)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{RedisPort},password={password},allowAdmin=true");
        return (await redis.GetServers()[0].ExecuteAsync(command, arguments)).ToString();
    }

    static string Java()
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "readlink -f \"$(command -v java)\""]) { RedirectStandardOutput = true })!;
        return process.StandardOutput.ReadToEnd().Trim();
    }
}
