using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.House;
using Helix.Steps.Backups;

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

    [Fact]
    public async Task A_list_says_how_old_each_is_and_a_selector_takes_one_of_them_everywhere()
    {
        var listed = await List("backups");
        Assert.InRange((double)listed["ageSeconds"]!, 0, 3600);
        string[] which = ["--prefix", "config/", "--target", "backups", "-e", Env];
        Assert.Equal(0, await _helix.Run(["backups", "list", .. which]));
        Assert.Contains("AGE", _helix.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run(["backups", "list", "--backup", "latest", "--json", .. which]));
        Assert.Equal($"{listed["key"]}", $"{Assert.Single(_helix.Json["backups"]!.AsArray())!["key"]}");
        Assert.Equal(0, await _helix.Run(["backups", "show", "latest", "--json", .. which]));
        Assert.Equal($"{listed["key"]}", $"{_helix.Json["key"]}");
        Assert.Equal(1, await _helix.Run(["backups", "show", "latest-proven", .. which]));
    }

    [Fact]
    public async Task What_a_restore_found_bad_is_listed_as_that_and_leaves_everything_to_be_lost()
    {
        var key = $"{(await List("backups"))["key"]}";
        await using (var store = new DirectoryStore(Path.Combine(_helix.Folder, "shelf")))
            await new BackupSeries(store, "config/").Prove(key, new() { At = DateTimeOffset.UnixEpoch, Passed = false, Run = "drill" });
        var listed = await List("backups");
        Assert.Equal(("found bad", "its restore was found bad by run drill at 1970-01-01 00:00:00Z"), ($"{listed["state"]}", $"{listed["problem"]}"));
        Assert.Contains("everything would be lost", _helix.Error + _helix.Out, StringComparison.Ordinal);
        Assert.Equal(1, await _helix.Run("backups", "verify", "latest", "--prefix", "config/", "--target", "backups", "-e", Env));
        Assert.Equal(0, await _helix.Run("backups", "verify", key, "--target", "backups", "-e", Env));
    }

    [Fact]
    public async Task A_preview_of_a_prune_takes_the_options_of_the_step_and_sees_an_upload_that_is_under_way()
    {
        string[] prune = ["backups", "prune", "--prefix", "config/", "--target", "backups", "--json", "-e", Env];
        Assert.Equal(2, await _helix.Run(prune));
        Assert.Equal(2, await _helix.Run([.. prune, "--keep-daily", "1", "--keep-at-least", "0"]));
        Assert.Equal(0, await _helix.Run([.. prune, "--keep-daily", "1", "--keep-at-least", "1", "--keep-proven", "2", "--rejected-after", "1d", "--max-removed", "5"]));
        Assert.Null(_helix.Json["refusal"]);
        await using var store = new DirectoryStore(Path.Combine(_helix.Folder, "shelf"));
        await using var upload = await store.Create("config/next", new(), default);
        await upload.WriteAsync(new byte[] { 1 });
        Assert.Equal(0, await _helix.Run([.. prune, "--keep-daily", "1"]));
        Assert.Contains("is under way since", $"{_helix.Json["refusal"]}", StringComparison.Ordinal);
        Assert.Equal(0, await _helix.Run([.. prune, "--keep-daily", "1", "--abandoned-after", "0s"]));
        Assert.Null(_helix.Json["refusal"]);
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
