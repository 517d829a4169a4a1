using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Security;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Http;
using Helix.Steps.Backups;

namespace Helix.Runbooks.Tests.Backups;

/// <summary>A stub of a bucket that holds small objects of ASCII, whole or in parts, and is as strict about checksums as Amazon's documentation says.</summary>
sealed class StubBucket : IDisposable
{
    readonly HttpStub _http;
    readonly ConcurrentDictionary<string, Upload> _uploads = new();
    int _begun;

    public StubBucket() => _http = new HttpStub(r => Refuse(r) ?? Answer(r));

    public string Url => _http.Url;
    public IReadOnlyList<StubRequest> Requests => [.. _http.Requests];
    public int Connections => _http.Connections;
    public ConcurrentDictionary<string, string> Objects { get; } = new();

    /// <summary>Gives another answer instead; null: the bucket's own.</summary>
    public Func<StubRequest, StubAnswer?> Refuse { get; set; } = _ => null;

    /// <summary>What the server would have done, for a test that loses its answer.</summary>
    public StubAnswer Do(StubRequest request) => Answer(request);

    public S3Target Target(TestHost host) => new()
    {
        Bucket = "b",
        Endpoint = Url.TrimEnd('/'),
        Retries = 1,
        RetryDelay = new(TimeSpan.FromMilliseconds(10)),
        PartSize = new(5 << 20),
        AccessKey = host.Canary("ACCESS", "stub-access-key"),
        SecretKey = host.Canary("SECRET", "stub-secret-key-1"),
    };

    /// <summary>This content as it is, as the object redis/x of the target s3.</summary>
    public static BackupUploadOptions Backup(TestHost host, string content) => new()
    {
        Target = "s3",
        File = host.Write("dump", Encoding.ASCII.GetBytes(content)),
        Prefix = "redis/",
        Name = "x",
        Kind = "k",
        RecoveryPoint = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
        Compression = Helix.Steps.Files.Compression.None,
        ReadBack = false,
    };

    public static StubAnswer Refusal(int status, string code) => new(status, $"<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");

    public static string? Header(StubRequest request, string name) => request.Headers.GetValueOrDefault(name);

