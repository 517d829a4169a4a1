using System.Xml.Linq;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;
using Helix.Steps.Backups;
using Microsoft.Extensions.Time.Testing;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>Objects of several parts against a stub that can be stricter, slower and more forgetful than the real server at hand.</summary>
public sealed class S3PartsTests : IDisposable
{
    readonly StubBucket _bucket = new();
    readonly string _content = Text(11_000_000);
    readonly TestHost _host = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S3_01_with_the_checksums_of_the_SDK_the_list_of_parts_names_those_that_went_with_them(bool chunks)
    {
        _host.Add("s3", _bucket.Target(_host) with { Checksums = S3Checksums.WhenSupported, ChunkEncoding = chunks });
        await _host.Run(new BackupUpload(), Upload());
        Assert.Equal(_content, _bucket.Objects["/b/redis/x"]);
        var begin = _bucket.Requests.Single(r => r.Method == "POST" && r.Path.EndsWith("?uploads", StringComparison.Ordinal));
        Assert.Equal("CRC32", StubBucket.Header(begin, "x-amz-checksum-algorithm"));
        var named = XDocument.Parse(_bucket.Requests.Single(IsComplete).Body).Root!.Elements().Select(p => p.Elements().Single(e => e.Name.LocalName == "ChecksumCRC32").Value);
        Assert.Equal(Pieces().Select(StubBucket.Crc32Of), named);
    }

    [Fact]
    public async Task S3_01_without_them_neither_begin_nor_parts_nor_the_list_speak_of_checksums()
    {
        _host.Add("s3", _bucket.Target(_host));
        await _host.Run(new BackupUpload(), Upload());
        Assert.Equal(_content, _bucket.Objects["/b/redis/x"]);
        Assert.DoesNotContain(_bucket.Requests, r => r.Headers.Keys.Any(h => h.StartsWith("x-amz-checksum", StringComparison.OrdinalIgnoreCase) || h.Equals("x-amz-trailer", StringComparison.OrdinalIgnoreCase)));
        Assert.DoesNotContain("Checksum", _bucket.Requests.Single(IsComplete).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S3_01_a_resume_names_the_checksums_of_parts_that_were_there()
    {
        _host.Add("s3", _bucket.Target(_host) with { Checksums = S3Checksums.WhenSupported, Parallel = 1 });
        await StopAtPart(3);
        await _host.Run(new BackupUpload(), Upload());
        Assert.Equal(_content, _bucket.Objects["/b/redis/x"]);
        Assert.Equal(1, Sent(1));
    }

    [Fact]
    public async Task S3_01_an_upload_that_was_begun_with_other_checksums_is_begun_anew()
    {
        _host.Add("s3", _bucket.Target(_host) with { Parallel = 1 });
        await StopAtPart(3);
        _host.Add("modern", _bucket.Target(_host) with { Checksums = S3Checksums.WhenSupported });
        await _host.Run(new BackupUpload(), Upload() with { Target = "modern" });
        Assert.Equal(_content, _bucket.Objects["/b/redis/x"]);
        Assert.Equal(2, Sent(1));
    }

    [Theory]
    [InlineData(9, true)]
    [InlineData(11, false)]
    public async Task The_completion_of_a_large_object_may_take_ten_minutes(int minutes, bool good)
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var host = new TestHost { Clock = clock };
        host.Add("s3", _bucket.Target(host) with { Retries = 0 });
        using var asked = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        _bucket.Refuse = r =>
        {
            if (IsComplete(r))
            {
                asked.Set();
                go.Wait(Hang.Limit);
            }
            return null;
        };
        var running = host.Run(new BackupUpload(), Upload(host));
        await Eventually.True(() => asked.IsSet, "the server was asked to put the parts together");
        clock.Advance(TimeSpan.FromMinutes(minutes));
        if (good)
        {
            go.Set();
            await running.WaitAsync(Hang.Limit, TimeProvider.System);
            return;
        }
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => running.WaitAsync(Hang.Limit, TimeProvider.System));
        Assert.Contains("nothing moved for 10m", failure.Message, StringComparison.Ordinal);
        go.Set();
    }

