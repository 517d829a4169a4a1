using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.Backups;
using Helix.Runbooks.Tests.Http;
using Helix.Runbooks.Tests.Messages;
using Helix.Runbooks.Tests.Neo4j;
using Helix.Runbooks.Tests.Redis;
using Helix.Runbooks.Tests.Vault;
using static Helix.Runbooks.Tests.Scenarios.LiveStage;

namespace Helix.Runbooks.Tests.Scenarios;

/// <summary>The quarterly drill as it is shipped: real Neo4j, Redis and S3; Vault, the chat and the mail server are stubs.</summary>
public sealed class FullDrillRunTests(CephS3 ceph) : IAsyncDisposable
{
    const int Personas = 100, Keys = 500;

    readonly LiveStage _stage = new();
    readonly TestHost _host = new();
    readonly VaultStub _vault = new();
    readonly SmtpStub _mail = new();
    readonly HttpStub _chat = new(_ => new(200));

    [Fact]
    public async Task The_drill_fails_and_recovers_real_Neo4j_and_Redis_with_a_stub_of_Vault_although_its_driver_is_killed_three_times()
    {
        await using var neo4j = await OldNeo4j.Start();
        await using var redis = await RedisServer.Start("canary-redis-5b1f6d0e");
        await Environment(neo4j, redis);
        await neo4j.Fill(Personas);
        await redis.Fill(Keys);
        await _stage.Start("backup-neo4j-dump", 0);
        await _stage.Start("backup-redis", 0);
        await neo4j.Query("UNWIND range(1, 5) AS i CREATE (:Persona {id: 'written since ' + i})");
        await redis.Fill(20, "since");

        await _stage.Start("full-dr-drill", 1);
        Assert.Equal((0, 0), (_chat.Requests.Count, _mail.Mails.Count));
        var run = await _stage.Start("full-dr-drill", Waits, null, "--mode", "drill");
        Assert.True(_stage.DashboardRuns && neo4j.IsAlive && redis.IsAlive, "nothing is stopped before somebody lets it begin");
        Assert.Contains("Age of the newest backup of Neo4j is 0", await _stage.Ends(0, null, "show", run));
        await _stage.Ends(Killed, "point:effect:kill:1", "approve", run, "begin", "--resume");
        Assert.False(_stage.DashboardRuns || neo4j.IsAlive || redis.IsAlive, "the primary systems are down");
        await _stage.Ends(Waits, null, "resume", run);
        await _stage.Ends(Killed, "point:effect:recover/restore:1", "approve", run, "recover/go", "--resume");
        await _stage.Ends(Waits, null, "resume", run);
        await _stage.Ends(Killed, "point:effect:recover_graph/load:1", "approve", run, "recover_graph/go", "--resume");
        await _stage.Ends(Waits, null, "resume", run);

        await _stage.Ends(0, null, "note", run, "The dump took longer than planned", "--finding", "--owner", "alice", "--due", "2027-01-15");
        await _stage.Ends(0, null, "note", run, "Nobody knew the unseal keys", "--finding", "--owner", "bob", "--due", "2027-02-01");
        await _stage.Ends(Waits, null, "decide", run, "issues", "done", "--input", "findings=2", "--resume");
        await _stage.Ends(Waits, null, "decide", run, "update", "done", "--evidence", "ticket DR-12", "--resume");
        await _stage.Ends(0, null, "decide", run, "filed", "done", "--evidence", "filed as DR-2026-4", "--resume");

        Assert.Equal(Personas * 2, await neo4j.Count());
        Assert.Equal(Personas, await neo4j.Count("MATCH (:Persona)-[r:OWNS]->(:Artifact) RETURN count(r)"));
        Assert.Equal(Keys, await redis.Keys());
        Assert.True(_stage.DashboardRuns);
        Reported(await _stage.Report(run));
        foreach (var prefix in (string[])["redis/", "neo4j/"])
            Assert.Contains($"full drill {run}", await _stage.Ends(0, null, "backups", "show", "latest-proven", "-e", _stage.EnvironmentFile, "--target", "backups", "--prefix", prefix), StringComparison.Ordinal);
        Assert.Contains("A drill begins in live", Assert.Single(_chat.Requests).Body);
        Assert.Contains("with 2 findings", Assert.Single(_mail.Mails).ReplaceLineEndings(" "));
        Assert.Equal(0, (await _stage.Helix(null, "verify-record", run)).Code);
        await _stage.NoSecretIsAnywhere(run, [.. _mail.Mails, .. _chat.Requests.Select(r => r.Body)]);
    }

