using System.Formats.Tar;
using Helix.Runbooks.Steps;
using Helix.Steps.Compose;
using Helix.Steps.Docker;
using Helix.Steps.Files;
using Helix.Steps.Targets;

namespace Helix.Runbooks.Tests.Docker;

public sealed class VolumeTests : IClassFixture<DockerFixture>, IDisposable
{
    readonly DockerFixture _docker;
    readonly TestHost _host = new();

    public VolumeTests(DockerFixture docker)
    {
        docker.Need();
        _docker = docker;
    }

    public void Dispose() => _host.Dispose();

    async Task<ComposeTarget> StackWithData()
    {
        var stack = _docker.Stack(_host, DockerFixture.RedisService);
        var service = DockerFixture.Service(_host, "redis", "redis").Service;
        await _host.Run(new ComposeUp(), new() { Target = "stack" });
        await service.Exec(_host.Context(), "sh", "-c", "cd /data; mkdir -p a/b; head -c 300000 /dev/urandom >a/b/graph; chown -R 7474:7475 a; chmod 600 a/b/graph; ln -s b/graph a/link; touch empty").Run();
        return stack;
    }

    [Theory]
    [InlineData(".tar")]
    [InlineData(".tar.gz")]
    [InlineData(".tar.zst")]
    public async Task A_volume_comes_back_from_its_archive_with_owners_modes_and_labels(string form)
    {
        var stack = await StackWithData();
        var service = _host.Context().Target<RunningTarget>("redis").Service;
        const string list = "cd /data; find . -exec stat -c '%n %u:%g %a %s' {} + | sort; sha256sum a/b/graph";
        var before = (await service.Exec(_host.Context(), "sh", "-c", list).Run()).Stdout;
        await service.Stop(_host.Context(), DockerFixture.Grace);
        var backup = new VolumeBackupOptions { Target = "stack", Volume = "data", To = $"work/data{form}" };
        var archive = await _host.Run(new VolumeBackup(), backup);
        Assert.Equal((5, 300_000), (archive.Entries, archive.Bytes));
        Assert.Equal(ProbeVerdict.NotDone, (await _host.Probe(new VolumeBackup(), backup)).Verdict);

        var restore = new VolumeRestoreOptions { Target = "stack", Volume = "data", From = archive.File };
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new VolumeRestore(), restore)).Verdict);
        var e = await _host.Fails(FailureClass.Conflict, new VolumeRestore(), restore);
        Assert.Contains($"{stack.Project}_redis_1 (exited)", e.Message);
        await _host.Run(new ComposeDown(), new() { Target = "stack" });
        _docker.Docker("run", "--rm", "--network", "none", "-v", $"{stack.Project}_data:/data", DockerFixture.Image, "sh", "-c", "rm -rf /data/a; echo new >/data/newer");
        Assert.Equal(ProbeVerdict.NotDone, (await _host.Probe(new VolumeRestore(), restore)).Verdict);

        var restored = await _host.Run(new VolumeRestore(), restore);
        Assert.Equal(($"{stack.Project}_data", 5L, 300_000L), (restored.Volume, restored.Entries, restored.Bytes));
        await _host.Run(new ComposeUp(), new() { Target = "stack" });
        Assert.Equal(before, (await service.Exec(_host.Context(), "sh", "-c", list).Run()).Stdout);
        Assert.DoesNotContain("helix-volume", _docker.Docker("ps", "-a", "--format", "{{.Names}}"));
    }

    [Fact]
    public async Task A_volume_in_use_is_neither_copied_nor_removed_and_the_message_says_who_uses_it()
    {
        var stack = await StackWithData();
        var e = await _host.Fails(FailureClass.Conflict, new VolumeBackup(), new() { Target = "stack", Volume = "data", To = "work/x.tar" });
        Assert.Contains($"{stack.Project}_redis_1 (running)", e.Message);
        e = await _host.Fails(FailureClass.Conflict, new VolumeRemove(), new() { Target = "stack", Volume = "data" });
        Assert.Contains($"{stack.Project}_redis_1 (running)", e.Message);
        Assert.Equal(5, (await _host.Run(new VolumeBackup(), new() { Target = "stack", Volume = "data", To = "work/x.tar", WhileRunning = true })).Entries);
        await _host.Run(new ComposeDown(), new() { Target = "stack", Grace = new(DockerFixture.Grace) });
        Assert.True((await _host.Run(new VolumeRemove(), new() { Target = "stack", Volume = "data" })).Removed);
        _host.SavedValues.Clear();
        Assert.False((await _host.Run(new VolumeRemove(), new() { Target = "stack", Volume = "data" })).Removed);
        e = await _host.Fails(FailureClass.Missing, new VolumeBackup(), new() { Target = "stack", Volume = "data", To = "work/y.tar" });
        Assert.Contains("There is no volume data of stack.", e.Message);
    }

    [Fact]
    public async Task A_broken_archive_is_found_before_the_old_data_goes()
    {
        var stack = await StackWithData();
        var archive = await _host.Run(new VolumeBackup(), new() { Target = "stack", Volume = "data", To = "work/x.tar.gz", WhileRunning = true });
        await using (var file = File.OpenWrite(archive.File))
            file.SetLength(archive.Size / 2);
        await _host.Run(new ComposeDown(), new() { Target = "stack", Grace = new(DockerFixture.Grace) });
        await _host.Fails(FailureClass.InvalidData, new VolumeRestore(), new() { Target = "stack", Volume = "data", From = archive.File });
        Assert.Contains("graph", _docker.Docker("run", "--rm", "--network", "none", "-v", $"{stack.Project}_data:/data", DockerFixture.Image, "ls", "/data/a/b"));
    }

    [Fact]
    public async Task A_restore_that_was_cut_after_the_old_volume_went_goes_on_with_the_same_labels()
    {
        var stack = await StackWithData();
        var archive = await _host.Run(new VolumeBackup(), new() { Target = "stack", Volume = "data", To = "work/x.tar", WhileRunning = true });
        await _host.Run(new ComposeDown(), new() { Target = "stack", Grace = new(DockerFixture.Grace) });
        var restore = new VolumeRestoreOptions { Target = "stack", Volume = "data", From = archive.File };
        _host.OnSave = (_, _) =>
        {
            _docker.Docker("volume", "rm", $"{stack.Project}_data");
            _host.OnSave = null;
        };
        await _host.Run(new VolumeRestore(), restore);
        Assert.Contains($"com.docker.compose.project:{stack.Project}", _docker.Docker("volume", "inspect", "--format", "{{.Labels}}", $"{stack.Project}_data"));
    }

    [Fact]
    public async Task What_a_killed_step_created_to_reach_the_volume_does_not_keep_the_next_one_from_it()
    {
        var stack = await StackWithData();
        var archive = await _host.Run(new VolumeBackup(), new() { Target = "stack", Volume = "data", To = "work/x.tar", WhileRunning = true });
        await _host.Run(new ComposeDown(), new() { Target = "stack", Grace = new(DockerFixture.Grace) });
        // One of this very step, and one of another run.
        foreach (var name in new[] { $"helix-volume-{Unfinished.Mark(_host.Context())}", $"helix-volume-{stack.Project}" })
            _docker.Docker("create", "--name", name, "--network", "none", "-v", $"{stack.Project}_data:/helix-volume", DockerFixture.Image, "true");
        var part = _host.Write(Path.GetFileName(Unfinished.NameFor(_host.Context(), _host.Context().FullPath("y.tar"))), [1, 2, 3]);
        await _host.Run(new VolumeBackup(), new() { Target = "stack", Volume = "data", To = "work/y.tar" });
        Assert.False(File.Exists(part));
        Assert.Equal(5, (await _host.Run(new VolumeRestore(), new() { Target = "stack", Volume = "data", From = archive.File })).Entries);
        _docker.Docker("create", "--name", $"helix-volume-{stack.Project}", "--network", "none", "-v", $"{stack.Project}_data:/helix-volume", DockerFixture.Image, "true");
        Assert.Empty((await _host.Plan(new VolumeRemove(), new() { Target = "stack", Volume = "data" })).Warnings);
        Assert.True((await _host.Run(new VolumeRemove(), new() { Target = "stack", Volume = "data" })).Removed);
        Assert.DoesNotContain($"{stack.Project}_data", _docker.Docker("ps", "-a", "--format", "{{.Mounts}}"));
    }

    [Fact]
    public async Task An_archive_cut_between_two_entries_or_an_image_that_is_not_there_is_found_before_the_old_data_goes()
    {
        var stack = await StackWithData();
        await _host.Run(new ComposeDown(), new() { Target = "stack", Grace = new(DockerFixture.Grace) });
        using var bytes = new MemoryStream();
        await using var tar = new TarWriter(bytes);
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "graph") { DataStream = new MemoryStream([.. Enumerable.Repeat((byte)7, 1024)]) }, TestContext.Current.CancellationToken);
        var restore = new VolumeRestoreOptions { Target = "stack", Volume = "data", From = _host.Write("cut.tar", bytes.ToArray()) };
        Assert.Contains("is no complete archive", (await _host.Fails(FailureClass.InvalidData, new VolumeRestore(), restore)).Message);

        await tar.DisposeAsync();
        restore = restore with { From = _host.Write("whole.tar", bytes.ToArray()), Image = "no-such:1" };
        Assert.Contains("has no image no-such:1", (await _host.Fails(FailureClass.Missing, new VolumeRestore(), restore)).Message);
        Assert.Contains("graph", _docker.Docker("run", "--rm", "--network", "none", "-v", $"{stack.Project}_data:/data", DockerFixture.Image, "ls", "/data/a/b"));
        Assert.Equal(1, (await _host.Run(new VolumeRestore(), restore with { Image = DockerFixture.Image })).Entries);
    }

    [Fact]
    public async Task Somebody_elses_volume_with_the_short_name_is_never_taken_for_that_of_the_project()
    {
        var stack = await StackWithData();
        var archive = await _host.Run(new VolumeBackup(), new() { Target = "stack", Volume = "data", To = "work/x.tar", WhileRunning = true });
        await _host.Run(new ComposeDown(), new() { Target = "stack", Grace = new(DockerFixture.Grace) });
        _docker.Docker("volume", "create", "data");
        try
        {
            var remove = new VolumeRemoveOptions { Target = "stack", Volume = "data" };
            // The engine dies after the volume went, before the step could say so.
            Assert.Equal(new() { Volume = $"{stack.Project}_data", Removed = true }, await _host.Run(new VolumeRemove(), remove));
            Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new VolumeRemove(), remove)).Verdict);
            Assert.Equal(new() { Volume = $"{stack.Project}_data", Removed = true }, await _host.Run(new VolumeRemove(), remove));
            _host.SavedValues.Clear();
            Assert.False((await _host.Run(new VolumeRemove(), remove)).Removed);
            var e = await _host.Fails(FailureClass.Missing, new VolumeRestore(), new() { Target = "stack", Volume = "data", From = archive.File });
            Assert.Contains("There is no volume data of stack.", e.Message);
            Assert.Equal("data", _docker.Docker("volume", "inspect", "--format", "{{.Name}}", "data"));
        }
        finally
        {
            _docker.Docker("volume", "rm", "-f", "data");
        }
    }

    [Fact]
    public async Task A_volume_from_outside_is_found_when_the_Compose_file_says_so_and_one_in_full_by_its_name()
    {
        var stack = await StackWithData();
        await File.AppendAllTextAsync(stack.Files[0], $"  outside: {{ external: true, name: x{stack.Project} }}\n  own: {{}}\n", TestContext.Current.CancellationToken);
        foreach (var name in new[] { $"x{stack.Project}", "own" })
            _docker.Docker("volume", "create", name);
        Assert.Equal($"x{stack.Project}", (await Volume.Find(_host.PlanContext(), stack, $"x{stack.Project}"))?.Name);
        Assert.Equal($"{stack.Project}_data", (await Volume.Find(_host.PlanContext(), stack, $"{stack.Project}_data"))?.Name);
        Assert.Null(await Volume.Find(_host.PlanContext(), stack, "own"));
        _docker.Docker("volume", "rm", "own");
    }
}
