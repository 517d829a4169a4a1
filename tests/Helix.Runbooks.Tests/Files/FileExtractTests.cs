using System.Formats.Tar;
using System.Text;
using CsCheck;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Runbooks.Tests.Files;

public sealed class FileExtractTests : IDisposable
{
    readonly TestHost _trial = new();
    readonly string _to;

    public FileExtractTests() => _to = Path.Combine(_trial.Work, "out");

    public static TheoryData<string, TarEntryType, string, string?> Escapes => new()
    {
        { "../outside", TarEntryType.RegularFile, "", null },
        { "a/../../outside", TarEntryType.RegularFile, "", null },
        { "/tmp/helix-outside", TarEntryType.RegularFile, "", null },
        { "..", TarEntryType.Directory, "", null },
        { "link", TarEntryType.SymbolicLink, "/etc/passwd", null },
        { "link", TarEntryType.SymbolicLink, "../outside", null },
        { "a/link", TarEntryType.SymbolicLink, "../../outside", null },
        { "hard", TarEntryType.HardLink, "/etc/passwd", null },
        { "hard", TarEntryType.HardLink, "../../etc/passwd", null },
        { "pipe", TarEntryType.Fifo, "", null },
        { "device", TarEntryType.CharacterDevice, "", null },
        { "x/up", TarEntryType.SymbolicLink, "..", "x/up/../secret" }, // climbs out only through the first link
        { "loop", TarEntryType.SymbolicLink, "loop", null },
    };

