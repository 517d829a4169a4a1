using Helix.Runbooks.Tests.Cli;
using Helix.Runbooks.Tests.House;

namespace Helix.Runbooks.Tests.Vault;

/// <summary>The shipped runbooks, really run through the command line, against the stub of Vault and a real folder of backups.</summary>
public sealed class VaultRunbookTests : IDisposable
{
    static readonly string Me = System.Environment.UserName;

    readonly HelixHere _helix = new();
    readonly VaultStub _vault = new() { Shares = ["canary-origin-a", "canary-origin-b"], Threshold = 2 };

    public VaultRunbookTests()
    {
        Directory.CreateDirectory(Path.Combine(_helix.Folder, "shelf"));
        _helix.Write("root", VaultStub.Padded("root") + "\n");
        _helix.Write("origin", VaultStub.Padded("origin") + "\n");
        _helix.Write("env.yaml", $$"""
            apiVersion: helix.runbooks/v1
            name: env
            vars: { self_approval: true }
            targets:
              vault: { kind: vault, url: "{{_vault.Url}}", token: "file:root" }
              vault_restored: { kind: vault, url: "{{_vault.Url}}", token: "file:origin" }
              backups: { kind: directory, path: shelf }
            people:
              groups: { security: [{{Me}}], incident_commander: [{{Me}}], key_holders: [{{Me}}, second] }
            """);
        _vault.Write("secret/helix", new() { ["neo4j_password"] = "x-neo4j", ["redis_password"] = "x-before" });
    }

    [Fact]
    public async Task A_snapshot_is_stored_with_the_cluster_whose_keys_open_it_and_brings_the_secrets_back()
    {
        await Backup();
        Assert.Equal(0, await _helix.Run("backups", "list", "-e", Env, "--target", "backups", "--prefix", "vault/", "--json"));
        var manifest = Directory.EnumerateFiles(Path.Combine(_helix.Folder, "shelf"), "*.manifest.json", SearchOption.AllDirectories).Single();
        var text = await File.ReadAllTextAsync(manifest);
        Assert.Contains("\"place\": \"cluster-here\"", text, StringComparison.Ordinal);
        Assert.Contains("\"threshold\": 2", text, StringComparison.Ordinal);

        _vault.Write("secret/helix", new() { ["neo4j_password"] = "x-neo4j", ["redis_password"] = "x-lost" });
        Assert.Equal(4, await _helix.Run("run", Runbook("restore-vault"), "-e", Env));
        Assert.Equal(0, await _helix.Run("approve", await OpenRun(), "--input", "keys_at_hand=true", "--resume"));
        Assert.Contains("came from cluster cluster-here", _helix.Error, StringComparison.Ordinal);
        Assert.Equal("x-before", _vault.Value("secret/helix", "redis_password"));
    }

    [Fact]
    public async Task VLT_02_A_lost_cluster_is_restored_into_a_new_one_and_opened_with_the_keys_of_the_lost()
    {
        await Backup();
        (_vault.ClusterId, _vault.Shares) = ("cluster-new", ["canary-new-a", "canary-new-b"]);
        _vault.Empty();
        Assert.Equal(4, await _helix.Run("run", Runbook("restore-vault"), "-e", Env, "--input", "force=true"));
        var run = await OpenRun();
        using var driver = new HelixProcess(_helix.Store, ["approve", run, "--input", "keys_at_hand=true", "--resume"]);
        await Eventually.True(async () => await _helix.Run("status") == 0 && _helix.Out.Contains("Share 1 of 2", StringComparison.Ordinal), "it asks for the first share");
        Assert.Equal(0, await _helix.Run(["secret", run, "share"], "canary-origin-a\n"));
        await Eventually.True(async () => await _helix.Run("status") == 0 && _helix.Out.Contains("Share 2 of 2", StringComparison.Ordinal), "it asks for the second share");
        Assert.Equal(2, await _helix.Run(["secret", run, "share"], "canary-origin-b\n"));
        Assert.Contains("it takes several people", _helix.Error, StringComparison.Ordinal);
        Assert.True(_vault.Sealed);
        Assert.Equal(0, await _helix.Run("cancel", run, "--reason", "the second holder is not here"));
        Assert.Equal(5, (await driver.End()).Code);
        Assert.Equal(0, await _helix.Run("export", run));
        Assert.DoesNotContain("canary", _helix.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reference_into_Vault_is_read_each_time_it_is_needed_and_its_value_is_stored_nowhere()
    {
        _vault.Write("secret/helix", new() { ["redis_password"] = "canary-of-the-store" });
        var book = _helix.Write("use.yaml", """
            apiVersion: helix.runbooks/v1
            name: use
            title: Use it
            steps:
              - id: use
                uses: command.run
                effect: changes
                with: { argv: [sh, -c, 'printf %s "$T" >used; echo "it is $T"'], secrets: { T: "vault:vault/secret/helix#redis_password" } }
              - { id: again, uses: command.run, effect: changes, ifFails: continue, with: { argv: ["true"], secrets: { T: "vault:nobody/secret/helix#redis_password" } } }
            """);
        Assert.Equal(0, await _helix.Run("run", book, "-e", Env, "--unattended"));
        Assert.Equal("canary-of-the-store", await File.ReadAllTextAsync(Path.Combine(_helix.Folder, "used")));
        Assert.Contains("it is ***", _helix.Error, StringComparison.Ordinal);
        Assert.Contains("names no target of kind vault", _helix.Out + _helix.Error, StringComparison.Ordinal);
        File.Delete(Path.Combine(_helix.Folder, "used"));
        Assert.DoesNotContain(Directory.EnumerateFiles(_helix.Folder, "*", SearchOption.AllDirectories), f => File.ReadAllText(f, System.Text.Encoding.Latin1).Contains("canary-of-the-store", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Old_backups_go_on_a_schedule_without_anybody_at_the_gate()
    {
        await Backup();
        var prune = _helix.Write("prune.yaml", """
            apiVersion: helix.runbooks/v1
            name: prune
            title: Prune
            steps:
              - { id: prune, uses: backup.prune, with: { target: backups, prefix: vault/, keepHourly: 1, keepAtLeast: 1 } }
            """);
        Assert.Equal(0, await _helix.Run("run", prune, "-e", Env, "--unattended"));
        Assert.Contains("prune  backup.prune  succeeded", _helix.Error, StringComparison.Ordinal);
    }

    async Task Backup() => Assert.Equal(0, await _helix.Run("run", Runbook("backup-vault"), "-e", Env, "--unattended"));

    async Task<string> OpenRun()
    {
        Assert.Equal(0, await _helix.Run("runs", "--json"));
        return (string)_helix.Json.AsArray().Single(r => (string)r!["runbook"]! == "restore-vault")!["run"]!;
    }

    string Env => Path.Combine(_helix.Folder, "env.yaml");
    static string Runbook(string name) => Path.Combine(Source.Root, "runbooks", name + ".yaml");

    public void Dispose()
    {
        _vault.Dispose();
        _helix.Dispose();
    }
}
