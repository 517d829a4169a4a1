using System.Diagnostics;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>A real file system of 2 MiB.</summary>
public sealed class FullDiskTests : IDisposable
{
    readonly string _disk = Directory.CreateTempSubdirectory("helix-disk-").FullName;
    readonly bool _mounted;

    public FullDiskTests() => _mounted = Call("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", _disk);

    [Fact]
    public async Task A_backup_that_finds_no_room_leaves_nothing_and_latest_as_it_was()
    {
        if (!_mounted)
            Assert.Skip("This machine lets nobody mount a tmpfs: the full disk was not tried.");
        using var trial = new TestHost().With(new DirectoryTarget { Name = "shelf", Path = _disk, Mounted = true });
        var small = Upload(trial.Write("small", new byte[1000]));
        var good = await trial.Run(new BackupUpload(), small);
        trial.SavedValues.Clear();
        var noise = new byte[5 << 20];
        new Random(1).NextBytes(noise);
        var big = Upload(trial.Write("big", noise)) with { Name = "big", RecoveryPoint = small.RecoveryPoint.AddHours(1) };
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => trial.Run(new BackupUpload(), big));
        Assert.Contains("is full", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, Directory.EnumerateFiles(_disk, "*", SearchOption.AllDirectories).Count(f => !f.EndsWith("/.lock", StringComparison.Ordinal)));
        await using var store = new DirectoryStore(_disk);
        Assert.Equal(good.Key, (await new BackupSeries(store, "redis/").Select("latest", small.RecoveryPoint)).Key);
    }

    [Fact]
    public async Task A_download_that_finds_no_room_leaves_no_file()
    {
        if (!_mounted)
            Assert.Skip("This machine lets nobody mount a tmpfs: the full disk was not tried.");
        var shelf = Directory.CreateTempSubdirectory("helix-shelf-").FullName;
        using var trial = new TestHost().With(new DirectoryTarget { Name = "shelf", Path = shelf });
        await trial.Run(new BackupUpload(), Upload(trial.Write("big", new byte[5 << 20])));
        var options = new BackupDownloadOptions { Target = "shelf", Prefix = "redis/", Backup = "latest", To = Path.Combine(_disk, "out") };
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => trial.Run(new BackupDownload(), options));
        Assert.Contains("is full", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_disk));
        TempFolder.Delete(shelf);
    }

    [Fact]
    public async Task A_shelf_whose_disk_is_not_mounted_is_refused()
    {
        if (!_mounted)
            Assert.Skip("This machine lets nobody mount a tmpfs: the lost disk was not tried.");
        using var trial = new TestHost().With(new DirectoryTarget { Name = "shelf", Path = _disk, Mounted = true });
        Assert.True(Call("umount", _disk));
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => trial.Run(new BackupUpload(), Upload(trial.Write("small", new byte[10]))));
        Assert.Contains("No disk is mounted", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_disk));
    }

    static BackupUploadOptions Upload(string file) => new()
    {
        Target = "shelf",
        File = file,
        Prefix = "redis/",
        Kind = "redis.rdb",
        RecoveryPoint = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
    };

    static bool Call(string file, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    public void Dispose()
    {
        if (_mounted)
            Call("umount", "-l", _disk);
        TempFolder.Delete(_disk);
    }
}
