using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>A real S3 server behind a proxy that breaks things: each ends in a good backup or in a clear failure, with nothing half-done visible.</summary>
public sealed class S3FaultTests(CephS3 ceph) : IAsyncLifetime
{
    const int Size = 17_000_003; // four parts of 5 MiB

    static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    readonly TestHost _host = new();
    readonly byte[] _content = new byte[Size];
    FaultProxy _proxy = null!;
    string _old = "";

    public async ValueTask InitializeAsync()
    {
        new Random(5).NextBytes(_content);
        await ceph.Started();
        _proxy = new FaultProxy(ceph.Endpoint);
        var target = await ceph.Bucket(_host, _proxy.Endpoint);
        _host.Add("s3", target with { PartSize = new(5 << 20), RetryDelay = new(TimeSpan.FromMilliseconds(10)), Retries = 3, Stall = new(TimeSpan.FromSeconds(30)) });
        _old = (await _host.Run(new BackupUpload(), Upload("old", [1, 2, 3]) with { RecoveryPoint = Noon.AddHours(-1) })).Key;
        _host.SavedValues.Clear();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(5_242_879)]
    public async Task A_part_that_is_cut_off_at_any_byte_is_sent_again(int at)
    {
        Once(r => r is { IsPart: true, Part: 2 }, new(FaultKind.CutRequest, at));
        await UploadIsGood();
    }

    [Theory]
    [InlineData("part")]
    [InlineData("complete")]
    [InlineData("begin")]
    [InlineData("manifest")]
    public async Task An_answer_that_is_lost_does_no_harm(string which)
    {
        Once(r => which switch
        {
            "part" => r is { IsPart: true, Part: 3 },
            "complete" => r.IsComplete,
            "begin" => r.Method == "POST" && r.Path.EndsWith("?uploads", StringComparison.Ordinal),
            _ => r.Method == "PUT" && r.Path.EndsWith(BackupManifest.Suffix, StringComparison.Ordinal),
        }, new(FaultKind.CutAnswer, 0));
        await UploadIsGood();
    }

    [Theory]
    [InlineData(500, "InternalError")]
    [InlineData(503, "SlowDown")]
    [InlineData(503, "ServiceUnavailable")]
    [InlineData(400, "RequestTimeout")]
    [InlineData(429, "TooManyRequests")]
    public async Task A_storm_of_refusals_that_ends_is_sat_out(int status, string code)
    {
        _proxy.Rule = r => r.Number % 3 == 0 ? new(FaultKind.Answer, 0, status, code) : null;
        await UploadIsGood();
    }

    [Fact]
    public async Task A_server_that_comes_up_late_is_waited_for()
    {
        _proxy.Requests.Clear();
        _proxy.Rule = r => _proxy.Requests.Count <= 3 ? new(FaultKind.CutRequest, 0) : null;
        await UploadIsGood();
    }

    [Fact]
    public async Task S3_06_no_single_request_carries_a_large_object_in_an_upload_or_a_copy()
    {
        await UploadIsGood();
        _host.SavedValues.Clear();
        _host.Add("elsewhere", _host.Context().Target<S3Target>("s3") with { Prefix = "elsewhere/" });
        await _host.Run(new BackupCopy(), new() { From = "s3", To = "elsewhere", Prefix = "redis/", Backup = "latest" });
        var objects = _proxy.Requests.Where(r => r.Method == "PUT" && r.Path.Contains("new", StringComparison.Ordinal) && !r.Path.Contains(BackupManifest.Suffix, StringComparison.Ordinal)).ToList();
        Assert.True(objects.Count >= 8, "two times four parts");
        Assert.All(objects, r => Assert.True(r.IsPart, r.Path));
    }

    [Fact]
    public async Task A_storm_that_does_not_end_is_a_transient_failure_and_latest_stays()
    {
        _proxy.Rule = r => r is { IsPart: true, Part: 3 } ? new(FaultKind.Answer) : null;
        var failure = await _host.Fails(FailureClass.Transient, new BackupUpload(), Upload("new", _content));
        Assert.Contains("SlowDown", failure.Message, StringComparison.Ordinal);
        await NothingNew();
        Assert.Equal(ResidueKind.OpenUpload, Assert.Single(_host.Left).Kind);
    }