    static void Reported(JsonNode report)
    {
        var steps = report["steps"]!.AsArray();
        for (var point = 1; point <= 10; point++)
            Assert.Contains(steps, s => $"{s!["name"]}".StartsWith($"{point}. ", StringComparison.Ordinal) && $"{s["status"]}" == "succeeded");
        Assert.Equal("failed", $"{steps.Single(s => $"{s!["path"]}" == "refused")!["status"]}");
        Assert.Empty(report["down"]!.AsArray());
        Assert.All(report["residue"]!.AsArray(), r => Assert.StartsWith("safety-copy:", $"{r!["key"]}", StringComparison.Ordinal));
        Assert.Equal(["alice until 2027-01-15", "bob until 2027-02-01"], report["findings"]!.AsArray().Select(f => $"{f!["owner"]} until {f["due"]}"));
        var measured = report["objectives"]!;
        Assert.True((bool)measured["rtoMet"]! && (bool)measured["rpoMet"]!);
        Assert.Equal(["neo4j", "redis"], measured["targets"]!.AsArray().Select(t => $"{t!["target"]}"));
        // From the failure on, not from the start of the run.
        var (failed, back) = (At(steps, "failure", "start"), At(steps, "health", "end"));
        Assert.Equal((back - failed).TotalSeconds, (double)measured["rta"]!, 0.01);
    }

    static DateTimeOffset At(JsonArray steps, string path, string end) => (DateTimeOffset)steps.Single(s => $"{s!["path"]}" == path)![end]!;

    async Task Environment(OldNeo4j neo4j, RedisServer redis)
    {
        _vault.Write("secret/helix", new() { ["neo4j_password"] = neo4j.Password, ["redis_password"] = redis.Password });
        var bucket = (await ceph.Bucket(_host)).Bucket;
        _stage.Environment($$"""
          redis:
            kind: redis
            endpoint: 127.0.0.1:{{redis.Port}}
            password: {{_stage.Secret("REDIS_PASSWORD", redis.Password!)}}
            dataFile: "{{redis.DataFile}}"
            runtime: { process: { start: [{{RedisServer.Executable}}, "{{redis.ConfigFile}}"], pidFile: "{{redis.PidFile}}", directory: "{{redis.Folder}}" } }
          redis_wrong_password: { kind: redis, endpoint: "127.0.0.1:{{redis.Port}}", password: {{_stage.Secret("WRONG_PASSWORD", "canary-wrong-90a3c7f2")}} }
          neo4j:
            kind: neo4j
            url: http://127.0.0.1:{{neo4j.Port}}
            password: {{_stage.Secret("NEO4J_PASSWORD", neo4j.Password)}}
            admin: ["{{neo4j.Folder}}/bin/neo4j-admin"]
            runtime: { process: { start: ["{{neo4j.Folder}}/bin/neo4j"], pidFile: "{{neo4j.Folder}}/neo4j.pid", directory: "{{neo4j.Folder}}", log: "{{neo4j.Folder}}/out.log" } }
          sentinels: { kind: process, start: [sleep, infinity], pidFile: sentinels.pid, directory: . }
          vault: { kind: vault, url: "{{_vault.Url}}", token: {{_stage.Secret("VAULT_TOKEN", VaultStub.Padded("root"))}} }
        {{_stage.Services}}
          ops_channel: { kind: webhook, url: {{_stage.Secret("OPS_WEBHOOK", _chat.Url + "canary-hook-2c9e")}} }
          management: { kind: email, host: 127.0.0.1, port: {{_mail.Port}}, security: none, from: helix@example.com, to: [management@example.com] }
          backups:
            kind: s3
            bucket: {{bucket}}
            endpoint: "{{ceph.Endpoint}}"
            checksums: when-required
            accessKey: {{_stage.Secret("S3_ACCESS_KEY", CephS3.AccessKey)}}
            secretKey: {{_stage.Secret("S3_SECRET_KEY", CephS3.SecretKey)}}
        """);
        await _stage.Prepare("  - { id: start, uses: target.start, with: { targets: [mcp, dashboard] } }");
    }

    public async ValueTask DisposeAsync()
    {
        await _stage.DisposeAsync();
        _chat.Dispose();
        _mail.Dispose();
        _vault.Dispose();
        _host.Dispose();
    }
}
