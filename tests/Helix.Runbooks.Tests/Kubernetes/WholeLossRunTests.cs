using Helix.Runbooks.Tests.Http;
using Helix.Runbooks.Tests.Neo4j;
using Helix.Runbooks.Tests.Redis;
using Helix.Runbooks.Tests.Scenarios;
using Helix.Runbooks.Tests.Terraform;
using Helix.Runbooks.Tests.Vault;
using Helix.Steps.Backups;
using Helix.Steps.Redis;
using Helix.Steps.Vault;
using static Helix.Runbooks.Tests.Scenarios.LiveStage;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>Scenario 2 as it is shipped, through the real executable: terraform, kubectl and Redis are real; the API of the cluster, Vault and Neo4j are stubs.</summary>
public sealed class WholeLossRunTests : IAsyncDisposable
{
    const string GraphPassword = "graph-7f3b91d2", RedisPassword = "redis-91c2aa07", CertificateKey = "certificate-key-5be0";

    readonly LiveStage _stage = new();
    readonly KubeServer _server = new();
    readonly VaultStub _vault = new() { Shares = ["origin-share-a", "origin-share-b"], Threshold = 2 };
    readonly TestHost _host = new();
    readonly HttpStub _outside;

    public WholeLossRunTests()
    {
        KubePods.Need();
        _server.Cluster.IsNew = true;
        _server.Cluster.Pods.Furnish = KubeImages.Furnish;
        _outside = new(r => new(r.Path == "/health" && _server.Cluster["Deployment", "dashboard-blue"] is null ? 503 : 200));
        Directory.CreateDirectory(Path.Combine(_stage.Folder, "shelf"));
        _stage.Secret("OPS_WEBHOOK", _outside.Url + "hook");
        foreach (var (name, share) in new[] { ("NEW_VAULT_SHARE_1", "new-share-a"), ("NEW_VAULT_SHARE_2", "new-share-b"), ("VAULT_SHARE_1", "origin-share-a"), ("VAULT_SHARE_2", "origin-share-b"), ("VAULT_SHARE_3", "unused-share-c") })
            _stage.Secret(name, share);
    }

    public async ValueTask DisposeAsync()
    {
        await _stage.DisposeAsync();
        _outside.Dispose();
        _host.Dispose();
        _vault.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task Everything_is_rebuilt_from_offsite_backups_the_bad_graph_is_replaced_by_an_older_one_and_a_killed_driver_changes_nothing()
    {
        using var infra = Infrastructure();
        await using var redis = await RedisServer.Start(RedisPassword);
        await Backups(redis);
        var store = Path.Combine(_server.Cluster.Pods.ClaimOf("data-neo4j-0"), "databases", "neo4j");
        StubGraph.Of(0).Write(store);
        using var graph = new StubServer("5.25.1", new(), Ports.Free(), GraphPassword, store: store);
        Lose(redis);
        Environment(infra.Path, graph.Url, redis);

        var run = await _stage.Start("complete-infrastructure-loss", Waits, null, [.. ((string[])["vault", "site"]).SelectMany(OwnCertificate)]);
        Assert.Null(_server.Cluster["StatefulSet", "neo4j"]);
        await _stage.Ends(0, null, "approve", run, "go");
        await _stage.Ends(Waits, null, "resume", run, "--unattended");
        Assert.NotNull(_server.Cluster["StatefulSet", "neo4j"]);
        await _stage.Ends(0, null, "approve", run, "go_data", "--input", "keys_at_hand=true");
        await _stage.Ends(Killed, "point:effect:secrets:1", "resume", run, "--unattended");
        await _stage.Ends(Waits, null, "resume", run, "--unattended");
        Assert.Equal(200, await redis.Keys());
        Assert.All(["mcp", "mcp-verification", "dashboard-blue"], client => Assert.Null(_server.Cluster["Deployment", client]));
        await _stage.Ends(0, null, "approve", run, "go_older_graph");
        var said = await _stage.Ends(0, null, "resume", run, "--unattended");

        Assert.Equal(120, StubGraph.Read(store).Nodes);
        Assert.False(_vault.Sealed);
        Assert.Equal(GraphPassword, Field("helix-secrets", "NEO4J_PASSWORD"));
        foreach (var name in new[] { "vault-tls", "helix-tls" })
            Assert.Equal(CertificateKey, Field(name, "tls.key"));
        var record = await _stage.Ends(0, null, "export", run) + said;
        foreach (var secret in new[] { GraphPassword, RedisPassword, CertificateKey, "origin-share-a", VaultStub.Padded("origin") })
            Assert.DoesNotContain(secret, record, StringComparison.Ordinal);
        await _stage.Ends(0, null, "verify-record", run);
    }

    IEnumerable<string> OwnCertificate(string of) =>
        ["--input", $"{of}_certificate=file:{_stage.Folder}/tls.crt", "--input", $"{of}_certificate_key=file:{_stage.Folder}/tls.key"];

    string Field(string secret, string name) => System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(_server.Cluster["Secret", secret]!["data"]![name]!.ToString()));

