using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;
using Helix.Steps.Files;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>The steps on a real S3 server.</summary>
public sealed class BackupOnS3Tests(CephS3 ceph) : IAsyncLifetime
{
    static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    readonly TestHost _host = new();
    readonly string _shelf = Directory.CreateTempSubdirectory("helix-shelf-").FullName;

    public async ValueTask InitializeAsync()
    {
        _host.Add("s3", (await ceph.Bucket(_host)) with { PartSize = new(5 << 20), Prefix = "helix/", EncryptionKey = _host.Canary("KEY", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))) });
        _host.Add("plain", (await ceph.Bucket(_host)) with { PartSize = new(5 << 20) });
        _host.Add("large", _host.Context().Target<S3Target>("plain") with { PartSize = new(25 << 20) }); // too large for memory
        _host.Add("shelf", new DirectoryTarget { Path = _shelf });
    }

    [Theory]
    [InlineData("s3", Compression.Zstd, 20_000_000)]
    [InlineData("s3", Compression.Gzip, 3_000_000)]
    [InlineData("plain", Compression.None, 11_000_000)]
    [InlineData("plain", Compression.Zstd, 0)]
    [InlineData("plain", Compression.None, 0)]
    [InlineData("plain", Compression.None, 1)]
    [InlineData("s3", Compression.None, 5 << 20)]
    [InlineData("large", Compression.None, 60_000_000)]
    public async Task S3_02_what_was_uploaded_comes_back_as_it_was(string target, Compression compression, int size)
    {
        var content = new byte[size];
        new Random(size).NextBytes(content.AsSpan(0, size / 2)); // half of it cannot be compressed
        var up = await _host.Run(new BackupUpload(), Upload(content) with { Target = target, Compression = compression });
        var down = await _host.Run(new BackupDownload(), new() { Target = target, Prefix = "redis/", Backup = "latest", To = Path.Combine(_host.Work, "out") });
        Assert.Equal(content, File.ReadAllBytes(down.File));
        Assert.Equal((up.Key, up.ContentSha256), (down.Key, down.Sha256));
        await _host.Run(new BackupVerify(), new() { Target = target, Prefix = "redis/" });
        _host.AssertNoCanary(up, down);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S3_02_over_tls_small_objects_arrive_signed_with_and_without_their_digest(bool signPayload)
    {
        using var front = new TlsFront(new Uri(ceph.Endpoint).Port);
        var plain = _host.Context().Target<S3Target>("plain");
        _host.Add("tls", plain with { Endpoint = front.Url, CaFile = front.CaFile, SignPayload = signPayload });
        _host.Add("stranger", plain with { Endpoint = front.Url, CaFile = front.OtherCaFile });
        foreach (var size in new[] { 0, 1, 6_000_000 })
        {
            var up = await _host.Run(new BackupUpload(), Upload(new byte[size]) with { Target = "tls", Compression = Compression.None, RecoveryPoint = Noon.AddSeconds(size) });
            await using var store = await plain.Open(_host.Context());
            Assert.Equal(size, (await store.Stat(up.Key, default))!.Size);
            _host.SavedValues.Clear();
        }
        var refused = await _host.Fails(FailureClass.Auth, new BackupUpload(), Upload([1]) with { Target = "stranger" });
        Assert.Contains("certificate that is not trusted", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S3_02_what_a_command_prints_is_stored_while_it_prints()
    {
        var up = await _host.Run(new BackupUpload(), Upload([]) with { File = null, Command = ["sh", "-c", "head -c 12000000 /dev/urandom; echo end"] });
        Assert.Equal(12_000_004, up.ContentSize);
        await _host.Run(new BackupVerify(), new() { Target = "s3", Prefix = "redis/" });
    }

    [Fact]
    public async Task S3_05_what_is_read_may_be_more_than_an_object_holds_and_what_is_stored_may_not()
    {
        var huge = Upload([]) with { Target = "plain", File = null, Command = ["echo", "content"], LargestSize = new(6L << 40) };
        await _host.Run(new BackupUpload(), huge);
        _host.SavedValues.Clear();
        var refused = await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new BackupUpload(), huge with { RecoveryPoint = Noon.AddHours(1), Compression = Compression.None }));
        Assert.StartsWith("An object holds at most 5", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("head -c 12000000 /dev/urandom; exit 3")]
    [InlineData("echo begin; exit 1")]
    [InlineData("exit 1")]
    [InlineData("true")] // DB-02: prints nothing and claims success
    public async Task PRC_06_a_command_that_fails_or_prints_nothing_leaves_no_backup_and_no_open_upload(string script)
    {
        await Assert.ThrowsAsync<StepFailedException>(() => _host.Run(new BackupUpload(), Upload([]) with { File = null, Command = ["sh", "-c", script] }));
        await using var store = await _host.Context().Target<BackupTarget>("s3").Open(_host.Context());
        Assert.Empty(await new BackupSeries(store, "redis/").List());
        Assert.Empty(await store.OpenUploads("redis/", default));
        Assert.Empty(_host.Left);
    }

    [Fact]
    public async Task An_unchanged_file_is_stored_once()
    {
        var first = await _host.Run(new BackupUpload(), Upload([1, 2, 3]) with { OnlyIfChanged = true });
        _host.SavedValues.Clear();
        var second = await _host.Run(new BackupUpload(), Upload([1, 2, 3]) with { OnlyIfChanged = true, RecoveryPoint = Noon.AddHours(1) });
        Assert.Equal((true, false, first.Key), (first.Changed, second.Changed, second.Key));
        _host.SavedValues.Clear();
        Assert.True((await _host.Run(new BackupUpload(), Upload([1, 2, 4]) with { OnlyIfChanged = true, RecoveryPoint = Noon.AddHours(2) })).Changed);
    }

    [Theory]
    [InlineData("plain", "shelf")]
    [InlineData("shelf", "plain")]
    [InlineData("plain", "s3")]
    public async Task A_copy_is_equal_and_carries_the_manifest(string from, string to)
    {
        var content = new byte[7_000_000];
        new Random(3).NextBytes(content);
        var up = await _host.Run(new BackupUpload(), Upload(content) with { Target = from, Counts = new Dictionary<string, long> { ["db0"] = 7 } });
        BackupCopyOptions options = new() { From = from, To = to, Prefix = "redis/", AllowUnencrypted = to == "s3" };
        var copy = await _host.Run(new BackupCopy(), options);
        Assert.Equal((up.Key, up.Sha256, up.Size), (copy.Key, copy.Sha256, copy.Size));
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new BackupCopy(), options)).Verdict);
        await _host.Run(new BackupCopy(), options);
        _host.SavedValues.Clear();
        var down = await _host.Run(new BackupDownload(), new() { Target = to, Backup = up.Key, To = Path.Combine(_host.Work, "out") });
        Assert.Equal(content, File.ReadAllBytes(down.File));
        Assert.Equal(7, down.Counts["db0"]);
    }

    [Fact]
    public async Task A_damaged_backup_is_not_copied_and_another_one_is_not_overwritten()
    {
        var up = await _host.Run(new BackupUpload(), Upload([1, 2, 3]) with { Target = "shelf", Compression = Compression.None });
        var path = Path.Combine(_shelf, up.Key);
        File.WriteAllBytes(path, [1, 2, 4]);
        await _host.Fails(FailureClass.InvalidData, new BackupCopy(), new() { From = "shelf", To = "plain", Prefix = "redis/" });
        await using var store = await _host.Context().Target<BackupTarget>("plain").Open(_host.Context());
        Assert.Null(await store.Stat(up.Key, default));
        await store.Replace(up.Manifest, (await new BackupSeries(new DirectoryStore(_shelf), "redis/").Show(up.Key)).Manifest! with { Stored = new(3, "other") } is { } other ? other.ToBytes() : [], null, default);
        await _host.Fails(FailureClass.Conflict, new BackupCopy(), new() { From = "shelf", To = "plain", Prefix = "redis/" });
        await Assert.ThrowsAsync<RunbookException>(() => _host.Run(new BackupCopy(), new() { From = "shelf", To = "shelf", Prefix = "redis/" }));
    }

    [Fact]
    public async Task S3_15_what_a_lock_holds_is_kept_and_named_and_the_rest_goes()
    {
        var locking = (await ceph.Bucket(_host, objectLock: true)) with { ObjectLock = new() { Mode = S3LockMode.Compliance, For = new(TimeSpan.FromDays(1)) } };
        _host.Add("locked", locking);
        _host.Add("unlocked", locking with { ObjectLock = null });
        for (var i = 0; i < 5; i++)
        {
            _host.SavedValues.Clear();
            await _host.Run(new BackupUpload(), Upload([1]) with { Target = i == 1 ? "locked" : "unlocked", Name = $"b{i}", RecoveryPoint = Noon.AddDays(i) });
        }
        var outputs = await _host.Run(new BackupPrune(), new() { Target = "unlocked", Prefix = "redis/", KeepDaily = 1, KeepAtLeast = 1 });
        Assert.Equal((2, 3), (outputs.Kept, outputs.Removed));
        Assert.StartsWith("redis/b1: lock until ", Assert.Single(outputs.Held), StringComparison.Ordinal);
        Assert.Equal(0, outputs.FreedBytes); // only hidden: the bucket is versioned
        Assert.Contains(_host.Logged, l => l.Contains("delete marker", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_series_with_an_upload_under_way_is_not_pruned_and_an_abandoned_one_is_thrown_away()
    {
        await _host.Run(new BackupUpload(), Upload([1]) with { Target = "plain" });
        await using var store = await _host.Context().Target<BackupTarget>("plain").Open(_host.Context());
        await using var upload = await store.Create("redis/other", new UploadHints { Memory = UploadMemory.Of(_host.Context(), canGoOn: true) }, default);
        await upload.WriteAsync(new byte[12 << 20]);
        await Eventually.True(() => _host.SavedValues.ContainsKey("part.1") && _host.SavedValues.ContainsKey("part.2"), "both whole parts are there, and no other is on its way");
        Assert.Single(await store.OpenUploads("redis/", default));
        var options = new BackupPruneOptions { Target = "plain", Prefix = "redis/", KeepDaily = 1 };
        Assert.Contains("under way", (await _host.Fails(FailureClass.Conflict, new BackupPrune(), options)).Message, StringComparison.Ordinal);
        await _host.Run(new BackupPrune(), options with { AbandonedAfter = new(TimeSpan.Zero) });
        Assert.Empty(await store.OpenUploads("redis/", default));
    }

    BackupUploadOptions Upload(byte[] content) => new()
    {
        Target = "s3",
        File = _host.Write("dump", content),
        Prefix = "redis/",
        Kind = "redis.rdb",
        RecoveryPoint = Noon,
    };

    public ValueTask DisposeAsync()
    {
        _host.AssertNoCanary();
        _host.Dispose();
        TempFolder.Delete(_shelf);
        return ValueTask.CompletedTask;
    }
}
