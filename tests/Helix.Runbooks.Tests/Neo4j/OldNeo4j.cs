using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>A real Neo4j Community 3.1.1 of 2017 on a free port, in a fresh folder. It is started and stopped by the runtime of its target; a process that is left is ended by its pid.</summary>
sealed class OldNeo4j : IAsyncDisposable
{
    const string FirstPassword = "neo4j";

    static readonly HttpClient Client = new();

    readonly TestHost _starter = new();
    Neo4jTarget? _target;

    OldNeo4j(string program)
    {
        Folder = Directory.CreateTempSubdirectory("helix-neo4j-").FullName;
        Port = Ports.Free();
        Write(program);
    }

    public string Folder { get; }
    public int Port { get; }
    public string Password { get; } = $"canary-{Guid.NewGuid():N}";
    public string StoreFolder => Path.Combine(Folder, "data", "databases", "graph.db");
    string PidFile => Path.Combine(Folder, "neo4j.pid");

    /// <summary>Skips the test, saying why, where the program cannot be had.</summary>
    public static async Task<OldNeo4j> Start()
    {
        var server = new OldNeo4j(await OldNeo4jProgram.Get());
        await server.Run();
        await server.ChangePassword();
        return server;
    }

    /// <summary>The target as an environment would describe it.</summary>
    public Neo4jTarget Target(Secret? password = null) => new()
    {
        Url = $"http://127.0.0.1:{Port}",
        Password = password ?? new Secret(["env:NEO4J_PASSWORD"]),
        Admin = [Path.Combine(Folder, "bin", "neo4j-admin")],
        Runtime = new() { Process = new() { Start = [Path.Combine(Folder, "bin", "neo4j")], PidFile = PidFile, Directory = Folder, Log = Path.Combine(Folder, "out.log") } },
    };

    /// <summary>A host whose environment has this server as target.</summary>
    public TestHost Host(string name = "neo4j")
    {
        var host = new TestHost();
        AddTo(host, name);
        return host;
    }

    public Neo4jTarget AddTo(TestHost host, string name) => host.Add(name, Target(host.Canary($"{name.ToUpperInvariant()}_PASSWORD", Password)));

    /// <summary>Starts the process and waits until it answers.</summary>
    public async Task Run()
    {
        await Begin();
        await Eventually.True(async () => (await Client.GetAsync(new Uri($"http://127.0.0.1:{Port}/"))).IsSuccessStatusCode, $"Neo4j on port {Port} answers");
    }

    /// <summary>Starts the process, which may end at once.</summary>
    public async Task Begin()
    {
        _target ??= _starter.Add("neo4j", Target());
        await _target.Service.Start(_starter.Context());
    }

    public Task<JsonArray> Query(string query) => Query(Port, Password, query);

    public static async Task<JsonArray> Query(int port, string password, string query)
    {
        var answer = await Post(port, "db/data/transaction/commit", password, new JsonObject { ["statements"] = new JsonArray(new JsonObject { ["statement"] = query }) });
        Assert.Empty(answer["errors"]!.AsArray());
        return answer["results"]![0]!["data"]!.AsArray();
    }

    /// <summary>Nodes of both labels in a ring, so that there are as many relationships.</summary>
    public async Task Fill(int nodes)
    {
        await Query("MATCH (n) DETACH DELETE n");
        await Query($"UNWIND range(1, {nodes}) AS i CREATE (:Persona {{id: i, name: 'persona ' + i}})-[:OWNS]->(:Artifact {{id: i}})");
    }

    public async Task<long> Count(string what = "MATCH (n) RETURN count(n)") => (long)(await Query(what))[0]!["row"]![0]!;

    /// <summary>As a bad disk would: the node records are overwritten while it is down.</summary>
    public void Damage()
    {
        foreach (var file in Directory.GetFiles(StoreFolder, "neostore*"))
            File.WriteAllBytes(file, Encoding.ASCII.GetBytes("not what the database wrote"));
    }

    public int? Pid => File.Exists(PidFile) && int.TryParse(File.ReadAllText(PidFile).Trim(), out var pid) ? pid : null;