    /// <summary>A module whose only resource hands out the kubeconfig, as that of a cloud would.</summary>
    TerraformFolder Infrastructure()
    {
        var folder = new TerraformFolder("module \"helix_infrastructure\" { source = \"./cluster\" }\n");
        Directory.CreateDirectory(Path.Combine(folder.Path, "cluster"));
        File.WriteAllText(Path.Combine(folder.Path, "cluster", "main.tf"), $$"""
            resource "terraform_data" "cluster" {
              provisioner "local-exec" { command = "cp {{_server.Config}} ${path.root}/kubeconfig" }
            }
            """);
        return folder;
    }

    /// <summary>The newest dump of the graph does not hold what its manifest says; the one before it does.</summary>
    async Task Backups(RedisServer redis)
    {
        _host.Add("offsite", new DirectoryTarget { Path = Path.Combine(_stage.Folder, "shelf") });
        _vault.Target(_host);
        _vault.Tokens[VaultStub.Padded("root")] = new StubToken(null);
        _vault.Write("secret/helix", new() { ["neo4j_password"] = GraphPassword, ["redis_password"] = RedisPassword, ["session_key"] = "session-44d1c0e9" });
        redis.AddTo(_host, "redis");
        await redis.Fill(200);
        var now = TimeProvider.System.GetUtcNow();
        var snapshot = await _host.Run(new VaultSnapshot(), new() { Target = "vault", To = "work/vault.snap" });
        await Keep("vault/", "vault.raft", snapshot.File, snapshot.RecoveryPoint, snapshot.Counts, "vault");
        var saved = await _host.Run(new RedisSave(), new() { Target = "redis", To = "work/redis.rdb" });
        await Keep("redis/", "redis.rdb", saved.File, saved.RecoveryPoint, saved.Counts, "redis");
        await Keep("neo4j/", "neo4j.dump", KubeImages.Archive(StubGraph.Of(40), _host.Work), now.AddMinutes(-50), CountsOf(40), null);
        await Keep("neo4j/", "neo4j.dump", KubeImages.Archive(StubGraph.Of(3), _host.Work), now.AddMinutes(-20), CountsOf(45), null);
    }

    static Dictionary<string, long> CountsOf(long personas) => new()
    {
        ["nodes"] = personas * 3,
        ["label:Persona"] = personas,
        ["label:Art`ifact"] = personas * 2,
        ["relationships"] = personas * 2,
        ["type:OWNS"] = personas * 2,
    };

    Task<BackupUploadOutputs> Keep(string prefix, string kind, string file, DateTimeOffset at, IReadOnlyDictionary<string, long> counts, string? source)
    {
        _host.SavedValues.Clear();
        return _host.Run(new BackupUpload(), new() { Target = "offsite", File = file, Prefix = prefix, Kind = kind, RecoveryPoint = at, Counts = counts, Source = source });
    }

    /// <summary>What is there instead: an empty Redis, and a new, sealed Vault with keys of its own.</summary>
    void Lose(RedisServer redis)
    {
        redis.Send("FLUSHALL").GetAwaiter().GetResult();
        _vault.Empty();
        (_vault.ClusterId, _vault.Shares, _vault.Sealed) = ("cluster-new", ["new-share-a", "new-share-b"], true);
    }

    void Environment(string infra, string graph, RedisServer redis)
    {
        foreach (var (name, text) in new[] { ("first-token", VaultStub.Padded("root")), ("origin-token", VaultStub.Padded("origin")), ("tls.crt", "certificate"), ("tls.key", CertificateKey) })
            File.WriteAllText(Path.Combine(_stage.Folder, name), text);
        File.WriteAllText(_stage.EnvironmentFile, $$"""
            apiVersion: helix.runbooks/v1
            name: live
            vars: { self_approval: true, dashboard_host: localhost, settle: 1s, infrastructure: [module.helix_infrastructure] }
            targets:
              infra: { kind: terraform, directory: "{{infra}}" }
              cluster: { kind: kubernetes, kubeconfig: "{{infra}}/kubeconfig", context: dr, namespace: helix, identifyBy: server, identity: { place: "{{_server.Url}}/helix" } }
              neo4j:
                kind: neo4j
                runtime: { kubernetes: cluster, workload: statefulset/neo4j }
                url: "{{graph.TrimEnd('/')}}"
                password: vault:vault_restored/secret/helix#neo4j_password
                identity: { place: "{{_server.Url}}/helix/statefulset/neo4j" }
              redis:
                kind: redis
                runtime: { process: { start: [{{RedisServer.Executable}}, "{{redis.ConfigFile}}"], pidFile: "{{redis.PidFile}}", directory: "{{redis.Folder}}" } }
                endpoint: 127.0.0.1:{{redis.Port}}
                password: vault:vault_restored/secret/helix#redis_password
                dataFile: "{{redis.DataFile}}"
              vault: { kind: vault, scratch: true, url: "{{_vault.Url}}", token: "file:{{_stage.Folder}}/first-token" }
              vault_restored: { kind: vault, url: "{{_vault.Url}}", token: "file:{{_stage.Folder}}/origin-token" }
              dashboard: { kind: http, url: "{{_outside.Url}}health" }
              offsite: { kind: directory, path: "{{_stage.Folder}}/shelf" }
              ops_channel: { kind: webhook, url: "env:OPS_WEBHOOK" }
            people:
              groups: { dba: [{{Me}}], incident_commander: [{{Me}}], security: [{{Me}}], key_holders: [{{Me}}] }
            """);
    }
}
