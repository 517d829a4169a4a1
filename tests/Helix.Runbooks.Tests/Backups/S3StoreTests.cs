using System.Security.Cryptography;
using Amazon.S3.Model;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>Against a real S3 server.</summary>
public sealed class S3StoreTests(CephS3 ceph) : BackupStoreConformance, IDisposable
{
    readonly TestHost _host = new();

    protected override async Task<BackupStore> Empty() =>
        await ((await ceph.Bucket(_host)) with { Prefix = "sub/", PartSize = new(5 << 20) }).Open(_host.Context());

    [Fact]
    public async Task A_listing_goes_on_over_all_pages()
    {
        await using var store = await Empty();
        await Parallel.ForEachAsync(Enumerable.Range(0, 1005), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await Put(store, $"a/{i:0000}", [1]));
        Assert.Equal(1005, (await Keys(store, "a/")).Count);
    }

    [Fact]
    public async Task S3_09_a_bucket_with_a_dot_in_its_name_is_reached()
    {
        await ceph.Started();
        using var client = ceph.Client();
        await client.PutBucketAsync("with.dot");
        await using var store = await ((await ceph.Bucket(_host)) with { Bucket = "with.dot" }).Open(_host.Context());
        await Put(store, "a/b", Bytes(10));
        Assert.Equal(Bytes(10), await Get(store, "a/b"));
    }

    [Fact]
    public async Task A_missing_bucket_and_a_wrong_key_are_told_apart_from_a_missing_object()
    {
        var target = await ceph.Bucket(_host);
        await using var none = await (target with { Bucket = "none" }).Open(_host.Context());
        Assert.Equal(FailureClass.Missing, (await Assert.ThrowsAsync<StepFailedException>(() => none.ReadSmall("a/b", default))).Failure);
        Assert.Equal(FailureClass.Missing, (await Assert.ThrowsAsync<StepFailedException>(() => Keys(none, "a/"))).Failure);
        await using var wrong = await (target with { SecretKey = _host.Canary("WRONG", "wrong-secret-key") }).Open(_host.Context());
        Assert.Equal(FailureClass.Auth, (await Assert.ThrowsAsync<StepFailedException>(() => Keys(wrong, "a/"))).Failure);
    }

    [Fact]
    public async Task Open_uploads_are_listed_and_can_be_thrown_away()
    {
        await using var store = await Empty();
        var upload = await store.Create("redis/a", new UploadHints { Memory = UploadMemory.Of(_host.Context(), canGoOn: true) }, default);
        await upload.WriteAsync(new byte[12 << 20]);
        await Eventually.True(async () => (await store.OpenUploads("redis/", default)).Count == 1, "the upload is open");
        var open = Assert.Single(await store.OpenUploads("redis/", default));
        Assert.Equal("redis/a", open.Key);
        Assert.Contains("abort-multipart-upload", Assert.Single(_host.Left).Command, StringComparison.Ordinal);
        await upload.Abandon(default);
        await upload.DisposeAsync();
        Assert.Empty(await store.OpenUploads("redis/", default));
        Assert.Empty(_host.Left);
    }

    [Fact]
    public async Task An_object_under_lock_says_until_when()
    {
        var target = (await ceph.Bucket(_host, objectLock: true)) with { ObjectLock = new() { Mode = S3LockMode.Compliance, For = new(TimeSpan.FromDays(1)) }, PartSize = new(5 << 20) };
        await using var store = await target.Open(_host.Context());
        foreach (var size in new[] { 100, 6 << 20 })
        {
            await Put(store, $"a/{size}", Bytes(size));
            Assert.StartsWith("lock until ", await store.HeldBy($"a/{size}", default), StringComparison.Ordinal);
        }
        await using var free = await (target with { ObjectLock = null }).Open(_host.Context());
        await Put(free, "a/free", Bytes(100));
        Assert.Null(await free.HeldBy("a/free", default));
        Assert.Equal(Deletion.Hidden, await free.Delete("a/free", default)); // S3-15: a versioned bucket only hides
    }

    [Fact]
    public async Task A_bucket_is_checked_before_a_run_and_what_is_in_force_is_said()
    {
        var target = await ceph.Bucket(_host);
        Assert.Contains("checksums when-required, payload signed by its MD5, whole", await target.Check(_host.Context()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_found_before_a_run()
    {
        var target = (await ceph.Bucket(_host)) with { Bucket = "none" };
        Assert.Equal(FailureClass.Missing, (await Assert.ThrowsAsync<StepFailedException>(() => target.Check(_host.Context()))).Failure);
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(2L << 30)]
    [InlineData(4L << 30)]
    public async Task A_size_of_parts_that_no_server_takes_or_no_memory_holds_is_refused(long size)
    {
        var target = (await ceph.Bucket(_host)) with { PartSize = new(size) };
        await Assert.ThrowsAsync<RunbookException>(() => target.Open(_host.Context()));
    }

    [Fact]
    public async Task PM_06_a_bucket_says_to_which_environment_it_belongs_by_an_object_that_is_no_backup()
    {
        var target = await ceph.Bucket(_host);
        Assert.Null(await target.ReadLabel(_host.Context()));
        await using var store = await target.Open(_host.Context());
        await store.Replace(".helix-environment", "production\n"u8.ToArray(), null, default);
        Assert.Equal("production", await target.ReadLabel(_host.Context()));
        Assert.Empty(await store.List("", default).ToListAsync());
    }

    public void Dispose() => _host.Dispose();
}