    public bool IsAlive => Pid is { } pid && Directory.Exists($"/proc/{pid}");

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

    async Task ChangePassword() =>
        await Post(Port, "user/neo4j/password", FirstPassword, new JsonObject { ["password"] = Password });

    /// <summary>What the statement locks stays locked, and nobody sees what it wrote, until the result is disposed; then it is undone.</summary>
    public async Task<IAsyncDisposable> Hold(string statement)
    {
        var answer = await Post(Port, "db/data/transaction", Password, new JsonObject { ["statements"] = new JsonArray(new JsonObject { ["statement"] = statement }) });
        Assert.Empty(answer["errors"]!.AsArray());
        return new Held(this, new Uri($"{answer["commit"]}").AbsolutePath.Replace("/commit", "", StringComparison.Ordinal).TrimStart('/'));
    }

    sealed class Held(OldNeo4j server, string transaction) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await Ask(HttpMethod.Delete, server.Port, transaction, server.Password, []);
    }

    static Task<JsonNode> Post(int port, string path, string password, JsonObject body) => Ask(HttpMethod.Post, port, path, password, body);

    static async Task<JsonNode> Ask(HttpMethod method, int port, string path, string password, JsonObject body)
    {
        using var request = new HttpRequestMessage(method, new Uri($"http://127.0.0.1:{port}/{path}")) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"neo4j:{password}")));
        using var response = await Client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        var text = await response.Content.ReadAsStringAsync();
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    void Write(string program)
    {
        foreach (var name in (string[])["conf", "data", "logs", "import", "plugins", "bin"])
            Directory.CreateDirectory(Path.Combine(Folder, name));
        Directory.CreateSymbolicLink(Path.Combine(Folder, "lib"), Path.Combine(program, "lib"));
        File.WriteAllText(Path.Combine(Folder, "conf", "neo4j.conf"), Configuration(Port));
        Script(Path.Combine(Folder, "bin"), "neo4j", ServerCommand("java", program, Folder));
        Script(Path.Combine(Folder, "bin"), "neo4j-admin", AdminCommand("java", program, Folder));
    }

    internal static string Configuration(int port) => $"""
        dbms.directories.import=import
        dbms.security.auth_enabled=true
        dbms.connector.bolt.enabled=false
        dbms.connector.http.enabled=true
        dbms.connector.http.listen_address=127.0.0.1:{port}
        dbms.connector.https.enabled=false
        dbms.udc.enabled=false
        dbms.memory.pagecache.size=32m

        """;

    internal static string ServerCommand(string java, string program, string home) =>
        $"exec {java} {Opened} -Xmx384m -cp '{program}/lib/*' org.neo4j.server.CommunityEntryPoint --home-dir='{home}' --config-dir='{home}/conf'";

    internal static string AdminCommand(string java, string program, string home) =>
        $"export NEO4J_HOME='{home}' NEO4J_CONF='{home}/conf'\nexec {java} {Opened} -Xmx${{HEAP_SIZE:-256m}} -cp '{program}/lib/*:{program}/bin/tools/*' org.neo4j.commandline.admin.AdminTool \"$@\"";

    /// <summary>It is older than the modules of Java, which are opened to it here.</summary>
    static readonly string Opened = "-Xms64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8 --add-exports java.base/jdk.internal.misc=ALL-UNNAMED -Dio.netty.tryReflectionSetAccessible=true "
        + string.Join(' ', ((string[])["java.lang", "java.nio", "sun.nio.ch", "java.io", "java.util", "java.lang.reflect", "java.net", "java.util.concurrent", "java.util.concurrent.atomic", "sun.security.x509", "sun.security.util", "jdk.internal.misc"])
            .Select(p => $"--add-opens java.base/{p}=ALL-UNNAMED"));

    internal static void Script(string folder, string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        _starter.Dispose();
        // What watched the process notes its end in the folder.
        await Eventually.True(() =>
        {
            TempFolder.Delete(Folder);
            return true;
        }, $"{Folder} is removed");
    }
}
