using Helix.Runbooks.Tests.Cli;
using Helix.Runbooks.Tests.House;

namespace Helix.Runbooks.Tests.Files;

/// <summary>The shipped runbooks of the configuration, really run: stored, damaged, restored; and put back when what came is not what was stored.</summary>
public sealed class RestoreConfigTests : IDisposable
{
    readonly HelixHere _helix = new();

    public RestoreConfigTests()
    {
        Directory.CreateDirectory(Path.Combine(_helix.Folder, "shelf"));
        _helix.Write("conf/helix.config.yaml", "good: true\n");
        _helix.Write("conf/policies/a.rego", "allow\n");
        var me = System.Environment.UserName;
        _helix.Write("env.yaml", $"apiVersion: helix.runbooks/v1\nname: env\nvars: {{ self_approval: true }}\ntargets:\n  backups: {{ kind: directory, path: shelf }}\npeople:\n  groups: {{ dba: [{me}], incident_commander: [{me}] }}\n");
    }

    [Fact]
    public async Task A_damaged_configuration_is_as_it_was_and_the_damaged_one_is_kept()
    {
        Assert.Equal(0, await Run("backup-config"));
        File.WriteAllText(Conf("helix.config.yaml"), "good: false\n");
        File.Delete(Conf("policies/a.rego"));
        _helix.Write("conf/new.yaml", "not in the backup");
        Assert.Equal(4, await Run("restore-config"));
        Assert.Equal(0, await _helix.Run("approve", await OpenRun(), "--resume"));
        Assert.Equal("good: true\n", File.ReadAllText(Conf("helix.config.yaml")));
        Assert.Equal("allow\n", File.ReadAllText(Conf("policies/a.rego")));
        Assert.False(File.Exists(Conf("new.yaml")));
        Assert.Equal("good: false\n", File.ReadAllText(Path.Combine(Assert.Single(Before), "helix.config.yaml")));
    }

    [Fact]
    public async Task A_configuration_in_which_nothing_changed_is_stored_once_whichever_process_packs_it()
    {
        Assert.Equal(0, await Run("backup-config"));
        using var another = new HelixProcess(_helix.Store, Arguments("backup-config"));
        var (code, _, error) = await another.End();
        Assert.True(code == 0, error);
        Assert.Single(Stored);
        _helix.Write("conf/helix.config.yaml", "good: better\n");
        Assert.Equal(0, await Run("backup-config"));
        Assert.Equal(2, Stored.Length);
    }

    [Fact]
    public async Task What_an_earlier_restore_kept_is_no_way_back_of_a_later_one()
    {
        Assert.Equal(0, await Run("backup-config"));
        _helix.Write("conf.before/helix.config.yaml", "months old\n");
        _helix.Write("conf.before-20250101T000000Z/helix.config.yaml", "months old\n");
        _helix.Write("conf/helix.config.yaml", "good: false\n");
        Assert.Equal(4, await Run("restore-config"));
        foreach (var unpacked in Directory.GetDirectories(_helix.Folder, "config", SearchOption.AllDirectories))
            TempFolder.Delete(unpacked);

        Assert.Equal(1, await _helix.Run("approve", await OpenRun(), "--resume"));

        Assert.Equal("good: false\n", File.ReadAllText(Conf("helix.config.yaml")));
        Assert.Equal(2, Before.Length);
    }

    [Fact]
    public async Task A_backup_that_lacks_what_must_be_there_replaces_nothing()
    {
        Assert.Equal(0, await Run("backup-config"));
        File.WriteAllText(Conf("helix.config.yaml"), "good: false\n");
        Assert.Equal(1, await Run("restore-config", "--input", "must_exist=docker-compose.yml"));
        Assert.Equal("good: false\n", File.ReadAllText(Conf("helix.config.yaml")));
    }

    Task<int> Run(string runbook, params string[] more) => _helix.Run(Arguments(runbook, more));

    string[] Arguments(string runbook, params string[] more) =>
        ["run", Path.Combine(Source.Root, "runbooks", runbook + ".yaml"), "-e", Path.Combine(_helix.Folder, "env.yaml"), "--unattended", "--input", $"folder={Path.Combine(_helix.Folder, "conf")}", .. more];

    string[] Stored => Directory.GetFiles(Path.Combine(_helix.Folder, "shelf", "config"), "*.manifest.json");

    async Task<string> OpenRun()
    {
        Assert.Equal(0, await _helix.Run("runs", "--json"));
        return (string)_helix.Json.AsArray().Single(r => (string)r!["runbook"]! == "restore-config")!["run"]!;
    }

    string[] Before => Directory.GetDirectories(_helix.Folder, "conf.before*");

    string Conf(string name) => Path.Combine(_helix.Folder, "conf", name);

    public void Dispose() => _helix.Dispose();
}
