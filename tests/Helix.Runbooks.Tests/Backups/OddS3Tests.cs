using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>Servers that a real one cannot be made to be: a stub that keeps small objects and refuses what the test says.</summary>
public sealed class OddS3Tests : IDisposable
{
    readonly TestHost _host = new();
    readonly ConcurrentDictionary<string, string> _objects = new();

    [Fact]
    public async Task S3_01_a_server_that_does_not_know_the_new_checksums_is_served_by_default_and_else_the_setting_is_named()
    {
        using var server = new HttpStub(r => r.Headers.Keys.Any(h => h.StartsWith("x-amz-checksum", StringComparison.OrdinalIgnoreCase) || h.Equals("x-amz-trailer", StringComparison.OrdinalIgnoreCase)) ? Refusal(400, "InvalidArgument") : Keep(r));
        await _host.Run(new BackupUpload(), Upload(Add("s3", server)));
        _host.SavedValues.Clear();
        Add("modern", server, t => t with { Checksums = S3Checksums.WhenSupported });
        var failure = await _host.Fails(FailureClass.InvalidData, new BackupUpload(), Upload("modern") with { Name = "other" });
        Assert.Contains("checksums: when-required", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_the_defaults_of_the_SDK_a_checksum_goes_with_every_body()
    {
        using var server = new HttpStub(Keep);
        Add("modern", server, t => t with { Checksums = S3Checksums.WhenSupported });
        await using var store = await _host.Context().Target<BackupTarget>("modern").Open(_host.Context());
        await store.Replace("redis/x", "content"u8.ToArray(), null, default);
        var put = server.Requests.Single(r => r.Method == "PUT");
        Assert.Contains(put.Headers.Keys, h => h.StartsWith("x-amz-checksum", StringComparison.OrdinalIgnoreCase) || h.Equals("x-amz-trailer", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task S3_03_a_server_that_wants_a_digest_gets_one()
    {
        using var server = new HttpStub(r => r.Method == "PUT" && !r.Headers.ContainsKey("Content-MD5") ? Refusal(400, "InvalidRequest") : Keep(r));
        await _host.Run(new BackupUpload(), Upload(Add("s3", server)));
    }

    [Fact]
    public async Task S3_17_a_server_that_keeps_fewer_bytes_than_were_sent_is_found_and_no_manifest_is_written()
    {
        using var server = new HttpStub(r => Keep(r.Method == "PUT" && !r.Path.EndsWith(".json", StringComparison.Ordinal) ? r with { Body = r.Body[..2] } : r));
        var failure = await _host.Fails(FailureClass.InvalidData, new BackupUpload(), Upload(Add("s3", server)));
        Assert.Contains("keeps 2 bytes", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_objects.Keys, k => k.EndsWith(".json", StringComparison.Ordinal));
    }

    [Fact]
    public async Task S3_18_a_server_that_shows_an_object_late_is_asked_again()
    {
        var looks = 0;
        using var server = new HttpStub(r => r.Method == "HEAD" && Interlocked.Increment(ref looks) <= 2 ? Refusal(404, "NoSuchKey") : Keep(r));
        await _host.Run(new BackupUpload(), Upload(Add("s3", server)));
        Assert.Contains(_host.Logged, l => l.Contains("does not show", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task A_server_that_names_the_digest_of_what_it_keeps_is_not_read_back_and_any_other_is(bool names, int reads)
    {
        using var server = new HttpStub(r => names ? Keep(r) : Keep(r) with { Headers = new Dictionary<string, string> { ["ETag"] = "\"9bb58f26192e4ba00f01e2e7b136bbd8-1\"" } });
        await _host.Run(new BackupUpload(), Upload(Add("s3", server)) with { ReadBack = null });
        Assert.Equal(reads, server.Requests.Count(r => r.Method == "GET" && r.Path == "/b/redis/x"));
    }

    [Fact]
    public async Task A_server_that_names_the_same_bytes_in_two_ways_is_believed_when_they_are_read_back()
    {
        using var server = new HttpStub(r => r.Method == "HEAD" && Keep(r) is { Status: 200 } kept ? kept with { Headers = new Dictionary<string, string> { ["ETag"] = "\"gateway-7\"" } } : Keep(r));
        await _host.Run(new BackupUpload(), Upload(Add("s3", server)) with { ReadBack = null });
        Assert.Equal(1, server.Requests.Count(r => r.Method == "GET" && r.Path == "/b/redis/x"));
        Assert.Contains(_objects.Keys, k => k.EndsWith(".json", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S3_17_a_server_that_keeps_other_bytes_than_were_sent_is_found_whatever_its_tags_say(bool names)
    {
        using var server = new HttpStub(r =>
        {
            var answer = Keep(r.Method == "PUT" && !r.Path.EndsWith(".json", StringComparison.Ordinal) ? r with { Body = r.Body.ToUpperInvariant() } : r);
            return names ? answer : answer with { Headers = new Dictionary<string, string> { ["ETag"] = "\"9bb58f26192e4ba00f01e2e7b136bbd8-1\"" } };
        });
        var failure = await _host.Fails(FailureClass.InvalidData, new BackupUpload(), Upload(Add("s3", server)) with { ReadBack = null });
        Assert.Contains("SHA-256", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_objects.Keys, k => k.EndsWith(".json", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(true, true)]
    [InlineData(null, false)]
    [InlineData(true, false)]
    public async Task The_signature_covers_a_digest_of_the_body(bool? signPayload, bool tls)
    {
        using var server = new HttpStub(Keep);
        using var front = new TlsFront(new Uri(server.Url).Port);
        await _host.Run(new BackupUpload(), Upload(Add("s3", server, t => t with { SignPayload = signPayload, Endpoint = tls ? front.Url : server.Url, CaFile = tls ? front.CaFile : null })));
        var put = server.Requests.First(r => r.Method == "PUT");
        Assert.Equal(signPayload == true ? Convert.ToHexStringLower(SHA256.HashData("content"u8)) : "UNSIGNED-PAYLOAD", Header(put, "x-amz-content-sha256"));
        Assert.Equal(Convert.ToBase64String(MD5.HashData("content"u8)), Header(put, "Content-MD5"));
        Assert.Contains("content-md5;", Header(put, "Authorization"), StringComparison.Ordinal);
    }

    static string Header(StubRequest request, string name) => request.Headers.Single(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    string Add(string name, HttpStub server, Func<S3Target, S3Target>? change = null)
    {
        _host.Add(name, (change ?? (t => t))(new S3Target
        {
            Bucket = "b",
            Endpoint = server.Url.TrimEnd('/'),
            Retries = 1,
            RetryDelay = new(TimeSpan.FromMilliseconds(10)),
            AccessKey = _host.Canary("ACCESS", "stub-access-key"),
            SecretKey = _host.Canary("SECRET", "stub-secret-key-1"),
        }));
        return name;
    }

    BackupUploadOptions Upload(string target) => StubBucket.Backup(_host, "content") with { Target = target };

    StubAnswer Keep(StubRequest request)
    {
        var path = request.Path.Split('?')[0];
        if (request.Method == "PUT")
            _objects[path] = request.Body;
        return !_objects.TryGetValue(path, out var body) ? Refusal(404, "NoSuchKey")
            : new(200, request.Method == "PUT" ? "" : body, new Dictionary<string, string> { ["ETag"] = $"\"{Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(body)))}\"" });
    }

    static StubAnswer Refusal(int status, string code) => new(status, $"<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");

    public void Dispose() => _host.Dispose();
}
