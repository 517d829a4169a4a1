using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>Objects whose manifest does not come: removed, told of, or made into the backup that they are; never in the way without a word.</summary>
public sealed class S3OrphanTests : IDisposable
{
    const string Key = "/b/redis/x", Manifest = Key + BackupManifest.Suffix;

    readonly StubBucket _bucket = new();
    readonly TestHost _host = new() { Clock = new PauselessClock() };
    readonly string _shelf = Directory.CreateTempSubdirectory("helix-shelf-").FullName;

    public S3OrphanTests()
    {
        _host.Add("s3", _bucket.Target(_host));
        _host.Add("shelf", new DirectoryTarget { Path = _shelf });
    }

    [Theory]
    [InlineData(7)]
    [InlineData(11_000_000)]
    public async Task An_object_whose_manifest_is_refused_for_good_is_removed(int size)
    {
        RefuseManifest(501, "NotImplemented");
        await _host.Fails(FailureClass.InvalidData, new BackupUpload(), Upload(size));
        Assert.Empty(_bucket.Objects);
        Assert.Empty(_host.Left);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(11_000_000)]
    public async Task An_object_whose_manifest_is_refused_for_now_is_told_of_until_a_resume_writes_it(int size)
    {
        RefuseManifest(403, "AccessDenied");
        await _host.Fails(FailureClass.Auth, new BackupUpload(), Upload(size));
        Assert.Equal([Key], _bucket.Objects.Keys);
        var left = Assert.Single(_host.Left);
        Assert.Equal("redis/x may lie in bucket b without a manifest", left.What);
        Assert.StartsWith("aws s3api delete-object --bucket 'b' --key 'redis/x' --endpoint-url ", left.Command, StringComparison.Ordinal);
        _bucket.Refuse = _ => null;
        await _host.Run(new BackupUpload(), Upload(size));
        Assert.Contains(Manifest, _bucket.Objects.Keys);
        Assert.Empty(_host.Left);
    }

    [Fact]
    public async Task An_object_stays_where_somebody_elses_manifest_came_first()
    {
        _bucket.Refuse = r =>
        {
            if (r.Method == "PUT" && r.Path == Manifest)
                _bucket.Objects.TryAdd(Manifest, "{}");
            return null;
        };
        await _host.Fails(FailureClass.Conflict, new BackupUpload(), Upload(7));
        Assert.Equal([Key, Manifest], _bucket.Objects.Keys.Order());
    }

    [Fact]
    public async Task A_kill_right_after_the_manifest_leaves_nothing_to_tell_of()
    {
        await _host.Run(new BackupUpload(), Upload(7));
        await _host.Context().Leave(new() { Key = "upload:redis/x", Kind = ResidueKind.OpenUpload, What = "", Command = "" });
        Assert.Equal(ProbeVerdict.Done, (await _host.Probe(new BackupUpload(), Upload(7))).Verdict);
        Assert.Empty(_host.Left);
    }

    [Fact]
    public async Task A_copy_that_arrived_damaged_is_removed_and_can_be_made_again()
    {
        await Shelved();
        _bucket.Refuse = r => r.Method == "PUT" && r.Path == Key ? _bucket.Do(r with { Body = r.Body[..^1] }) : null;
        await _host.Fails(FailureClass.InvalidData, new BackupCopy(), Copy());
        Assert.Empty(_bucket.Objects);
        Assert.Empty(_host.Left);
        _bucket.Refuse = _ => null;
        _host.SavedValues.Clear();
        await _host.Run(new BackupCopy(), Copy());
        Assert.Equal([Key, Manifest], _bucket.Objects.Keys.Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_that_lacks_only_its_manifest_gets_it_in_the_same_run_and_in_another(bool sameRun)
    {
        await Shelved();
        RefuseManifest(403, "AccessDenied");
        await _host.Fails(FailureClass.Auth, new BackupCopy(), Copy());
        Assert.Single(_host.Left);
        _bucket.Refuse = _ => null;
        if (!sameRun)
            _host.SavedValues.Clear();
        await _host.Run(new BackupCopy(), Copy());
        Assert.Contains(Manifest, _bucket.Objects.Keys);
        Assert.Single(_bucket.Requests, r => r.Method == "PUT" && r.Path == Key);
        Assert.Empty(_host.Left);
    }

    [Fact]
    public async Task A_copy_does_not_take_an_object_of_the_same_size_for_itself()
    {
        await Shelved();
        _bucket.Objects[Key] = new('B', 7);
        var failure = await _host.Fails(FailureClass.Conflict, new BackupCopy(), Copy());
        Assert.Contains("an object redis/x without a manifest", failure.Message, StringComparison.Ordinal);
        Assert.Equal(new('B', 7), _bucket.Objects[Key]);
    }

    void RefuseManifest(int status, string code) => _bucket.Refuse = r => r.Method == "PUT" && r.Path == Manifest ? StubBucket.Refusal(status, code) : null;

    async Task Shelved()
    {
        await _host.Run(new BackupUpload(), Upload(7) with { Target = "shelf" });
        _host.SavedValues.Clear();
    }

    static BackupCopyOptions Copy() => new() { From = "shelf", To = "s3", Backup = "redis/x" };

    BackupUploadOptions Upload(int size) => StubBucket.Backup(_host, new string('A', size));

    public void Dispose()
    {
        _host.Dispose();
        _bucket.Dispose();
        TempFolder.Delete(_shelf);
    }
}