    public static string Crc32Of(string text)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Crc32.HashToUInt32(Encoding.ASCII.GetBytes(text)));
        return Convert.ToBase64String(bytes);
    }

    StubAnswer Answer(StubRequest request)
    {
        var (path, query) = (request.Path.Split('?')[0], Query(request));
        return (request.Method, query) switch
        {
            ("POST", _) when query.ContainsKey("uploads") => Begin(request, path),
            ("PUT", _) when query.ContainsKey("partNumber") => Part(request, query),
            ("POST", _) when query.ContainsKey("uploadId") => Complete(request, path, query),
            ("DELETE", _) when query.ContainsKey("uploadId") => _uploads.TryRemove(query["uploadId"], out _) ? new(204) : Refusal(404, "NoSuchUpload"),
            ("GET", _) when query.ContainsKey("uploadId") => Listed(query),
            ("GET", _) when query.ContainsKey("uploads") => new(200, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"),
            ("GET", _) when query.ContainsKey("list-type") => List(Uri.UnescapeDataString(query["prefix"])),
            ("PUT", _) => Put(request, path),
            ("DELETE", _) => Objects.TryRemove(path, out _) ? new(204) : new(204),
            _ => Objects.TryGetValue(path, out var body) ? Told(body) : Refusal(404, "NoSuchKey"),
        };
    }

    StubAnswer List(string prefix) =>
        new(200, $"<ListBucketResult>{string.Concat(Objects.Where(o => o.Key.StartsWith($"/b/{prefix}", StringComparison.Ordinal)).Select(o => $"<Contents><Key>{o.Key["/b/".Length..]}</Key><Size>{o.Value.Length}</Size></Contents>"))}<IsTruncated>false</IsTruncated></ListBucketResult>");

    StubAnswer Put(StubRequest request, string path)
    {
        var there = Objects.GetValueOrDefault(path);
        if ((Header(request, "If-None-Match") == "*" && there is not null) || (Header(request, "If-Match") is { } tag && (there is null || tag.Trim('"') != Md5(there))))
            return Refusal(412, "PreconditionFailed");
        Objects[path] = Body(request, out _);
        Tags.TryRemove(path, out _);
        return Told(Objects[path]) with { Body = "" };
    }

    StubAnswer Begin(StubRequest request, string path)
    {
        var id = $"u{Interlocked.Increment(ref _begun)}";
        _uploads[id] = new(Header(request, "x-amz-checksum-algorithm"));
        return new(200, $"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{SecurityElement.Escape(path)}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
    }

    StubAnswer Part(StubRequest request, Dictionary<string, string> query)
    {
        if (!_uploads.TryGetValue(query["uploadId"], out var upload))
            return Refusal(404, "NoSuchUpload");
        var body = Body(request, out var trailer);
        var crc = Header(request, "x-amz-checksum-crc32") ?? trailer;
        if (crc is not null && crc != Crc32Of(body))
            return Refusal(400, "BadDigest");
        if (upload.Promised is not null && crc is null)
            return Refusal(400, "InvalidRequest");
        upload.Parts[int.Parse(query["partNumber"], System.Globalization.CultureInfo.InvariantCulture)] = (body, crc);
        return new(200, "", new Dictionary<string, string> { ["ETag"] = $"\"{Md5(body)}\"" });
    }

    /// <summary>A part that came with a checksum is the part that is meant only where the list names it too: also where the begin promised none.</summary>
    StubAnswer Complete(StubRequest request, string path, Dictionary<string, string> query)
    {
        if (!_uploads.TryGetValue(query["uploadId"], out var upload))
            return Refusal(404, "NoSuchUpload");
        var named = XDocument.Parse(request.Body).Root!.Elements().ToDictionary(p => (int)Child(p, "PartNumber")!, p => ((string)Child(p, "ETag")!, (string?)Child(p, "ChecksumCRC32")));
        foreach (var (number, (tag, crc)) in named)
            if (!upload.Parts.TryGetValue(number, out var part) || tag.Trim('"') != Md5(part.Body) || crc != part.Crc)
                return Refusal(400, "InvalidPart");
        var bodies = named.Keys.Order().Select(n => upload.Parts[n].Body).ToList();
        Objects[path] = string.Concat(bodies);
        _uploads.TryRemove(query["uploadId"], out _);
        var tags = MD5.HashData([.. bodies.SelectMany(b => MD5.HashData(Encoding.ASCII.GetBytes(b)))]);
        Tags[path] = $"{Convert.ToHexStringLower(tags)}-{bodies.Count}";
        return new(200, $"<?xml version=\"1.0\"?>\n<CompleteMultipartUploadResult><Key>{SecurityElement.Escape(path)}</Key><ETag>\"{Tags[path]}\"</ETag></CompleteMultipartUploadResult>");
    }

    StubAnswer Listed(Dictionary<string, string> query) => !_uploads.TryGetValue(query["uploadId"], out var upload) ? Refusal(404, "NoSuchUpload")
        : new(200, $"<ListPartsResult>{string.Concat(upload.Parts.Select(p => $"<Part><PartNumber>{p.Key}</PartNumber><Size>{p.Value.Body.Length}</Size><ETag>\"{Md5(p.Value.Body)}\"</ETag></Part>"))}<IsTruncated>false</IsTruncated></ListPartsResult>");

    ConcurrentDictionary<string, string> Tags { get; } = new();

    StubAnswer Told(string body) =>
        new(200, body, new Dictionary<string, string> { ["ETag"] = $"\"{Tags.FirstOrDefault(t => ReferenceEquals(Objects.GetValueOrDefault(t.Key), body)).Value ?? Md5(body)}\"" });

    /// <summary>Without the frame of a body that is signed in chunks, which ends with the checksum where there is one.</summary>
    static string Body(StubRequest request, out string? trailer)
    {
        trailer = null;
        if (Header(request, "x-amz-decoded-content-length") is null)
            return request.Body;
        var text = new StringBuilder();
        for (var at = 0; ;)
        {
            var line = request.Body.IndexOf("\r\n", at, StringComparison.Ordinal);
            var size = Convert.ToInt32(request.Body[at..line].Split(';')[0], 16);
            at = line + 2;
            text.Append(request.Body, at, size);
            if (size == 0)
            {
                trailer = request.Body[at..].Split("\r\n").FirstOrDefault(l => l.StartsWith("x-amz-checksum-crc32:", StringComparison.Ordinal))?.Split(':')[1];
                return text.ToString();
            }
            at += size + 2;
        }
    }

    static XElement? Child(XElement of, string name) => of.Elements().FirstOrDefault(e => e.Name.LocalName == name);

    static string Md5(string text) => Convert.ToHexStringLower(MD5.HashData(Encoding.ASCII.GetBytes(text)));

    static Dictionary<string, string> Query(StubRequest request) =>
        (request.Path.Split('?') is [_, var query] ? query : "").Split('&').Select(p => p.Split('=')).ToDictionary(p => p[0], p => p.ElementAtOrDefault(1) ?? "");

    public void Dispose() => _http.Dispose();

    sealed record Upload(string? Promised)
    {
        public SortedDictionary<int, (string Body, string? Crc)> Parts { get; } = [];
    }
}
