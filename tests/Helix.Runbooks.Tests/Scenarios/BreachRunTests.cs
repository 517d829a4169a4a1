using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Tests.Backups;
using Helix.Runbooks.Tests.Docker;
using Helix.Runbooks.Tests.Http;
using Helix.Runbooks.Tests.Runs;
using Helix.Runbooks.Tests.Terraform;
using Helix.Runbooks.Tests.Vault;
using static Helix.Runbooks.Tests.Scenarios.LiveStage;

namespace Helix.Runbooks.Tests.Scenarios;

/// <summary>Scenario 4 as it is shipped: real Docker engine, Compose, Neo4j, Redis, Terraform and S3; Vault and the chat are stubs.</summary>
public sealed class BreachRunTests(DockerFixture docker, CephS3 ceph) : IClassFixture<DockerFixture>, IAsyncDisposable
{
    const int Personas = 60, Keys = 300;
    static readonly string[] Fields = ["neo4j_password", "redis_password", "session_key", "webhook_key"];

    readonly LiveStage _stage = new();
    readonly TestHost _host = new();
    readonly VaultStub _vault = new();
    readonly HttpStub _chat = new(_ => new(200));
    DataStack _stack = null!;

    [Fact]
    public async Task A_breached_stack_is_destroyed_and_rebuilt_clean_with_new_secrets_in_a_stub_of_Vault_although_Vault_goes_too_and_the_driver_is_killed_four_times()
    {
        _stack = await DataStack.Write(docker, Path.Combine(_stage.Folder, "stack"));
        using var infra = new TerraformFolder(Infrastructure());
        await infra.PlanAndApply();
        foreach (var field in Fields)
            _stage.Secret($"OLD_{field}", $"canary-old-{field.Replace('_', '-')}-4c1d");
        _vault.Shares = ["canary-origin-share-1-77b0", "canary-origin-share-2-77b0"];
        foreach (var (number, share) in _vault.Shares.Index())
            _stage.Secret($"VAULT_SHARE_{number + 1}", share);
        _vault.Write("secret/helix", new(Fields.Select(f => KeyValuePair.Create(f, (JsonNode?)Old(f)))));
        await Environment(infra.Path);
        await Fill();
        var breach = TimeProvider.System.GetUtcNow();
        await Intrude();

        var run = await _stage.Start("security-breach", Waits, null, "--input", $"breach_at={Text(breach.AddMinutes(30))}");
        await _stage.Ends(0, null, "decide", run, "revoke_keys", "done", "--evidence", "ticket ID-1");
        await _stage.Ends(0, null, "decide", run, "block_access", "done", "--evidence", "ticket NET-1", "--input", "closed=rule 17 of the border firewall");
        await _stage.Ends(Killed, "point:effect:copy_neo4j:1", "decide", run, "isolate", "done", "--evidence", "ticket NET-2", "--input", "hosts=web-3", "--resume");
        await _stage.Ends(Waits, null, "resume", run);
        await _stage.Ends(Waits, null, "decide", run, "assess", "done", "--evidence", "report 7", "--input", $"breach_at={Text(breach)}", "--input", "compromised=personas", "--resume");
        var contents = Volumes();
        Assert.NotEqual("", contents);
        TwoPeopleApprove(run, "go");
        await _stage.Ends(Killed, "point:effect:rotate:1", "resume", run);
        await _stage.Ends(Waits, null, "resume", run);
        Assert.Equal(contents, Volumes());
        await _stage.Ends(Killed, "point:effect:destroy:1", "decide", run, "rotate_outside", "done", "--evidence", "ticket CA-3", "--resume");
        Assert.Equal("", _stack.Containers + Volumes());
        LoseVault();
        await _stage.Ends(Waits, null, "resume", run);
        await _stage.Ends(Killed, "point:effect:restore:1", "approve", run, "build", "--resume");
        await _stage.Ends(Waits, null, "resume", run);
        await _stage.Ends(Waits, null, "decide", run, "review", "done", "--evidence", "review 12", "--resume");
        await _stage.Ends(Waits, null, "decide", run, "reject_backups", "done", "--evidence", "list 4", "--resume");
        Assert.Contains("closed: rule 17 of the border firewall", await _stage.Ends(0, null, "show", run), StringComparison.Ordinal);
        await _stage.Ends(0, null, "decide", run, "open_access", "done", "--evidence", "ticket NET-9", "--resume");

        foreach (var field in Fields)
            Assert.NotEqual(Old(field), _stage.Revealed(_stage.Secret($"NEW_{field}", _vault.Value("secret/helix", field)!)));
        Assert.All(Enumerable.Range(1, _vault.Versions("secret/helix") - 1), v => Assert.True(_vault.IsDestroyed("secret/helix", v), $"version {v}"));
        await Clean(New("neo4j_password"), New("redis_password"));
        foreach (var (kind, number) in new[] { ("forensic/redis/", 1), ("forensic/neo4j/", 1), ("forensic/vault/", 1) })
            Assert.Equal(number, await Backups("offsite", kind));
        Assert.Equal(1, await Backups("offsite", "vault/"));
        Assert.Equal((1, 3, 2), (await Backups("backups", "vault/"), await Backups("backups", "redis/"), await Backups("backups", "neo4j/")));
        Assert.Contains("access is open again", _chat.Requests.Last().Body);
        Assert.Equal(0, (await _stage.Helix(null, "verify-record", run)).Code);
        await _stage.NoSecretIsAnywhere(run, _chat.Requests.Select(r => r.Body));
    }

