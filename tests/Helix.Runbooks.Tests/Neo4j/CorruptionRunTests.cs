using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Backups;
using Helix.Runbooks.Tests.Cli;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>Scenario 1 through the real executable: a real Neo4j whose store is really damaged, its backup on a real S3 server, the driver killed at every step.</summary>
public sealed class CorruptionRunTests(CephS3 ceph) : IAsyncDisposable
{
    const int Killed = 137, Waits = 4;
    const int Personas = 150;

    readonly string _folder = Directory.CreateTempSubdirectory("helix-corruption-").FullName;
    readonly TestHost _host = new();
    OldNeo4j _neo4j = null!, _scratch = null!;
    string _environment = "";

    [Fact]
    public async Task A_damaged_graph_comes_back_from_s3_although_the_driver_is_killed_at_every_step()
    {
        await using var server = _neo4j = await OldNeo4j.Start();
        await using var scratch = _scratch = await OldNeo4j.Start();
        await Environment();
        await server.Query("CREATE CONSTRAINT ON (p:Persona) ASSERT p.id IS UNIQUE");
        await server.Fill(Personas);
        await Backup();
        await Prove();
        await Wreck();

        var run = await Start("point:effect:baseline:1", ["run", Repository.Runbooks("neo4j-data-corruption.yaml"), "-e", _environment, "--unattended", "--incident", "INC-1"]);
        Assert.Equal(Killed, (await Helix("point:effect:fetch:1", "resume", run)).Code);
        Assert.Equal(Waits, (await Helix(null, "resume", run)).Code);
        Assert.Equal(0, (await Helix(null, "approve", run, "go", "--input", "reason=the newest one")).Code);
        foreach (var step in new[] { "stop", "safety_copy" })
            Assert.Equal(Killed, (await Helix($"point:effect:{step}:1", "resume", run)).Code);
        // Within the load: nothing is changed yet; the old store is aside; the tool has run, and the server is still down.
        foreach (var append in new[] { 6, 6, 4 })
            Assert.Equal(Killed, (await Helix($"append:{append}:after", "resume", run)).Code);
        foreach (var step in new[] { "load", "verify", "start_all" })
            Assert.Equal(Killed, (await Helix($"point:effect:{step}:1", "resume", run)).Code);
        var (code, output, error) = await Helix(null, "resume", run);

        Assert.True(code == 0, output + error);
        Assert.Equal(Personas * 2, await server.Count());
        Assert.Equal(Personas, await server.Count("MATCH (:Persona)-[r:OWNS]->(:Artifact) RETURN count(r)"));
        Assert.Equal(0, (await Helix(null, "verify-record", run)).Code);
        var kept = Assert.Single(Directory.GetDirectories(Path.Combine(server.Folder, "data"), "helix-before-*"));
        Assert.StartsWith("not what the database wrote", File.ReadAllText(Path.Combine(kept, "databases", "graph.db", "neostore")));
        Assert.DoesNotContain(server.Password, output + error + File.ReadAllText(_environment), StringComparison.Ordinal);
    }

    async Task Backup()
    {
        var run = await Start("point:effect:dump:1", ["run", Repository.Runbooks("backup-neo4j-dump.yaml"), "-e", _environment, "--unattended"]);
        var (code, output, error) = await Helix(null, "resume", run);
        Assert.True(code == 0, output + error);
        Assert.NotNull(_neo4j.Pid);
        var listed = await Helix(null, "backups", "list", "-e", _environment, "--target", "backups", "--prefix", "neo4j/", "--json");
        Assert.Equal("complete", Assert.Single(JsonNode.Parse(listed.Out)!["backups"]!.AsArray())!["state"]!.ToString());
    }

    /// <summary>The weekly verification: only what it has proven is taken by `latest-proven`.</summary>
    async Task Prove()
    {
        var (code, output, error) = await Helix(null, "run", Repository.Runbooks("verify-neo4j-backup.yaml"), "-e", _environment, "--unattended");
        Assert.True(code == 0, output + error);
        await _scratch.Kill();
    }

    /// <summary>It runs, its records are overwritten, it dies, and does not start any more.</summary>
    async Task Wreck()
    {
        await _neo4j.Kill();
        _neo4j.Damage();
        await _neo4j.Begin();
        await Eventually.True(() => !_neo4j.IsAlive, "it does not start any more");
    }

    async Task<string> Start(string failpoint, string[] arguments)
    {
        var (code, output, error) = await Helix(failpoint, arguments);
        Assert.True(code == Killed, output + error);
        return NewestRun.In(Path.Combine(_folder, "helix.db"));
    }

    async Task<(int Code, string Out, string Error)> Helix(string? failpoint, params string[] arguments)
    {
        using var process = new HelixProcess(Path.Combine(_folder, "helix.db"), arguments,
            ("NEO4J_PASSWORD", _neo4j.Password), ("SCRATCH_PASSWORD", _scratch.Password), ("WRONG_PASSWORD", "unused"), ("S3_ACCESS_KEY", CephS3.AccessKey), ("S3_SECRET_KEY", CephS3.SecretKey),
            ("HELIX_FAILPOINT", failpoint ?? ""));
        return await process.End();
    }

    /// <summary>The shipped environment with the ports, bucket and person of this machine.</summary>
    async Task Environment()
    {
        Directory.CreateSymbolicLink(Path.Combine(_folder, "neo4j"), _neo4j.Folder);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "scratch"), _scratch.Folder);
        var bucket = (await ceph.Bucket(_host)).Bucket;
        _environment = Path.Combine(_folder, "neo4j-local.yaml");
        var text = await File.ReadAllTextAsync(Repository.Runbooks("environments", "neo4j-local.yaml"));
        await File.WriteAllTextAsync(_environment, text
            .Replace("127.0.0.1:17474", $"127.0.0.1:{_neo4j.Port}", StringComparison.Ordinal)
            .Replace("127.0.0.1:27474", $"127.0.0.1:{_scratch.Port}", StringComparison.Ordinal)
            .Replace("http://127.0.0.1:9000", ceph.Endpoint, StringComparison.Ordinal)
            .Replace("bucket: helix-backups", $"bucket: {bucket}", StringComparison.Ordinal)
            .Replace("[you]", $"[{System.Environment.UserName}]", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var file in Directory.GetFiles(_folder, "*.pid"))
            if (int.TryParse(File.ReadAllText(file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                End(pid);
        _host.Dispose();
        // What watched a process notes its end in the folder.
        await Eventually.True(() =>
        {
            TempFolder.Delete(_folder);
            return true;
        }, $"{_folder} is removed");
    }

    static void End(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
            process.WaitForExit();
        }
        catch (ArgumentException)
        {
            // it has ended already
        }
    }
}
