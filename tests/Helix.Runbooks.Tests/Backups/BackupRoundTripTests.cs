using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;
using Helix.Steps.Files;

namespace Helix.Runbooks.Tests.Backups;

public sealed class BackupRoundTripTests : IDisposable
{
    static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    readonly string _shelf = Directory.CreateTempSubdirectory("helix-shelf-").FullName;
    readonly TestHost _trial;

    public BackupRoundTripTests() => _trial = new TestHost().With(new DirectoryTarget { Name = "shelf", Path = _shelf });

    [Theory]
    [InlineData(Compression.Zstd)]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.None)]
    public async Task What_was_uploaded_comes_back_as_it_was(Compression compression)
    {
        var content = Text(3_000_000);
        var file = _trial.Write("dump.rdb", content);
        var up = await _trial.Run(new BackupUpload(), Upload(file) with { Compression = compression, Counts = new Dictionary<string, long> { ["db0"] = 10_000 } });
        var down = await _trial.Run(new BackupDownload(), Download("latest"));
        Assert.Equal(content, File.ReadAllBytes(down.File));
        Assert.Equal(up.Key, down.Key);
        Assert.Equal(Noon, down.RecoveryPoint);
        Assert.Equal(10_000, down.Counts["db0"]);
        Assert.Equal("redis.rdb", down.Kind);
        Assert.False(down.Proven);
        Assert.Equal(compression == Compression.None, up.Size == content.Length);
        Assert.Equal(content.Length, up.ContentSize);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Tiny_files_make_the_round_trip_too(int size)
    {
        var file = _trial.Write("dump.rdb", new byte[size]);
        await _trial.Run(new BackupUpload(), Upload(file));
        var down = await _trial.Run(new BackupDownload(), Download("latest"));
        Assert.Equal(size, new FileInfo(down.File).Length);
    }

    [Fact]
    public async Task Compressed_input_is_stored_as_it_is()
    {
        using var packed = new MemoryStream();
        await using (var zip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            await zip.WriteAsync(Text(100_000));
        var up = await _trial.Run(new BackupUpload(), Upload(_trial.Write("dump.gz", packed.ToArray())));
        Assert.Equal(packed.Length, up.Size);
        Assert.Equal(up.ContentSha256, up.Sha256);
        Assert.Equal(packed.ToArray(), File.ReadAllBytes((await _trial.Run(new BackupDownload(), Download("latest"))).File));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(6_000_000, true)]
    public async Task What_does_not_shrink_is_stored_as_it_is_and_one_sample_that_does_decides_for_compression(int text, bool compressed)
    {
        var content = new byte[9_000_000];
        new Random(3).NextBytes(content);
        Text(text).CopyTo(content, content.Length - text);
        var up = await _trial.Run(new BackupUpload(), Upload(_trial.Write("dump", content)));
        Assert.Equal(compressed, up.Size < content.Length);
        Assert.Equal(!compressed, up.Sha256 == up.ContentSha256);
        Assert.Equal(content, File.ReadAllBytes((await _trial.Run(new BackupDownload(), Download("latest"))).File));
    }

    [Fact]
    public async Task S3_17_a_source_that_grows_during_the_upload_fails_the_step_and_stores_nothing()
    {
        var file = _trial.Write("dump.rdb", Text(4_000_000));
        _trial.OnProgress = _ =>
        {
            _trial.OnProgress = null;
            File.AppendAllText(file, "more");
        };
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupUpload(), Upload(file)));
        Assert.Contains("changed while it was read", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_shelf, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task S3_17_a_source_that_is_rewritten_with_the_same_length_is_seen_too()
    {
        var content = Text(4_000_000);
        var file = _trial.Write("dump.rdb", content);
        File.SetLastWriteTimeUtc(file, Noon.UtcDateTime);
        _trial.OnProgress = _ => File.SetLastWriteTimeUtc(file, Noon.UtcDateTime.AddSeconds(1));
        await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupUpload(), Upload(file)));
        Assert.Empty(Directory.EnumerateFiles(_shelf, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_damaged_object_never_gets_the_files_name()
    {
        var up = await _trial.Run(new BackupUpload(), Upload(_trial.Write("dump.rdb", Text(500_000))));
        var path = Path.Combine(_shelf, up.Key);
        var bytes = File.ReadAllBytes(path);
        for (var at = 0; at < bytes.Length; at += bytes.Length / 7)
        {
            var wrong = (byte[])bytes.Clone();
            wrong[at] ^= 0x10;
            File.WriteAllBytes(path, wrong);
            _trial.SavedValues.Clear();
            var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupDownload(), Download("latest")));
            Assert.Equal(FailureClass.InvalidData, failure.Failure);
            Assert.Empty(Directory.EnumerateFiles(_trial.Work, "*fetched*"));
        }
    }

    [Theory]
    [InlineData(Compression.Zstd, 10)]
    [InlineData(Compression.Zstd, 20_000)]
    [InlineData(Compression.Gzip, 10)]
    [InlineData(Compression.Gzip, 20_000)]
    public async Task Compressed_data_that_just_ends_is_found_even_where_the_stored_bytes_are_those_of_the_manifest(Compression compression, int cut)
    {
        var up = await _trial.Run(new BackupUpload(), Upload(_trial.Write("dump.rdb", Text(500_000))) with { Compression = compression });
        var (path, name) = (Path.Combine(_shelf, up.Key), Path.Combine(_shelf, up.Manifest));
        var left = File.ReadAllBytes(path)[..^cut];
        File.WriteAllBytes(path, left);
        var manifest = BackupManifest.Parse(File.ReadAllBytes(name));
        File.WriteAllBytes(name, (manifest with { Stored = new(left.Length, Convert.ToHexStringLower(SHA256.HashData(left))) }).ToBytes());
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupDownload(), Download("latest")));
        Assert.Equal(FailureClass.InvalidData, failure.Failure);
        Assert.False(File.Exists(Download("latest").To));
    }

    [Fact]
    public async Task A_resume_of_a_finished_upload_finds_it_and_makes_no_second_one()
    {
        var options = Upload(_trial.Write("dump.rdb", Text(1_000)));
        var first = await _trial.Run(new BackupUpload(), options);
        var probe = await new BackupUpload().Probe(options, _trial.Context());
        Assert.Equal(ProbeVerdict.Done, probe.Verdict);
        Assert.Equal(first, probe.Outputs);
        Assert.Equal(first, await _trial.Run(new BackupUpload(), options));
        Assert.Equal(2, Directory.EnumerateFiles(_shelf, "*", SearchOption.AllDirectories).Count(f => !Path.GetFileName(f).StartsWith('.')));
    }

    [Fact]
    public async Task An_upload_cut_off_between_object_and_manifest_is_not_done_and_is_finished_by_a_resume()
    {
        var options = Upload(_trial.Write("dump.rdb", Text(1_000)));
        var first = await _trial.Run(new BackupUpload(), options);
        File.Delete(Path.Combine(_shelf, first.Manifest));
        Assert.Equal(ProbeVerdict.NotDone, (await new BackupUpload().Probe(options, _trial.Context())).Verdict);
        Assert.Equal(first.Key, (await _trial.Run(new BackupUpload(), options)).Key);
    }

    [Fact]
    public async Task A_damaged_manifest_in_the_way_of_an_upload_or_a_copy_is_named_and_left()
    {
        var other = Directory.CreateDirectory(Path.Combine(_trial.Folder, "other")).FullName;
        _trial.With(new DirectoryTarget { Name = "other", Path = other });
        var options = Upload(_trial.Write("dump.rdb", Text(1_000)));
        var copy = new BackupCopyOptions { From = "shelf", To = "other", Prefix = "redis/" };
        var up = await _trial.Run(new BackupUpload(), options);
        await _trial.Run(new BackupCopy(), copy);

        File.WriteAllText(Path.Combine(other, up.Manifest), "{ \"format\": 1, \"ke");
        var failure = await _trial.Fails(FailureClass.Conflict, new BackupCopy(), copy);
        Assert.Contains($"The manifest {up.Manifest} in {other} is damaged", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StepFailedException>(() => _trial.Probe(new BackupCopy(), copy));

        File.WriteAllText(Path.Combine(_shelf, up.Manifest), "");
        failure = await _trial.Fails(FailureClass.Conflict, new BackupUpload(), options);
        Assert.Contains($"The manifest {up.Manifest} in {_shelf} is damaged", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StepFailedException>(() => _trial.Probe(new BackupUpload(), options));

        File.Delete(Path.Combine(_shelf, up.Manifest));
        Assert.Equal(up.Key, (await _trial.Run(new BackupUpload(), options)).Key);
    }

    [Fact]
    public async Task What_lies_under_a_name_without_a_manifest_is_not_overwritten()
    {
        Directory.CreateDirectory(Path.Combine(_shelf, "redis"));
        File.WriteAllText(Path.Combine(_shelf, "redis/theirs"), "the only one");
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupUpload(), Upload(_trial.Write("dump.rdb", Text(1_000))) with { Name = "theirs" }));
        Assert.Equal(FailureClass.Conflict, failure.Failure);
        Assert.Equal("the only one", File.ReadAllText(Path.Combine(_shelf, "redis/theirs")));
    }

    [Fact]
    public async Task Another_key_is_a_change_although_the_content_is_the_same()
    {
        var options = Upload(_trial.Write("dump.rdb", Text(1_000))) with { OnlyIfChanged = true };
        await _trial.Run(new BackupUpload(), options);
        _trial.SavedValues.Clear();
        Assert.False((await _trial.Run(new BackupUpload(), options)).Changed);
        _trial.SavedValues.Clear();
        _trial.With(new DirectoryTarget { Name = "locked", Path = _shelf, EncryptionKey = _trial.Canary("BACKUP_KEY", Convert.ToBase64String(new byte[32])) });
        Assert.True((await _trial.Run(new BackupUpload(), options with { Target = "locked", Name = "again" })).Changed);
    }

    [Fact]
    public async Task The_selector_is_asked_once_and_a_resume_keeps_its_answer()
    {
        var old = await _trial.Run(new BackupUpload(), Upload(_trial.Write("dump.rdb", Text(1_000))));
        await _trial.Context("fetch").Save("backup", $"{old.Key}@sha256:{old.Sha256}");
        _trial.SavedValues.Remove("key");
        await _trial.Run(new BackupUpload(), Upload(_trial.Write("dump.rdb", Text(2_000))) with { RecoveryPoint = Noon.AddHours(1) });
        Assert.Equal(old.Key, (await _trial.Run(new BackupDownload(), Download("latest"))).Key);
    }

    [Fact]
    public async Task A_file_that_is_somebody_elses_is_not_overwritten()
    {
        await _trial.Run(new BackupUpload(), Upload(_trial.Write("dump.rdb", Text(1_000))));
        var precious = Path.Combine(_trial.Folder, "precious");
        File.WriteAllText(precious, "mine");
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => _trial.Run(new BackupDownload(), Download("latest") with { To = precious }));
        Assert.Equal(FailureClass.Conflict, failure.Failure);
        Assert.Equal("mine", File.ReadAllText(precious));
    }

    [Fact]
    public async Task A_partial_file_never_moves_latest_unless_the_runbook_allows_it()
    {
        var file = _trial.Write("dump.rdb", Text(1_000));
        var good = await _trial.Run(new BackupUpload(), Upload(file) with { Name = "good" });
        _trial.SavedValues.Clear();
        await _trial.Run(new BackupUpload(), Upload(file) with { Name = "partial", RecoveryPoint = Noon.AddHours(1), Partial = true, Warnings = ["log.txt changed while it was read"] });
        _trial.SavedValues.Clear();
        Assert.Equal(good.Key, (await _trial.Run(new BackupDownload(), Download("latest"))).Key);
        Assert.Contains(_trial.Logged, l => l.Contains("redis/partial is not taken: it is partial: log.txt changed", StringComparison.Ordinal));
        _trial.SavedValues.Clear();
        var allowed = await _trial.Run(new BackupUpload(), Upload(file) with { Name = "allowed", RecoveryPoint = Noon.AddHours(2), Partial = true, AllowPartial = true });
        _trial.SavedValues.Clear();
        Assert.Equal(allowed.Key, (await _trial.Run(new BackupDownload(), Download("latest"))).Key);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("/")]
    [InlineData("redis")]
    [InlineData("../redis/")]
    public async Task PM_07_an_empty_or_malformed_prefix_is_an_error(string prefix) =>
        await Assert.ThrowsAsync<RunbookException>(() => _trial.Run(new BackupUpload(), Upload(_trial.Write("dump.rdb", Text(10))) with { Prefix = prefix }));

    BackupUploadOptions Upload(string file) => new() { Target = "shelf", File = file, Prefix = "redis/", Kind = "redis.rdb", RecoveryPoint = Noon };

    BackupDownloadOptions Download(string backup) => new() { Target = "shelf", Backup = backup, Prefix = "redis/", To = Path.Combine(_trial.Work, "fetched.rdb") };

    static byte[] Text(int size)
    {
        var text = new StringBuilder();
        for (var i = 0; text.Length < size; i++)
            text.Append("node ").Append(i * 7919 % 100_003).Append(" knows ").Append(i * 31 % 9_973).Append('\n');
        return Encoding.ASCII.GetBytes(text.ToString(0, size));
    }

    public void Dispose()
    {
        _trial.Dispose();
        TempFolder.Delete(_shelf);
    }
}
