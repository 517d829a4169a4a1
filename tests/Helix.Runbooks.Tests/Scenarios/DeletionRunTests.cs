using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.Backups;
using Helix.Runbooks.Tests.Neo4j;
using static Helix.Runbooks.Tests.Scenarios.LiveStage;

namespace Helix.Runbooks.Tests.Scenarios;

/// <summary>Scenario 3 as it is shipped, but for one function: two real Neo4j servers and a real S3 server. Neo4j 3.1 has no times, so that the audit log keeps them as texts, which are compared as such.</summary>
public sealed class DeletionRunTests(CephS3 ceph) : IAsyncDisposable
{
    const int Personas = 1000, Deleted = 800;
    const string Nodes = "MATCH (p:Persona) RETURN count(p)", Owns = "MATCH (:Persona)-[r:OWNS]->(:Artifact) RETURN count(r)", Knows = "MATCH (a:Persona)-[r:KNOWS]->(b:Persona) WHERE r.since = a.id RETURN count(r)";

    readonly LiveStage _stage = new();
    readonly TestHost _host = new();
    string _bucket = "";

    [Fact]
    public async Task Deleted_nodes_come_back_into_a_real_graph_that_lives_on_although_the_driver_is_killed_in_the_load_and_in_the_copy_and_a_bad_copy_is_taken_back()
    {
        await using var live = await OldNeo4j.Start();
        await using var scratch = await OldNeo4j.Start();
        _bucket = (await ceph.Bucket(_host)).Bucket;
        Environment(live, scratch, "");
        await Fill(live);
        await _stage.Start("backup-neo4j-dump", 0);
        await live.Query("CREATE (:Persona {id: 9000})");
        await live.Query($"MATCH (p:Persona {{id: {Personas}}}) SET p.name = 'changed since'");
        var since = TimeProvider.System.GetUtcNow();
        await Delete(live);
        await _stage.Start("backup-neo4j-dump", 0);

        var run = await Start(Killed, "point:effect:load:1", since);
        await _stage.Ends(Waits, null, "resume", run);
        Assert.Contains($"Copy {Deleted} nodes :Persona", await _stage.Ends(0, null, "show", run), StringComparison.Ordinal);
        Assert.Equal(Personas - Deleted + 1, await live.Count(Nodes));
        // The last of them cannot be written before the driver is killed.
        await using (await live.Hold($"CREATE (:Persona {{id: {Deleted}}})"))
            await _stage.KilledWhen(async () => await live.Count(Nodes) > Personas - Deleted + 1, "the first of them are there", "approve", run, "go", "--resume");
        Assert.InRange(await live.Count(Nodes) + await live.Count(Knows), 0, 2 * Personas);
        await _stage.Ends(Waits, null, "resume", run);
        await _stage.Ends(0, null, "decide", run, "cascade", "done", "--resume");

        Assert.Equal((Personas + 1, Personas, Personas), (await live.Count(Nodes), await live.Count(Owns), await live.Count(Knows)));
        Assert.Equal(Personas, await live.Count("MATCH (p:Persona) WHERE p.name = 'persona ' + p.id OR p.name = 'changed since' RETURN count(p)"));
        Assert.Equal(1, await live.Count("MATCH (p:Persona {name: 'changed since'}) RETURN count(p)"));
        Assert.False(scratch.IsAlive, "the throw-away server is stopped");
        Assert.Equal(0, (await _stage.Helix(null, "verify-record", run)).Code);

        await TakenBack(live, scratch);
        await _stage.NoSecretIsAnywhere(run);
    }

    /// <summary>What comes back breaks a rule of the graph.</summary>
    async Task TakenBack(OldNeo4j live, OldNeo4j scratch)
    {
        Environment(live, scratch, """{ query: "MATCH (p:Persona {id: 1}) RETURN count(p)", expect: 0 }""");
        var since = TimeProvider.System.GetUtcNow();
        await Delete(live);
        var none = await _stage.Helix(null, "run", Book(), "-e", _stage.EnvironmentFile, "--unattended", "--input", $"since={Text(since.AddHours(1))}");
        Assert.Equal(1, none.Code);
        Assert.Contains("The audit log knows of no deletion since", none.Error, StringComparison.Ordinal);

        await RejectNewest();
        var run = await Start(Waits, null, since);
        await _stage.Ends(1, null, "approve", run, "go", "--resume");
        Assert.Equal(Personas - Deleted + 1, await live.Count(Nodes));
        Assert.Equal(Personas - Deleted, await live.Count(Owns));
    }