    string Old(string field) => _stage.Revealed($"env:OLD_{field}");
    string New(string field) => _stage.Revealed($"env:NEW_{field}");
    static string Text(DateTimeOffset at) => at.ToString("O", CultureInfo.InvariantCulture);
    string Volumes() => _stack.Volumes;

    async Task Fill()
    {
        await _stage.Prepare("  - { id: up, uses: compose.up, with: { target: stack } }\n  - { id: start, uses: target.start, with: { targets: [neo4j, redis, mcp, dashboard] } }");
        await Neo4j.OldNeo4j.Query(_stack.GraphPort, Old("neo4j_password"), $"UNWIND range(1, {Personas}) AS i CREATE (:Persona {{id: i}})-[:OWNS]->(:Artifact {{id: i}})");
        await _stack.Redis(Old("redis_password"), "EVAL", $"for i = 1, {Keys} do redis.call('SET', 'k:' .. i, i) end", "0");
        await _stage.Start("backup-neo4j-dump", 0);
        await _stage.Start("backup-redis", 0);
        await Offsite();
    }

    /// <summary>What the intruder does is in the newest backup, too.</summary>
    async Task Intrude()
    {
        await Neo4j.OldNeo4j.Query(_stack.GraphPort, Old("neo4j_password"), "CREATE (:Persona {id: 'backdoor'})");
        await _stack.Redis(Old("redis_password"), "SET", "backdoor", "open");
        await _stage.Start("backup-redis", 0);
        await Offsite();
    }

    /// <summary>It went with the infrastructure; the one that is built in its place is empty and has keys of its own.</summary>
    void LoseVault()
    {
        _vault.Empty();
        (_vault.ClusterId, _vault.Shares, _vault.Sealed) = ("cluster-new", ["canary-new-share-1-3e5d", "canary-new-share-2-3e5d"], true);
        foreach (var (number, share) in _vault.Shares.Index())
            _stage.Secret($"NEW_VAULT_SHARE_{number + 1}", share);
    }

    Task Offsite() => _stage.Prepare("""
          - { id: copy_redis, uses: backup.copy, with: { from: backups, to: offsite, prefix: redis/ } }
          - { id: copy_graph, uses: backup.copy, with: { from: backups, to: offsite, prefix: neo4j/ } }
        """);

    async Task Clean(string graphPassword, string redisPassword)
    {
        Assert.Equal(Personas * 2, await _stack.CountGraph(graphPassword, "MATCH (n) RETURN count(n)"));
        Assert.Equal(Personas, await _stack.CountGraph(graphPassword, "MATCH (:Persona)-[r:OWNS]->(:Artifact) RETURN count(r)"));
        Assert.Equal($"{Keys}", await _stack.Redis(redisPassword, "DBSIZE"));
        await Assert.ThrowsAsync<HttpRequestException>(() => _stack.CountGraph(Old("neo4j_password"), "RETURN 1"));
        await Assert.ThrowsAnyAsync<StackExchange.Redis.RedisException>(() => _stack.Redis(Old("redis_password"), "PING"));
    }

