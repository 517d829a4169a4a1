using System.Diagnostics;
using System.Formats.Tar;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Runbooks.Tests.Files;

public sealed class FileArchiveTests : IDisposable
{
    readonly TestHost _trial = new();
    readonly string _from;

    public FileArchiveTests()
    {
        _from = Path.Combine(_trial.Folder, "from");
        Directory.CreateDirectory(_from);
    }

    [Theory]
    [InlineData("a.tar")]
    [InlineData("a.tar.gz")]
    [InlineData("a.tgz")]
    [InlineData("a.tar.zst")]
    public async Task What_was_packed_comes_out_as_it_was(string name)
    {
        Write("plain.txt", "hello");
        Write("sub/deep/empty", "");
        Write("with space and\nline feed", "x");
        Write("größe-日本.txt", "y");
        Write(new string('n', 200), "long");
        Write(new string('日', 70), "long, and not ASCII");
        Write(string.Join('/', Enumerable.Repeat(new string('d', 90), 4)) + "/ä", "deep");
        Write("-rf", "dash");
        Directory.CreateDirectory(Path.Combine(_from, "empty folder"));
        File.CreateSymbolicLink(Path.Combine(_from, "link"), "sub/deep/empty");
        File.CreateSymbolicLink(Path.Combine(_from, "sub/up"), "../plain.txt");
        File.CreateSymbolicLink(Path.Combine(_from, "dangling"), "nowhere");
        File.CreateSymbolicLink(Path.Combine(_from, "far"), new string('日', 70));
        File.CreateSymbolicLink(Path.Combine(_from, "feed"), "with space and\nline feed");
        File.SetUnixFileMode(Path.Combine(_from, "plain.txt"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.SetLastWriteTimeUtc(Path.Combine(_from, "plain.txt"), new(2020, 2, 2, 2, 2, 2, DateTimeKind.Utc));
        var packed = await Pack(name);
        Assert.False(packed.Partial);
        Assert.Empty(packed.Warnings);
        var to = (await Extract(packed.File)).Folder;
        Assert.Equal(Digest(_from), Digest(to));
        Assert.Equal("sub/deep/empty", new FileInfo(Path.Combine(to, "link")).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(to, "plain.txt")));
        Assert.Equal(new(2020, 2, 2, 2, 2, 2, DateTimeKind.Utc), File.GetLastWriteTimeUtc(Path.Combine(to, "plain.txt")));
    }

    [Fact]
    public async Task Tar_itself_reads_what_was_written()
    {
        Write("a/b.txt", "hello");
        var packed = await Pack("a.tar.gz");
        using var tar = Process.Start(new ProcessStartInfo("tar", ["-tzf", packed.File]) { RedirectStandardOutput = true })!;
        Assert.Equal("a/\na/b.txt\n", await tar.StandardOutput.ReadToEndAsync());
        await tar.WaitForExitAsync();
        Assert.Equal(0, tar.ExitCode);
    }

    [Fact]
    public async Task The_same_files_give_the_same_archive()
    {
        foreach (var i in Enumerable.Range(0, 50))
            Write($"d{i % 7}/f{i}", $"content {i}");
        Assert.Equal((await Pack("one.tar.zst")).Sha256, (await Pack("two.tar.zst")).Sha256);
    }

    [Fact]
    public async Task Only_the_named_paths_are_packed()
    {
        Write("helix.config.yaml", "a");
        Write("certs/one.pem", "b");
        Write("other", "c");
        var packed = await Pack("a.tar", options => options with { Paths = ["certs", "helix.config.yaml"] });
        Assert.Equal(3, packed.Entries);
        await Assert.ThrowsAsync<StepFailedException>(() => Pack("b.tar", o => o with { Paths = ["missing.yaml"] }));
        await Assert.ThrowsAsync<RunbookException>(() => Pack("b.tar", o => o with { Paths = ["../from"] }));
        await Assert.ThrowsAsync<RunbookException>(() => Pack("b.zip", o => o));
    }

    [Fact]
    public async Task PRC_08_a_file_that_changes_while_it_is_read_makes_the_archive_partial()
    {
        Write("log.txt", new string('x', 3_000_000));
        Write("quiet.txt", "y");
        _trial.OnProgress = _ => File.AppendAllText(Path.Combine(_from, "log.txt"), "more");
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => Pack("a.tar"));
        Assert.Equal(FailureClass.Partial, failure.Failure);
        Assert.Contains("log.txt changed while it was read", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_trial.Work));
        var packed = await Pack("a.tar", o => o with { AllowPartial = true });
        Assert.True(packed.Partial);
        Assert.Equal("log.txt changed while it was read", Assert.Single(packed.Warnings));
        Assert.True(File.Exists(Path.Combine((await Extract(packed.File)).Folder, "quiet.txt")));
    }

    [Fact]
    public async Task PRC_08_a_file_that_shrinks_keeps_the_archive_readable()
    {
        Write("log.txt", new string('x', 3_000_000));
        _trial.OnProgress = _ => File.WriteAllText(Path.Combine(_from, "log.txt"), "short");
        var packed = await Pack("a.tar", o => o with { AllowPartial = true });
        Assert.True(packed.Partial);
        Assert.Equal(3_000_000, new FileInfo(Path.Combine((await Extract(packed.File)).Folder, "log.txt")).Length);
    }

    [Fact]
    public async Task Unreadable_files_and_folders_are_named()
    {
        if (Environment.UserName == "root")
        {
            await As_somebody_else_than_root();
            return;
        }
        Write("secret", "a");
        File.SetUnixFileMode(Path.Combine(_from, "secret"), UnixFileMode.None);
        Assert.Contains("secret may not be read", (await Pack("a.tar", o => o with { AllowPartial = true })).Warnings);
    }

    /// <summary>Root may read everything, so for root a name that is no UTF-8 has to do.</summary>
    async Task As_somebody_else_than_root()
    {
        Write("good", "a");
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", "printf x > \"$(printf 'bad\\377name')\""]) { WorkingDirectory = _from })!;
        await shell.WaitForExitAsync();
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => Pack("a.tar"));
        Assert.Contains("bad\\ufffdname has a name that is not UTF-8", failure.Message, StringComparison.Ordinal);
        using var clean = Process.Start("rm", ["-r", _from]); // .NET cannot remove such a name either
        await clean.WaitForExitAsync();
    }

    [Fact]
    public async Task A_link_to_a_name_that_is_not_UTF_8_is_named()
    {
        Write("good", "a");
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", "ln -s \"$(printf 'bad\\377name')\" link"]) { WorkingDirectory = _from })!;
        await shell.WaitForExitAsync();
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => Pack("a.tar"));
        Assert.Contains("link is a link to bad\\ufffdname, a name that is not UTF-8", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pipes_and_sockets_are_left_out_and_named_and_do_not_hang_the_step()
    {
        Write("good", "a");
        using var mkfifo = Process.Start("mkfifo", Path.Combine(_from, "pipe"));
        await mkfifo.WaitForExitAsync();
        var packed = await Pack("a.tar");
        Assert.False(packed.Partial);
        Assert.Equal("pipe is a pipe and was left out", Assert.Single(packed.Warnings));
    }

    [Fact]
    public async Task A_sparse_file_comes_back_sparse_and_whole()
    {
        var path = Path.Combine(_from, "disk.img");
        using (var file = File.Create(path))
        {
            file.SetLength(64 << 20);
            file.Position = 40 << 20;
            file.WriteByte(7);
        }
        var packed = await Pack("a.tar.zst");
        Assert.Contains("disk.img is sparse", Assert.Single(packed.Warnings), StringComparison.Ordinal);
        Assert.True(packed.Size < 1 << 20);
        var back = Path.Combine((await Extract(packed.File)).Folder, "disk.img");
        Assert.Equal(Digest(_from), Digest(Path.GetDirectoryName(back)!));
        Assert.True(FileStat.Of(back)!.Allocated < 1 << 20);
    }

    [Fact]
    public async Task An_empty_folder_gives_no_archive()
    {
        Assert.Equal(FailureClass.Missing, (await Assert.ThrowsAsync<StepFailedException>(() => Pack("a.tar"))).Failure);
    }

    [Fact]
    public async Task An_archive_that_is_written_into_its_own_folder_does_not_hold_itself()
    {
        Write("a", "a");
        var packed = await Pack("x", o => o with { To = Path.Combine(_from, "all.tar") });
        Assert.Equal(1, packed.Entries);
        Assert.False(packed.Partial);
    }

    Task<FileArchiveOutputs> Pack(string name, Func<FileArchiveOptions, FileArchiveOptions>? change = null) =>
        _trial.Run(new FileArchive(), (change ?? (o => o))(new() { From = _from, To = Path.Combine(_trial.Work, name) }));

    Task<FileExtractOutputs> Extract(string file) =>
        _trial.Run(new FileExtract(), new() { From = file, To = Path.Combine(_trial.Work, "out-" + Path.GetFileName(file)) });

    void Write(string name, string content)
    {
        var path = Path.Combine(_from, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    static string Digest(string folder) => string.Join('\n', new DirectoryInfo(folder)
        .EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
        .Select(f => $"{Path.GetRelativePath(folder, f.FullName)} {f.UnixFileMode} {f.LinkTarget} {(f is FileInfo { LinkTarget: null } file ? Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file.FullName))) : "")}")
        .Order(StringComparer.Ordinal));

    public void Dispose() => _trial.Dispose();
}