    [Theory]
    [MemberData(nameof(Escapes))]
    public async Task K8S_09_what_would_leave_the_folder_is_refused_and_nothing_is_unpacked(string name, TarEntryType type, string target, string? second)
    {
        var archive = Tar(tar =>
        {
            tar.WriteEntry(File("good.txt", "good"));
            var entry = new PaxTarEntry(type, name);
            if (target.Length > 0)
                entry.LinkName = target;
            tar.WriteEntry(entry);
            if (second is not null)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "second") { LinkName = second });
        });
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => Extract(archive));
        Assert.Equal(FailureClass.InvalidData, failure.Failure);
        Assert.False(Directory.Exists(_to));
        Assert.Equal(["archive.tar"], Directory.EnumerateFileSystemEntries(_trial.Work).Select(Path.GetFileName));
        Assert.False(System.IO.File.Exists("/tmp/helix-outside"));
    }

    [Fact]
    public async Task A_file_is_never_written_through_a_link_of_the_archive()
    {
        var outside = Path.Combine(_trial.Folder, "outside");
        Directory.CreateDirectory(outside);
        var archive = Tar(tar =>
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "d") { LinkName = outside });
            tar.WriteEntry(File("d/evil.txt", "evil"));
        });
        await Assert.ThrowsAsync<StepFailedException>(() => Extract(archive));
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_link_is_never_made_through_another_link_of_the_archive(bool skipLinksOutside)
    {
        var outside = Path.Combine(_trial.Folder, "outside");
        Directory.CreateDirectory(outside);
        foreach (var below in new[] { "d/evil", "d/deep/evil" })
        {
            var archive = Tar(tar =>
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "d") { LinkName = outside });
                tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, below) { LinkName = "x" });
            });
            var failure = await Assert.ThrowsAsync<StepFailedException>(() => Extract(archive, o => o with { SkipLinksOutside = skipLinksOutside }));
            Assert.Contains($"its entry {below}: it lies below d, which is a link", failure.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
            Assert.False(Directory.Exists(_to));
        }
    }

    [Theory]
    [InlineData(WhenThere.Refuse)]
    [InlineData(WhenThere.Merge)]
    public async Task A_link_that_leads_to_a_folder_gets_into_a_folder_that_is_there(WhenThere whenThere)
    {
        Directory.CreateDirectory(_to);
        if (whenThere == WhenThere.Merge)
        {
            Directory.CreateDirectory(Path.Combine(_to, "releases/6"));
            System.IO.File.CreateSymbolicLink(Path.Combine(_to, "current"), "releases/6");
        }
        var archive = Tar(tar =>
        {
            tar.WriteEntry(File("releases/7/app", "seven"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "current") { LinkName = "releases/7" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "self") { LinkName = "." }); // leads to a folder whatever is moved first
        });
        await Extract(archive, o => o with { WhenThere = whenThere });
        Assert.Equal("releases/7", new FileInfo(Path.Combine(_to, "current")).LinkTarget);
        Assert.Equal(".", new FileInfo(Path.Combine(_to, "self")).LinkTarget);
        Assert.Equal("seven", System.IO.File.ReadAllText(Path.Combine(_to, "current/app")));
    }

    [Fact]
    public async Task Links_that_lead_outside_can_be_left_out_by_name()
    {
        var archive = Tar(tar =>
        {
            tar.WriteEntry(File("good.txt", "good"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "abs") { LinkName = "/etc/passwd" });
        });
        var outputs = await Extract(archive, o => o with { SkipLinksOutside = true });
        Assert.Contains("abs is a link to /etc/passwd", Assert.Single(outputs.Skipped), StringComparison.Ordinal);
        Assert.Equal(["good.txt"], Directory.EnumerateFileSystemEntries(_to).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Hard_links_become_files_of_their_own()
    {
        var archive = Tar(tar =>
        {
            tar.WriteEntry(File("a", "content"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "b") { LinkName = "a" });
        });
        await Extract(archive);
        Assert.Equal("content", System.IO.File.ReadAllText(Path.Combine(_to, "b")));
    }

    [Fact]
    public async Task A_cut_off_archive_is_refused_wherever_it_was_cut()
    {
        var whole = System.IO.File.ReadAllBytes(Tar(tar =>
        {
            tar.WriteEntry(File("a", new string('a', 3000)));
            tar.WriteEntry(File("b", new string('b', 3000)));
        }));
        // All of the end, every border of a block, and some bytes between.
        foreach (var length in Enumerable.Range(0, whole.Length / 512).SelectMany(i => new[] { i * 512, i * 512 + 100 }).Where(l => l <= whole.Length - 1024))
        {
            var archive = _trial.Write("archive.tar", whole[..length]);
            var failure = await Assert.ThrowsAsync<StepFailedException>(() => Extract(archive));
            Assert.Equal(FailureClass.InvalidData, failure.Failure);
            Assert.False(Directory.Exists(_to));
        }
    }

    [Fact]
    public void Random_damage_ends_in_a_refusal_or_in_an_archive_never_in_a_bug()
    {
        var whole = System.IO.File.ReadAllBytes(Tar(tar =>
        {
            tar.WriteEntry(File("a", "aaa"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "l") { LinkName = "a" });
        }));
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Int[0, whole.Length - 1], Gen.Byte).Sample((at, value, at2, value2) =>
        {
            var bytes = (byte[])whole.Clone();
            (bytes[at], bytes[at2]) = (value, value2);
            try
            {
                Extract(_trial.Write("archive.tar", bytes)).GetAwaiter().GetResult();
            }
            catch (StepFailedException)
            {
            }
            if (Directory.Exists(_to))
                TempFolder.Delete(_to);
        }, iter: 400, threads: 1);
    }

    [Fact]
    public async Task A_folder_that_holds_something_is_left_alone_unless_merge_is_asked_for()
    {
        Directory.CreateDirectory(_to);
        System.IO.File.WriteAllText(Path.Combine(_to, "mine"), "mine");
        System.IO.File.WriteAllText(Path.Combine(_to, "both"), "old");
        var archive = Tar(tar =>
        {
            tar.WriteEntry(File("both", "new"));
            tar.WriteEntry(File("sub/new", "new"));
        });
        Assert.Equal(FailureClass.Conflict, (await Assert.ThrowsAsync<StepFailedException>(() => Extract(archive))).Failure);
        await Extract(archive, o => o with { WhenThere = WhenThere.Merge });
        Assert.Equal("mine", System.IO.File.ReadAllText(Path.Combine(_to, "mine")));
        Assert.Equal("new", System.IO.File.ReadAllText(Path.Combine(_to, "both")));
        Assert.Equal("new", System.IO.File.ReadAllText(Path.Combine(_to, "sub/new")));
    }

    [Fact]
    public async Task A_merge_does_not_follow_a_link_that_stands_where_the_archive_has_a_folder()
    {
        var outside = Path.Combine(_trial.Folder, "outside");
        Directory.CreateDirectory(outside);
        Directory.CreateDirectory(_to);
        System.IO.File.CreateSymbolicLink(Path.Combine(_to, "sub"), outside);
        var archive = Tar(tar => tar.WriteEntry(File("sub/file", "x")));
        Assert.Equal(FailureClass.Conflict, (await Assert.ThrowsAsync<StepFailedException>(() => Extract(archive, o => o with { WhenThere = WhenThere.Merge }))).Failure);
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_folder_that_an_attempt_placed_before_it_was_cut_off_is_done(bool placed)
    {
        var archive = Tar(tar => tar.WriteEntry(File("good.txt", "good")));
        var options = new FileExtractOptions { From = archive, To = _to };
        var whole = await Extract(archive);
        if (!placed)
            TempFolder.Delete(_to);

        Assert.Equal(placed ? ProbeVerdict.Done : ProbeVerdict.NotDone, (await _trial.Probe(new FileExtract(), options)).Verdict);
        Assert.Equivalent(whole, await Extract(archive));
        Assert.Equal("good", System.IO.File.ReadAllText(Path.Combine(_to, "good.txt")));

        // In another round it is somebody else's.
        _trial.SavedValues.Clear();
        await _trial.Fails(FailureClass.Conflict, new FileExtract(), options);
    }

    [Theory]
    [InlineData(WhenThere.Refuse)]
    [InlineData(WhenThere.Merge)]
    public async Task A_mounted_folder_is_unpacked_into_and_stays_mounted(WhenThere whenThere)
    {
        Directory.CreateDirectory(_to);
        var mount = new System.Diagnostics.ProcessStartInfo("mount", ["-t", "tmpfs", "tmpfs", _to]) { RedirectStandardError = true };
        if (!await Ends(mount))
            Assert.Skip("This machine lets nobody mount a tmpfs: the mounted folder was not tried.");
        try
        {
            if (whenThere == WhenThere.Merge)
                System.IO.File.WriteAllText(Path.Combine(_to, "mine"), "mine");
            var archive = Tar(tar =>
            {
                tar.WriteEntry(File("a", "a"));
                tar.WriteEntry(File("sub/b", "b"));
            });
            await Extract(archive, o => o with { WhenThere = whenThere });
            Assert.Equal("b", System.IO.File.ReadAllText(Path.Combine(_to, "sub/b")));
            Assert.Equal(whenThere == WhenThere.Merge ? 3 : 2, Directory.EnumerateFileSystemEntries(_to).Count());
        }
        finally
        {
            Assert.True(await Ends(new("umount", [_to])));
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(_to));
    }

    [Fact]
    public async Task A_merge_that_cannot_be_whole_moves_nothing()
    {
        Directory.CreateDirectory(Path.Combine(_to, "z"));
        var archive = Tar(tar =>
        {
            foreach (var name in "abcdefz")
                tar.WriteEntry(File(name.ToString(), "x"));
        });
        Assert.Equal(FailureClass.Conflict, (await Assert.ThrowsAsync<StepFailedException>(() => Extract(archive, o => o with { WhenThere = WhenThere.Merge }))).Failure);
        Assert.Equal(["z"], Directory.EnumerateFileSystemEntries(_to).Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_a_killed_attempt_has_left_is_moved_where_it_is_whole_and_removed_where_it_is_not()
    {
        Directory.CreateDirectory(_to);
        var archive = Tar(tar =>
        {
            tar.WriteEntry(File("a", "a"));
            tar.WriteEntry(File("sub/b", "b"));
        });
        // Killed while it unpacked.
        var half = Path.Combine(_to, Path.GetFileName(Unfinished.NameFor(_trial.Context(), _to)));
        Directory.CreateDirectory(Path.Combine(half, "sub"));
        var whole = await Extract(archive);
        Assert.Equal(["a", "sub"], Directory.EnumerateFileSystemEntries(_to).Select(Path.GetFileName).Order());

        // Killed between two moves.
        var unpacked = Directory.CreateDirectory(Path.ChangeExtension(half, "unpacked"));
        Directory.Move(Path.Combine(_to, "sub"), Path.Combine(unpacked.FullName, "sub"));
        Assert.Equal(ProbeVerdict.NotDone, (await _trial.Probe(new FileExtract(), new() { From = archive, To = _to })).Verdict);
        Assert.Equivalent(whole, await Extract(archive));
        Assert.Equal("b", System.IO.File.ReadAllText(Path.Combine(_to, "sub/b")));
        Assert.Equal(["a", "sub"], Directory.EnumerateFileSystemEntries(_to).Select(Path.GetFileName).Order());
    }

    static async Task<bool> Ends(System.Diagnostics.ProcessStartInfo start)
    {
        using var process = System.Diagnostics.Process.Start(start)!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }

    Task<FileExtractOutputs> Extract(string archive, Func<FileExtractOptions, FileExtractOptions>? change = null) =>
        _trial.Run(new FileExtract(), (change ?? (o => o))(new() { From = archive, To = _to }));

    string Tar(Action<TarWriter> write)
    {
        var path = Path.Combine(_trial.Work, "archive.tar");
        using var file = System.IO.File.Create(path);
        using var tar = new TarWriter(file);
        write(tar);
        return path;
    }

    static PaxTarEntry File(string name, string content) =>
        new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) };

    public void Dispose() => _trial.Dispose();
}