    [Fact]
    public async Task An_error_inside_a_good_answer_to_the_completion_is_an_error()
    {
        _host.Add("s3", _bucket.Target(_host));
        var first = 0;
        _bucket.Refuse = r => IsComplete(r) && first++ == 0 ? new(200, "<?xml version=\"1.0\"?>\n  \n<Error><Code>InternalError</Code><Message>Try again.</Message></Error>") : null;
        await _host.Run(new BackupUpload(), Upload());
        Assert.Equal(2, _bucket.Requests.Count(IsComplete));
        Assert.Equal(_content, _bucket.Objects["/b/redis/x"]);
    }

    [Fact]
    public async Task A_completion_whose_answer_was_lost_is_believed_when_the_object_is_there()
    {
        _host.Add("s3", _bucket.Target(_host));
        var first = 0;
        _bucket.Refuse = r =>
        {
            if (!IsComplete(r) || first++ > 0)
                return null;
            _bucket.Do(r);
            return StubBucket.Refusal(500, "InternalError");
        };
        await _host.Run(new BackupUpload(), Upload());
        Assert.Equal(_content, _bucket.Objects["/b/redis/x"]);
        Assert.Equal(1, Sent(1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_completion_that_the_server_forgot_is_not_believed_for_another_object_under_the_key(bool sameSize)
    {
        _host.Add("s3", _bucket.Target(_host));
        _bucket.Refuse = r =>
        {
            if (!IsComplete(r))
                return null;
            _bucket.Objects["/b/redis/x"] = Text(sameSize ? _content.Length : 7).ToLowerInvariant();
            return StubBucket.Refusal(404, "NoSuchUpload");
        };
        Assert.Contains("NoSuchUpload", (await _host.Fails(FailureClass.Transient, new BackupUpload(), Upload())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_put_together_before_a_crash_is_not_sent_again_when_only_its_manifest_is_missing()
    {
        _host.Add("s3", _bucket.Target(_host));
        await StopAtManifest();
        await _host.Run(new BackupUpload(), Upload());
        Assert.Equal(_content, _bucket.Objects["/b/redis/x"]);
        Assert.Contains("/b/" + BackupKey.Manifest("redis/x"), _bucket.Objects.Keys);
        Assert.Equal([1, 1, 1], Enumerable.Range(1, 3).Select(Sent));
        Assert.Empty(_host.Left);
    }

    [Theory]
    [InlineData("other", true)]
    [InlineData("shorter", true)]
    [InlineData("longer", true)]
    [InlineData("taken", false)]
    public async Task It_is_sent_anew_when_the_file_or_the_object_is_another_by_now(string what, bool begins)
    {
        _host.Add("s3", _bucket.Target(_host));
        await StopAtManifest();
        var now = what switch
        {
            "other" => _content[..^1] + "a",
            "shorter" => _content[..(6 << 20)],
            "longer" => _content + Text(6 << 20),
            _ => _content,
        };
        if (what == "taken")
            _bucket.Do(new("PUT", "/b/redis/x", new Dictionary<string, string>(), _content.ToLowerInvariant()));
        if (begins)
            await _host.Fails(FailureClass.Transient, new BackupUpload(), StubBucket.Backup(_host, now));
        await _host.Run(new BackupUpload(), StubBucket.Backup(_host, now));
        Assert.Equal(now, _bucket.Objects["/b/redis/x"]);
        Assert.Equal(2, Sent(1));
        Assert.Empty(_host.Left);
    }

    async Task StopAtManifest()
    {
        _bucket.Refuse = r => r.Method == "PUT" && r.Path.StartsWith("/b/" + BackupKey.Manifest("redis/x"), StringComparison.Ordinal) ? StubBucket.Refusal(403, "ExpiredToken") : null;
        await _host.Fails(FailureClass.Auth, new BackupUpload(), Upload());
        _bucket.Refuse = _ => null;
        Assert.Equal(_content, _bucket.Objects["/b/redis/x"]);
    }

    [Fact]
    public async Task A_list_that_says_there_is_more_and_not_where_is_a_failure_and_not_a_loop()
    {
        _host.Add("s3", _bucket.Target(_host) with { Retries = 0, Parallel = 1 });
        await StopAtPart(3);
        _bucket.Refuse = r => r.Method != "GET" ? null
            : r.Path.Contains("uploadId", StringComparison.Ordinal) ? new(200, "<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>")
            : r.Path.Contains("uploads", StringComparison.Ordinal) ? new(200, "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>")
            : null;
        var parts = await Assert.ThrowsAsync<StepFailedException>(() => _host.Run(new BackupUpload(), Upload()).WaitAsync(Hang.Limit, TimeProvider.System));
        Assert.Contains("The list of the parts of redis/x in s3://b/ broke off", parts.Message, StringComparison.Ordinal);
        await using var store = await _host.Context().Target<BackupTarget>("s3").Open(_host.Context());
        var uploads = await Assert.ThrowsAsync<StepFailedException>(() => store.OpenUploads("redis/", default).WaitAsync(Hang.Limit, TimeProvider.System));
        Assert.Contains("The list of uploads below redis/ in s3://b/ broke off", uploads.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(48, true)]
    public async Task An_upload_that_began_long_ago_is_abandoned_only_when_no_part_came_lately(int hoursSincePart, bool abandoned)
    {
        _host.Add("s3", _bucket.Target(_host));
        string Ago(int hours) => TimeProvider.System.GetUtcNow().AddHours(-hours).ToString("yyyy-MM-dd'T'HH:mm:ss'.000Z'", System.Globalization.CultureInfo.InvariantCulture);
        _bucket.Refuse = r => r.Method != "GET" ? null
            : r.Path.Contains("uploadId", StringComparison.Ordinal) ? new(200, $"<ListPartsResult><Part><PartNumber>1</PartNumber><LastModified>{Ago(hoursSincePart)}</LastModified><Size>1</Size><ETag>x</ETag></Part><IsTruncated>false</IsTruncated></ListPartsResult>")
            : r.Path.Contains("uploads", StringComparison.Ordinal) ? new(200, $"<ListMultipartUploadsResult><Upload><Key>redis/x</Key><UploadId>u1</UploadId><Initiated>{Ago(1000)}</Initiated></Upload><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
            : null;
        var prune = new BackupPruneOptions { Target = "s3", Prefix = "redis/", KeepDaily = 1 };
        if (abandoned)
            await _host.Run(new BackupPrune(), prune);
        else
            Assert.Contains("an upload of redis/x is under way", (await _host.Fails(FailureClass.Conflict, new BackupPrune(), prune)).Message, StringComparison.Ordinal);
        Assert.Equal(abandoned, _bucket.Requests.Any(r => r.Method == "DELETE"));
    }

    [Fact]
    public async Task A_list_of_objects_that_goes_on_where_it_was_is_a_failure_and_not_a_loop()
    {
        _host.Add("s3", _bucket.Target(_host) with { Retries = 0 });
        _bucket.Refuse = r => r.Path.Contains("list-type", StringComparison.Ordinal) ? new(200, "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken></ListBucketResult>") : null;
        await using var store = await _host.Context().Target<BackupTarget>("s3").Open(_host.Context());
        var failure = await Assert.ThrowsAsync<StepFailedException>(() => store.List("redis/", default).ToListAsync().AsTask().WaitAsync(Hang.Limit, TimeProvider.System));
        Assert.Contains("The list of redis/ in s3://b/ broke off", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, _bucket.Requests.Count);
    }

    async Task StopAtPart(int number)
    {
        _bucket.Refuse = r => IsPart(r, number) ? StubBucket.Refusal(403, "ExpiredToken") : null;
        await _host.Fails(FailureClass.Auth, new BackupUpload(), Upload());
        _bucket.Refuse = _ => null;
    }

    static bool IsComplete(StubRequest request) => request.Method == "POST" && request.Path.Contains("uploadId=", StringComparison.Ordinal);

    static bool IsPart(StubRequest request, int number) => request.Method == "PUT" && request.Path.Contains($"partNumber={number}&", StringComparison.Ordinal);

    int Sent(int part) => _bucket.Requests.Count(r => IsPart(r, part));

    IEnumerable<string> Pieces() => Enumerable.Range(0, 3).Select(i => _content[(i * (5 << 20))..Math.Min((i + 1) * (5 << 20), _content.Length)]);

    /// <summary>Letters that cannot be guessed from one another's place.</summary>
    static string Text(int length) => string.Create(length, new Random(length), (span, random) =>
    {
        for (var i = 0; i < span.Length; i++)
            span[i] = (char)('A' + random.Next(26));
    });

    BackupUploadOptions Upload(TestHost? host = null) => StubBucket.Backup(host ?? _host, _content);

    public void Dispose()
    {
        _host.Dispose();
        _bucket.Dispose();
    }
}
