using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>A stub that loses what it acknowledged, shows it late, or keeps it where it cannot be read.</summary>
public sealed class S3KeepingTests : IDisposable
{
    const string Key = "/b/redis/x", Manifest = Key + BackupManifest.Suffix;

    readonly StubBucket _bucket = new();
    readonly TestHost _host = new() { Clock = new PauselessClock() };

    public S3KeepingTests() => _host.Add("s3", _bucket.Target(_host));

    [Fact]
    public async Task A_manifest_that_was_acknowledged_and_lost_is_written_again()
    {
        Swallow(Manifest, times: 1);
        await _host.Run(new BackupUpload(), Upload());
        Assert.Contains(Manifest, _bucket.Objects.Keys);
        Assert.Equal(2, Puts(Manifest));
        Assert.Equal(1, Puts(Key));
    }

    [Fact]
    public async Task A_manifest_that_is_lost_each_time_is_no_backup()
    {
        Swallow(Manifest, times: 100);
        var failure = await _host.Fails(FailureClass.Transient, new BackupUpload(), Upload());
        Assert.Contains("s3://b/ took redis/x.manifest.json twice and does not hold it", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_object_that_was_acknowledged_and_lost_gets_no_manifest()
    {
        Swallow(Key, times: 1);
        var failure = await _host.Fails(FailureClass.InvalidData, new BackupUpload(), Upload());
        Assert.Contains("keeps 0 bytes of redis/x, and 7 were sent", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_bucket.Objects);
    }

    [Fact]
    public async Task A_proof_that_was_acknowledged_and_lost_is_written_again()
    {
        await _host.Run(new BackupUpload(), Upload());
        Swallow(Manifest, times: 1);
        await _host.Run(new BackupProve(), new() { Target = "s3", Backup = "redis/x" });
        Assert.True(BackupManifest.Parse(System.Text.Encoding.UTF8.GetBytes(_bucket.Objects[Manifest])).Proven);
    }

    [Fact]
    public async Task S3_18_a_manifest_that_shows_late_is_looked_for_and_not_written_twice()
    {
        var looks = 0;
        _bucket.Refuse = r => r.Method == "GET" && r.Path == Manifest && _bucket.Objects.ContainsKey(Manifest) && looks++ < 5 ? StubBucket.Refusal(404, "NoSuchKey") : null;
        await _host.Run(new BackupUpload(), Upload());
        Assert.Equal(1, Puts(Manifest));
        Assert.Contains(_host.Logged, l => l.Contains("does not show redis/x.manifest.json yet", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_manifest_that_comes_back_as_another_one_is_a_conflict()
    {
        _bucket.Refuse = r => r.Method == "PUT" && r.Path == Manifest ? _bucket.Do(r with { Body = r.Body.Replace("redis/x", "redis/y", StringComparison.Ordinal) }) : null;
        var failure = await _host.Fails(FailureClass.Conflict, new BackupUpload(), Upload());
        Assert.Contains("is not what was written there a moment ago", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_get_the_storage_class_and_manifests_do_not_and_the_server_encrypts_both()
    {
        _host.Add("archive", _bucket.Target(_host) with { StorageClass = "DEEP_ARCHIVE", ServerEncryption = "aws:kms", KmsKey = "key-1" });
        await _host.Run(new BackupUpload(), Upload() with { Target = "archive" });
        foreach (var (path, storage) in new[] { (Key, "DEEP_ARCHIVE"), (Manifest, null) })
        {
            var put = _bucket.Requests.Single(r => r.Method == "PUT" && r.Path == path);
            Assert.Equal(storage, StubBucket.Header(put, "x-amz-storage-class"));
            Assert.Equal("aws:kms", StubBucket.Header(put, "x-amz-server-side-encryption"));
            Assert.Equal("key-1", StubBucket.Header(put, "x-amz-server-side-encryption-aws-kms-key-id"));
        }
    }

    [Fact]
    public async Task An_object_in_an_archive_is_said_to_be_there_and_not_to_be_damaged_or_forbidden()
    {
        await _host.Run(new BackupUpload(), Upload());
        _bucket.Refuse = r => r.Method == "GET" && r.Path == Key ? StubBucket.Refusal(403, "InvalidObjectState") : null;
        var failure = await _host.Fails(FailureClass.Conflict, new BackupDownload(), new() { Target = "s3", Backup = "redis/x", To = Path.Combine(_host.Work, "out") });
        Assert.Contains("keeps it in an archive", failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("Restore the object first", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fifty_requests_one_after_the_other_need_no_more_than_two_connections()
    {
        await using (var store = await _host.Context().Target<BackupTarget>("s3").Open(_host.Context()))
            for (var i = 0; i < 50; i++)
                await store.Stat($"redis/{i}", default);
        Assert.Equal(50, _bucket.Requests.Count);
        Assert.InRange(_bucket.Connections, 1, 2);
    }

    /// <summary>Says that it is stored, and drops it.</summary>
    void Swallow(string path, int times) => _bucket.Refuse = r => r.Method == "PUT" && r.Path == path && times-- > 0 ? new(200) : null;

    int Puts(string path) => _bucket.Requests.Count(r => r.Method == "PUT" && r.Path == path);

    BackupUploadOptions Upload() => StubBucket.Backup(_host, "content");

    public void Dispose()
    {
        _host.Dispose();
        _bucket.Dispose();
    }
}