    async Task<int> Backups(string target, string prefix) =>
        JsonNode.Parse((await _stage.Helix(null, "backups", "list", "-e", _stage.EnvironmentFile, "--target", target, "--prefix", prefix, "--json")).Out)!["backups"]!.AsArray().Count(b => $"{b!["state"]}" == "complete");

    /// <summary>Two accounts cannot be had on every machine: they answer through the engine; signatures have tests of their own.</summary>
    void TwoPeopleApprove(string run, string question)
    {
        using var store = JournalStore.Open(Path.Combine(_stage.Folder, "helix.db"), TimeProvider.System);
        var engine = new Engine(RunHarness.Catalog, store, TimeProvider.System, new EngineSettings { DataFolder = _stage.Folder });
        foreach (var person in new[] { "sam", "carl" })
        {
            var answer = engine.Decide(run, new Person(person, IdentityStrength.Signed, "test"), new Decided { Question = question, Choice = "approve" });
            Assert.True(answer.Accepted, answer.Message);
        }
    }

    /// <summary>Its destruction takes the containers and the volumes with it.</summary>
    string Infrastructure() => $$"""
        resource "terraform_data" "machine" {
          input = { removal = "{{_stack.Removal}}" }
          provisioner "local-exec" {
            when    = destroy
            command = self.input.removal
          }
        }
        """;

    async Task Environment(string infra)
    {
        var (backups, offsite) = ((await ceph.Bucket(_host)).Bucket, (await ceph.Bucket(_host)).Bucket);
        var (access, secret) = (_stage.Secret("S3_ACCESS_KEY", CephS3.AccessKey), _stage.Secret("S3_SECRET_KEY", CephS3.SecretKey));
        string Store(string bucket) => $"kind: s3, bucket: {bucket}, endpoint: \"{ceph.Endpoint}\", checksums: when-required, accessKey: {access}, secretKey: {secret}";
        const string graphPassword = "vault:vault/secret/helix#neo4j_password", redisPassword = "vault:vault/secret/helix#redis_password";
        _stage.Environment($$"""
          infra: { kind: terraform, directory: "{{infra}}" }
          stack:
            kind: compose
            project: {{_stack.Project}}
            files: ["{{_stack.File}}"]
            host: "{{docker.Host}}"
            secrets: { NEO4J_PASSWORD: "{{graphPassword}}", REDIS_PASSWORD: "{{redisPassword}}" }
          neo4j:
            kind: neo4j
            url: http://127.0.0.1:{{_stack.GraphPort}}
            password: "{{graphPassword}}"
            admin: [/opt/helix/neo4j-admin]
            runtime: { compose: stack, service: neo4j }
          neo4j_old_password: { kind: neo4j, url: "http://127.0.0.1:{{_stack.GraphPort}}", password: env:OLD_neo4j_password }
          redis:
            kind: redis
            endpoint: 127.0.0.1:{{_stack.RedisPort}}
            password: "{{redisPassword}}"
            dataFile: /data/dump.rdb
            runtime: { compose: stack, service: redis }
          redis_old_password: { kind: redis, endpoint: "127.0.0.1:{{_stack.RedisPort}}", password: env:OLD_redis_password }
          vault: { kind: vault, url: "{{_vault.Url}}", appRole: { roleId: {{_stage.Secret("VAULT_ROLE_ID", "canary-role-51f2")}}, secretId: {{_stage.Secret("VAULT_SECRET_ID", VaultStub.Padded("approle"))}} } }
          vault_new: { kind: vault, scratch: true, url: "{{_vault.Url}}", token: {{_stage.Secret("VAULT_TOKEN", VaultStub.Padded("root"))}} }
        {{_stage.Services}}
          ops_channel: { kind: webhook, url: {{_stage.Secret("OPS_WEBHOOK", _chat.Url + "canary-hook-8d20")}} }
          backups: { {{Store(backups)}} }
          offsite: { {{Store(offsite)}} }
        """, ", infrastructure: [terraform_data.machine]");
    }

    public async ValueTask DisposeAsync()
    {
        await _stage.DisposeAsync();
        _chat.Dispose();
        _vault.Dispose();
        _host.Dispose();
    }
}
