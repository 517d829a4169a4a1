using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.House;

namespace Helix.Runbooks.Tests.Cli;

/// <summary>The verbs of `helix backups` in an environment that keeps backups in two places.</summary>
public sealed class BackupsTests : IAsyncLifetime
{
    readonly HelixHere _helix = new();

    public async ValueTask InitializeAsync()
    {
        foreach (var folder in new[] { "shelf", "away" })
            Directory.CreateDirectory(Path.Combine(_helix.Folder, folder));
        _helix.Write("conf/helix.config.yaml", "good: true\n");
        _helix.Write("env.yaml", "apiVersion: helix.runbooks/v1\nname: env\ntargets:\n  backups: { kind: directory, path: shelf }\n  offsite: { kind: directory, path: away }\n");
        _helix.Write("offsite.yaml", "apiVersion: helix.runbooks/v1\nname: offsite\ntitle: offsite\nsteps:\n  - { id: copy, uses: backup.copy, with: { from: backups, to: offsite, prefix: config/ } }\n");
        Assert.Equal(0, await Run(Path.Combine(Source.Root, "runbooks/backup-config.yaml"), "--input", $"folder={Path.Combine(_helix.Folder, "conf")}"));
        Assert.Equal(0, await Run(Path.Combine(_helix.Folder, "offsite.yaml")));
    }

    [Fact]
    public async Task What_is_rejected_in_one_place_is_rejected_in_the_other_too()
    {
        var key = $"{(await List("offsite"))["key"]}";
        Assert.Equal(0, await _helix.Run("backups", "reject", key, "--reason", "it is empty", "--target", "backups", "-e", Env));
        Assert.Contains("It is rejected in 'offsite' too.", _helix.Error + _helix.Out, StringComparison.Ordinal);
        Assert.Equal("rejected", $"{(await List("offsite"))["state"]}");
        Assert.Equal(1, await _helix.Run("backups", "verify", "latest", "--prefix", "config/", "--target", "offsite", "-e", Env));
    }

    async Task<JsonNode> List(string target)
    {
        Assert.Equal(0, await _helix.Run("backups", "list", "--prefix", "config/", "--target", target, "--json", "-e", Env));
        return Assert.Single(_helix.Json["backups"]!.AsArray())!;
    }

    Task<int> Run(string runbook, params string[] more) => _helix.Run(["run", runbook, "-e", Env, "--unattended", .. more]);

    string Env => Path.Combine(_helix.Folder, "env.yaml");

    public ValueTask DisposeAsync()
    {
        _helix.Dispose();
        return ValueTask.CompletedTask;
    }
}
