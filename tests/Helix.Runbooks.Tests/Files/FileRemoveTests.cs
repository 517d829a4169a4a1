using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Runbooks.Tests.Files;

public sealed class FileRemoveTests : IDisposable
{
    readonly TestHost _trial = new();

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("/")]
    [InlineData("//")]
    [InlineData("/etc")]
    [InlineData("/usr/lib/")]
    [InlineData("/etc/passwd")]
    [InlineData("/home")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("work/../../x")]
    [InlineData("work/*")]
    [InlineData("safe")]
    [InlineData("safe/before.dump")]
    [InlineData("workshop")]
    public async Task TPL_01_empty_root_like_climbing_and_foreign_paths_are_refused(string path)
    {
        var safe = Path.Combine(_trial.Folder, "safe/before.dump");
        Directory.CreateDirectory(Path.GetDirectoryName(safe)!);
        File.WriteAllText(safe, "precious");
        await Assert.ThrowsAsync<RunbookException>(() => Remove(path));
        await Assert.ThrowsAsync<RunbookException>(() => new FileRemove().Plan(new() { Path = path }, _trial.Context()));
        Assert.True(File.Exists(safe));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/etc")]
    [InlineData("")]
    [InlineData("/var/lib")]
    public async Task TPL_01_a_root_like_base_is_refused_too(string declared) =>
        await Assert.ThrowsAsync<RunbookException>(() => Remove(Path.Combine(declared, "helix-none"), declared));

    [Fact]
    public async Task TPL_01_a_declared_base_is_never_removed_itself_and_holds_what_is_removed()
    {
        var folder = Path.Combine(_trial.Folder, "cache");
        Directory.CreateDirectory(Path.Combine(folder, "old"));
        await Assert.ThrowsAsync<RunbookException>(() => Remove(folder, folder));
        await Assert.ThrowsAsync<RunbookException>(() => Remove(_trial.Work, folder));
        Assert.True((await Remove(Path.Combine(folder, "old"), folder)).Removed);
        Assert.True(Directory.Exists(folder));
    }

    [Fact]
    public async Task TPL_01_a_link_on_the_way_cannot_lead_out_of_the_base()
    {
        var outside = Path.Combine(_trial.Folder, "outside");
        Directory.CreateDirectory(outside);
        File.WriteAllText(Path.Combine(outside, "file"), "precious");
        File.CreateSymbolicLink(Path.Combine(_trial.Work, "link"), outside);
        await Assert.ThrowsAsync<RunbookException>(() => Remove("work/link/file"));
        Assert.True((await Remove("work/link")).Removed);
        Assert.True(File.Exists(Path.Combine(outside, "file")));
    }

    [Fact]
    public async Task A_folder_goes_with_everything_in_it_and_links_in_it_are_not_followed()
    {
        var outside = Path.Combine(_trial.Folder, "outside");
        Directory.CreateDirectory(outside);
        File.WriteAllText(Path.Combine(outside, "file"), "precious");
        _trial.Write("a/b/c", [1]);
        File.CreateSymbolicLink(Path.Combine(_trial.Work, "a/link"), outside);
        Assert.True((await Remove(_trial.Work)).Removed);
        Assert.False(Directory.Exists(_trial.Work));
        Assert.True(File.Exists(Path.Combine(outside, "file")));
    }

    [Fact]
    public async Task Missing_is_done()
    {
        Assert.False((await Remove("work/none")).Removed);
        Assert.Equal(ProbeVerdict.Done, (await new FileRemove().Probe(new() { Path = "work/none" }, _trial.Context())).Verdict);
    }

    [Fact]
    public async Task A_dangling_link_is_removed()
    {
        var link = Path.Combine(_trial.Work, "link");
        File.CreateSymbolicLink(link, "nowhere");
        Assert.True((await Remove("work/link")).Removed);
        Assert.Null(FileStat.Of(link));
    }

    [Fact]
    public void Outside_the_work_folder_it_counts_as_destruction()
    {
        Assert.Equal(Effect.Changes, Assert.Single(new FileRemove().Effects(new() { Path = "x" })).Effect);
        Assert.Equal(Effect.Destroys, Assert.Single(new FileRemove().Effects(new() { Path = "x", Base = "/var/cache/helix" })).Effect);
    }

    Task<FileRemoveOutputs> Remove(string path, string? declared = null) => _trial.Run(new FileRemove(), new() { Path = path, Base = declared });

    public void Dispose() => _trial.Dispose();
}