    [Fact]
    public async Task A_request_on_which_nothing_moves_is_given_up_and_sent_again()
    {
        _host.Add("hasty", _host.Context().Target<S3Target>("s3") with { Stall = new(TimeSpan.FromSeconds(4)), Retries = 20 });
        Once(r => r is { IsPart: true, Part: 2 }, new(FaultKind.Stall));
        await UploadIsGood("hasty");
        Assert.Contains(_host.Logged, l => l.Contains("nothing moved for 4s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Credentials_that_run_out_in_the_middle_stop_the_step_and_a_resume_sends_only_what_is_missing()
    {
        _proxy.Rule = r => r is { IsPart: true, Part: >= 3 } ? new(FaultKind.Answer, 0, 403, "ExpiredToken") : null;
        Assert.Contains("ran out", (await _host.Fails(FailureClass.Auth, new BackupUpload(), Upload("new", _content))).Message, StringComparison.Ordinal);
        await NothingNew();
        _proxy.Requests.Clear();
        _proxy.Rule = _ => null;
        await UploadIsGood();
        Assert.DoesNotContain(_proxy.Requests, r => r is { IsPart: true, Part: 1 or 2 });
        Assert.Equal([3, 4], _proxy.Requests.Where(r => r.IsPart).Select(r => r.Part).Order());
        Assert.Empty(_host.Left);
    }

    [Fact]
    public async Task A_source_that_changed_before_the_resume_is_sent_anew_where_it_changed()
    {
        _proxy.Rule = r => r is { IsPart: true, Part: >= 3 } ? new(FaultKind.Answer, 0, 403, "ExpiredToken") : null;
        await _host.Fails(FailureClass.Auth, new BackupUpload(), Upload("new", _content));
        _content[0] ^= 1;
        _proxy.Requests.Clear();
        _proxy.Rule = _ => null;
        await UploadIsGood();
        Assert.Equal([1, 3, 4], _proxy.Requests.Where(r => r.IsPart).Select(r => r.Part).Order());
    }

    [Fact]
    public async Task An_upload_that_the_server_forgot_meanwhile_begins_anew()
    {
        _proxy.Rule = r => r is { IsPart: true, Part: >= 3 } ? new(FaultKind.Answer, 0, 403, "ExpiredToken") : null;
        await _host.Fails(FailureClass.Auth, new BackupUpload(), Upload("new", _content));
        _proxy.Rule = _ => null;
        await using (var store = await _host.Context().Target<BackupTarget>("s3").Open(_host.Context()))
            await store.Abort(Assert.Single(await store.OpenUploads("redis/", default)), default);
        await UploadIsGood();
    }

    [Fact]
    public async Task Bytes_that_are_changed_on_the_way_are_refused_by_the_server_and_sent_again()
    {
        Once(r => r is { IsPart: true, Part: 2 }, new(FaultKind.FlipRequest, 12_345));
        await UploadIsGood();
    }

    [Fact]
    public async Task A_part_that_was_acknowledged_and_lost_is_found_and_a_retry_sends_it_again()
    {
        Once(r => r is { IsPart: true, Part: 2 }, new(FaultKind.Swallow));
        await _host.Fails(FailureClass.Transient, new BackupUpload(), Upload("new", _content));
        await NothingNew();
        _proxy.Requests.Clear();
        await UploadIsGood();
        Assert.Equal([2], _proxy.Requests.Where(r => r.IsPart).Select(r => r.Part));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task What_was_sent_in_parts_is_proven_by_the_tag_of_the_whole_and_read_back_only_where_there_is_none(bool hides, int reads)
    {
        if (hides)
            Once(r => r.Method == "HEAD" && _proxy.Requests.Any(before => before.IsComplete && before.Path.Contains("/redis/new", StringComparison.Ordinal)), new(FaultKind.Answer, 0, 404, "NoSuchKey"));
        await _host.Run(new BackupUpload(), Upload("new", _content) with { ReadBack = null });
        Assert.Equal(reads, _proxy.Requests.Count(r => r.Method == "GET" && r.Path.EndsWith("/redis/new", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task S3_08_a_drifted_clock_is_named_with_the_difference_and_there_is_no_storm()
    {
        _proxy.Requests.Clear();
        _proxy.Rule = _ => new(FaultKind.Answer, 0, 403, "RequestTimeTooSkewed");
        var failure = await _host.Fails(FailureClass.Auth, new BackupUpload(), Upload("new", [1]));
        Assert.Matches(@"the clock of this machine differs from that of .* by 20 minutes", failure.Message);
        Assert.True(_proxy.Requests.Count <= 2, $"{_proxy.Requests.Count} requests");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(77)]
    [InlineData(1_000_000)]
    public async Task A_download_that_breaks_at_any_byte_goes_on_there(int at)
    {
        await UploadIsGood();
        _host.SavedValues.Clear();
        var left = 3;
        _proxy.Rule = r => r.Method == "GET" && r.Path.EndsWith("new", StringComparison.Ordinal) && Interlocked.Decrement(ref left) >= 0 ? new(FaultKind.CutAnswer, at) : null;
        Assert.Equal(_content, File.ReadAllBytes((await Download()).File));
    }

    [Fact]
    public async Task Bytes_that_are_changed_on_the_way_back_are_fetched_again_and_never_believed()
    {
        await UploadIsGood();
        _host.SavedValues.Clear();
        Once(r => r.Method == "GET" && r.Path.EndsWith("new", StringComparison.Ordinal), new(FaultKind.FlipAnswer, 1234));
        Assert.Equal(_content, File.ReadAllBytes((await Download()).File));
        File.Delete(Path.Combine(_host.Work, "fetched"));
        _proxy.Rule = r => r.Method == "GET" && r.Path.EndsWith("new", StringComparison.Ordinal) ? new(FaultKind.FlipAnswer, 1234) : null;
        await _host.Fails(FailureClass.InvalidData, new BackupDownload(), DownloadOptions());
        Assert.Empty(Directory.EnumerateFiles(_host.Work, "*fetched*").Concat(Directory.EnumerateFiles(_host.Work, ".*")));
    }

    [Fact]
    public async Task A_download_that_was_stopped_fetches_only_the_ranges_that_are_missing()
    {
        await UploadIsGood();
        _host.SavedValues.Clear();
        // 17 MB are two ranges; the second is refused.
        _proxy.Rule = r => null;
        var ranges = 0;
        _proxy.Rule = r => r.Method == "GET" && r.Path.EndsWith("new", StringComparison.Ordinal) && Interlocked.Increment(ref ranges) > 1 ? new(FaultKind.Answer, 0, 403, "ExpiredToken") : null;
        await _host.Fails(FailureClass.Auth, new BackupDownload(), DownloadOptions());
        Assert.False(File.Exists(Path.Combine(_host.Work, "fetched")));
        var had = _host.SavedValues.Keys.Count(k => k.StartsWith("range.", StringComparison.Ordinal));
        _proxy.Rule = _ => null;
        _proxy.Requests.Clear();
        Assert.Equal(_content, File.ReadAllBytes((await Download()).File));
        Assert.Equal(2 - had, _proxy.Requests.Count(r => r.Method == "GET" && r.Path.EndsWith("new", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_listing_that_breaks_off_is_a_failure_and_never_a_short_list()
    {
        _proxy.Rule = r => r.Path.Contains("list-type=2", StringComparison.Ordinal) ? new(FaultKind.CutAnswer, 60) : null;
        await _host.Fails(FailureClass.Transient, new BackupVerify(), new() { Target = "s3", Prefix = "redis/" });
        await _host.Fails(FailureClass.Transient, new BackupPrune(), new() { Target = "s3", Prefix = "redis/", KeepDaily = 1 });
    }

    void Once(Func<ProxiedRequest, bool> which, Fault fault)
    {
        var done = 0;
        _proxy.Rule = r => which(r) && Interlocked.Exchange(ref done, 1) == 0 ? fault : null;
    }

    async Task UploadIsGood(string target = "s3")
    {
        var up = await _host.Run(new BackupUpload(), Upload("new", _content) with { Target = target });
        _proxy.Rule = _ => null;
        await using var store = await _host.Context().Target<BackupTarget>("s3").Open(_host.Context());
        var latest = await new BackupSeries(store, "redis/").Select("latest", Noon);
        Assert.Equal(up.Key, latest.Key);
        await BackupReader.ReadAll(store, latest, new());
        Assert.Equal(Size, latest.Content.Size);
        Assert.Empty(await store.OpenUploads("redis/", default));
    }

    async Task NothingNew()
    {
        _proxy.Rule = _ => null;
        await using var store = await _host.Context().Target<BackupTarget>("s3").Open(_host.Context());
        Assert.Equal(_old, (await new BackupSeries(store, "redis/").Select("latest", Noon)).Key);
        Assert.Null(await store.Stat("redis/new", default));
    }

    BackupUploadOptions Upload(string name, byte[] content) => new()
    {
        Target = "s3",
        File = _host.Write("dump", content),
        Prefix = "redis/",
        Name = name,
        Kind = "redis.rdb",
        RecoveryPoint = Noon,
        Compression = Helix.Steps.Files.Compression.None,
        ReadBack = false,
    };

    BackupDownloadOptions DownloadOptions() => new() { Target = "s3", Prefix = "redis/", Backup = "latest", To = Path.Combine(_host.Work, "fetched") };

    Task<BackupDownloadOutputs> Download() => _host.Run(new BackupDownload(), DownloadOptions());

    public ValueTask DisposeAsync()
    {
        _host.AssertNoCanary();
        _proxy.Dispose();
        _host.Dispose();
        return ValueTask.CompletedTask;
    }
}