    /// <summary>The backup that was made after the nodes had gone.</summary>
    async Task RejectNewest()
    {
        var backups = JsonNode.Parse((await _stage.Helix(null, "backups", "list", "-e", _stage.EnvironmentFile, "--target", "backups", "--prefix", "neo4j/", "--json")).Out)!["backups"]!.AsArray();
        var newest = backups.Select(b => $"{b!["key"]}").Order(StringComparer.Ordinal).Last();
        await _stage.Ends(0, null, "backups", "reject", newest, "-e", _stage.EnvironmentFile, "--target", "backups", "--reason", "made after the deletion");
    }

    Task<string> Start(int code, string? failpoint, DateTimeOffset since, params string[] more) =>
        _stage.StartFile(Book(), code, failpoint, ["--input", $"since={Text(since)}", "--input", "most=5000", .. more]);

    /// <summary>The shipped runbook, with the one function that 3.1 lacks replaced.</summary>
    string Book()
    {
        var (shipped, path) = (File.ReadAllText(Repository.Runbooks("accidental-deletion.yaml")), Path.Combine(_stage.Folder, "accidental-deletion.yaml"));
        Assert.Equal(3, shipped.Split("datetime(").Length);
        File.WriteAllText(path, shipped.Replace("datetime(", "toString(", StringComparison.Ordinal));
        return path;
    }

    static async Task Fill(OldNeo4j live)
    {
        await live.Query("CREATE CONSTRAINT ON (p:Persona) ASSERT p.id IS UNIQUE");
        await live.Query("CREATE INDEX ON :Artifact(id)");
        await live.Fill(Personas);
        await live.Query($"MATCH (a:Persona) MATCH (b:Persona {{id: a.id % {Personas} + 1}}) CREATE (a)-[:KNOWS {{since: a.id}}]->(b)");
        await live.Query("CREATE (:AuditLog {action: 'delete', timestamp: '2026-01-01T00:00:00.000Z'})");
    }

    static async Task Delete(OldNeo4j live)
    {
        await live.Query($"MATCH (p:Persona) WHERE p.id <= {Deleted} DETACH DELETE p");
        await live.Query($"UNWIND range(1, {Deleted}) AS i CREATE (:AuditLog {{action: 'delete', id: i, timestamp: '{Text(TimeProvider.System.GetUtcNow())}'}})");
    }

    static string Text(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    void Environment(OldNeo4j live, OldNeo4j scratch, string check)
    {
        string Server(OldNeo4j server, string variable, string more) => $$"""
            kind: neo4j
            url: http://127.0.0.1:{{server.Port}}
            password: {{_stage.Secret(variable, server.Password)}}
            admin: ["{{server.Folder}}/bin/neo4j-admin"]
            runtime: { process: { start: ["{{server.Folder}}/bin/neo4j"], pidFile: "{{server.Folder}}/neo4j.pid", directory: "{{server.Folder}}", log: "{{server.Folder}}/out.log" } }
            {{more}}
            """.ReplaceLineEndings("\n    ");
        _stage.Environment($$"""
          neo4j:
            {{Server(live, "NEO4J_PASSWORD", $"checks: [{check}]")}}
          neo4j_scratch:
            {{Server(scratch, "SCRATCH_PASSWORD", "scratch: true")}}
          backups:
            kind: s3
            bucket: {{_bucket}}
            endpoint: "{{ceph.Endpoint}}"
            checksums: when-required
            accessKey: {{_stage.Secret("S3_ACCESS_KEY", CephS3.AccessKey)}}
            secretKey: {{_stage.Secret("S3_SECRET_KEY", CephS3.SecretKey)}}
        """);
    }

    public async ValueTask DisposeAsync()
    {
        await _stage.DisposeAsync();
        _host.Dispose();
    }
}
