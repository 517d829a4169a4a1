using System.Text.Json.Nodes;
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
        Assert.StartsWith("aws s3api delete-object --bucket b --key redis/x --endpoint-url ", left.Command, StringComparison.Ordinal);
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

    [Theory]
    [InlineData(7)]
    [InlineData(11_000_000)]
    public async Task An_object_whose_commit_broke_on_this_side_alone_is_removed_when_nobody_can_go_on(int size)
    {
        LoseCommit();
        Assert.Contains("ran out", (await _host.Fails(FailureClass.Auth, new BackupUpload(), Printed(size))).Message, StringComparison.Ordinal);
        Assert.Empty(_bucket.Objects);
        Assert.Empty(_host.Left);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(11_000_000)]
    public async Task Where_it_cannot_be_removed_it_is_told_of_and_the_first_failure_is_the_one_that_is_heard(int size)
    {
        LoseCommit(r => r.Method == "DELETE" ? StubBucket.Refusal(403, "AccessDenied") : null);
        Assert.Contains("ran out", (await _host.Fails(FailureClass.Auth, new BackupUpload(), Printed(size))).Message, StringComparison.Ordinal);
        Assert.Equal([Key], _bucket.Objects.Keys);
        var left = Assert.Single(_host.Left);
        Assert.Equal("redis/x may lie in bucket b without a manifest", left.What);
        Assert.Contains("aws s3api delete-object --bucket b --key redis/x", left.Command, StringComparison.Ordinal);
        Assert.Contains(_host.Logged, l => l.Contains("could not be removed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_stays_where_somebody_made_a_backup_of_it_meanwhile()
    {
        LoseCommit(r =>
        {
            if (r.Method == "HEAD" && _bucket.Objects.ContainsKey(Key))
                _bucket.Objects.TryAdd(Manifest, "{}");
            return null;
        });
        await _host.Fails(FailureClass.Auth, new BackupUpload(), Printed(7));
        Assert.Equal([Key, Manifest], _bucket.Objects.Keys.Order());
    }

    [Theory]
    [InlineData("printf content", true)]
    [InlineData("head -c 15000000 /dev/zero; exit 3", false)] // more than is read ahead, less than a part
    public async Task Parts_that_a_killed_attempt_left_are_thrown_away_also_when_the_next_one_sends_none(string script, bool good)
    {
        _bucket.Do(new("POST", Key + "?uploads", new Dictionary<string, string>(), ""));
        _host.SavedValues["upload"] = new JsonObject { ["key"] = "redis/x", ["id"] = "u1", ["checksum"] = null };
        await _host.Context().Leave(new() { Key = "upload:redis/x", Kind = ResidueKind.OpenUpload, What = "", Command = "" });
        _host.Add("wide", _bucket.Target(_host) with { PartSize = new(16 << 20) });
        var running = _host.Run(new BackupUpload(), Printed(0) with { Target = "wide", Command = ["sh", "-c", script] });
        if (good)
            await running;
        else
            await Assert.ThrowsAnyAsync<Exception>(() => running);
        Assert.Contains(_bucket.Requests, r => r.Method == "DELETE" && r.Path.Contains("uploadId=u1", StringComparison.Ordinal));
        Assert.Equal(good ? [Key, Manifest] : [], _bucket.Objects.Keys.Order());
        Assert.Empty(_host.Left);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(11_000_000)]
    public async Task A_manifest_is_not_written_for_what_another_run_stored_under_the_same_key(int size)
    {
        var theirs = new string('B', size);
        _bucket.Refuse = r =>
        {
            if (r.Method == "HEAD" && r.Path == Key && _bucket.Objects.ContainsKey(Key))
                _bucket.Do(new("PUT", Key, new Dictionary<string, string>(), theirs));
            return null;
        };
        var failure = await _host.Fails(FailureClass.Conflict, new BackupUpload(), Upload(size));
        Assert.Contains("somebody else stored another object under the same key", failure.Message, StringComparison.Ordinal);
        Assert.Equal([Key], _bucket.Objects.Keys);
        Assert.Same(theirs, _bucket.Objects[Key]);
    }

    [Fact]
    public async Task A_backup_that_another_run_finished_while_this_one_was_sent_is_not_overwritten()
    {
        _bucket.Refuse = r =>
        {
            if (r.Path.Contains("partNumber=1", StringComparison.Ordinal))
                (_bucket.Objects[Key], _bucket.Objects[Manifest]) = ("theirs", "{}");
            return null;
        };
        _host.Add("slow", _bucket.Target(_host) with { Parallel = 1 }); // the second part is sent once the first is there
        await _host.Fails(FailureClass.Conflict, new BackupUpload(), Upload(11_000_000) with { Target = "slow" });
        Assert.Equal("theirs", _bucket.Objects[Key]);
        Assert.Empty(_host.Left);
    }

    [Theory]
    [InlineData(7, "delete-object")]
    [InlineData(11_000_000, "abort-multipart-upload")]
    public async Task The_command_for_what_is_left_names_a_key_with_a_quote_as_the_shell_reads_it(int size, string verb)
    {
        _bucket.Refuse = r => r.Path.StartsWith("/b/redis/", StringComparison.Ordinal) && r.Method == "PUT" ? StubBucket.Refusal(403, "ExpiredToken") : null;
        await _host.Fails(FailureClass.Auth, new BackupUpload(), Upload(size) with { Name = "it's" });
        Assert.Contains($@"{verb} --bucket b --key 'redis/it'\''s' ", Assert.Single(_host.Left).Command, StringComparison.Ordinal);
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

    /// <summary>The server makes the object visible, and says that it refused.</summary>
    void LoseCommit(Func<StubRequest, StubAnswer?>? also = null) => _bucket.Refuse = r =>
    {
        if (r is not ({ Method: "PUT", Path: Key } or { Method: "POST" }) || r.Path.EndsWith("?uploads", StringComparison.Ordinal))
            return also?.Invoke(r);
        _bucket.Do(r);
        return StubBucket.Refusal(403, "ExpiredToken");
    };

    /// <summary>What a command prints does not come again.</summary>
    BackupUploadOptions Printed(int size)
    {
        var upload = Upload(size);
        return upload with { File = null, Command = ["cat", upload.File!] };
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
