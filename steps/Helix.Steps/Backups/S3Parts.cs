using System.Text.Json.Nodes;
using Amazon.S3;
using Amazon.S3.Model;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Backups;

/// <summary>One multipart upload and what of it the server has already, also from an attempt before.</summary>
sealed class S3Parts
{
    readonly S3Calls _calls;
    readonly S3Target _target;
    readonly string _key;
    readonly UploadMemory _memory;
    readonly Dictionary<int, (long Size, string Tag)> _listed;

    /// <summary>An attempt before ended between the completion and the manifest: nothing can be added to the parts that became the object.</summary>
    readonly bool _joined;

    S3Parts(S3Calls calls, S3Target target, string key, UploadMemory memory, string id, Dictionary<int, (long Size, string Tag)> listed, bool joined = false) =>
        (_calls, _target, _key, _memory, Id, _listed, _joined) = (calls, target, key, memory, id, listed, joined);

    public string Id { get; }

    /// <summary>For people: throws away what was sent.</summary>
    public string AbortCommand =>
        $"aws s3api abort-multipart-upload --bucket {Shell.Quoted(_target.Bucket)} --key {Shell.Quoted(_key)} --upload-id {Shell.Quoted(Id)}{_target.EndpointOption}";

    /// <summary>Goes on with an upload that was left open, or begins one.</summary>
    public static async Task<S3Parts> Begin(S3Calls calls, S3Target target, string key, UploadMemory memory, bool ownKey, CancellationToken cancelled)
    {
        var checksum = target.LessChecksums ? null : S3Checksum.Algorithm;
        if (LeftOpen(memory, key) is { } left)
        {
            // An upload takes the checksums that were named when it began, and no others.
            if (memory.CanGoOn && (string?)memory.Saved("upload")!["checksum"] == checksum && await Left(calls, target, key, memory, left, cancelled) is { } before)
                return before;
            await S3Upload.Abort(calls, target, key, left, cancelled);
        }
        var id = await Initiate(calls, target, key, checksum, cancelled);
        var begun = new S3Parts(calls, target, key, memory, id, []);
        await memory.Leave(begun.Residue());
        await memory.Save("upload", new JsonObject { ["key"] = key, ["id"] = id, ["checksum"] = checksum });
        if (ownKey)
            await AbortOthers(calls, target, key, id, cancelled);
        return begun;
    }

    /// <summary>The upload of this key that an attempt before began; null: none that is known.</summary>
    public static string? LeftOpen(UploadMemory memory, string key) =>
        memory.Saved("upload") is JsonObject saved && (string?)saved["key"] == key ? (string?)saved["id"] : null;

    /// <summary>What an attempt before has sent: an open upload, or the object that it became.</summary>
    static async Task<S3Parts?> Left(S3Calls calls, S3Target target, string key, UploadMemory memory, string id, CancellationToken cancelled)
    {
        if (await Listed(calls, target, key, id, cancelled) is { } listed)
        {
            calls.Log($"going on with the upload of {key}: {listed.Count} parts are there");
            return new(calls, target, key, memory, id, listed.DistinctBy(p => p.PartNumber).ToDictionary(p => p.PartNumber ?? 0, p => (p.Size ?? 0, p.ETag)));
        }
        var sent = Sent(memory, id);
        if (sent.Count == 0 || await calls.Head(key, key, cancelled) is not { } there || !S3Part.AreWhole(sent, there.ContentLength, there.ETag))
            return null;
        calls.Log($"all {sent.Count} parts of {key} were put together before: it is there, and its manifest is not");
        return new(calls, target, key, memory, id, sent.ToDictionary(p => p.Tag.PartNumber!.Value, p => (p.Size, p.Tag.ETag)), joined: true);
    }

    /// <summary>The parts of an upload that were acknowledged, from the first on without a gap.</summary>
    static List<S3Part> Sent(UploadMemory memory, string id)
    {
        var parts = new List<S3Part>();
        while (memory.Saved($"part.{parts.Count + 1}") is JsonObject saved && (string?)saved["upload"] == id && (long?)saved["size"] is { } size)
            parts.Add(new(new(parts.Count + 1, (string)saved["tag"]!), new(Convert.FromHexString((string)saved["md5"]!)), size));
        return parts;
    }

    /// <summary>The next attempt begins a new upload.</summary>
    public Task Forget() => _memory.Save("upload", new JsonObject());

    /// <summary>A begin whose answer was lost, or that was not recorded before a crash, left an upload that nobody knows.</summary>
    static async Task AbortOthers(S3Calls calls, S3Target target, string key, string id, CancellationToken cancelled)
    {
        var open = await calls.Do($"the uploads of {key}", guard => calls.Client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = target.Bucket, Prefix = key }, guard.Token), cancelled);
        foreach (var other in (open.MultipartUploads ?? []).Where(u => u.Key == key && u.UploadId != id))
            await S3Upload.Abort(calls, target, key, other.UploadId, cancelled);
    }

    /// <summary>Sends a part, unless the server has exactly these bytes.</summary>
    public async Task<S3Part> Send(int number, PartBuffer body, CancellationToken cancelled)
    {
        var (length, digest) = (body.Length, body.Digest());
        var checksum = _target.LessChecksums ? null : body.Checksum();
        if (_listed.TryGetValue(number, out var there) && there.Size == length
            && _memory.Saved($"part.{number}") is JsonObject saved && (string?)saved["md5"] == digest.Hex && (string?)saved["tag"] == there.Tag && (string?)saved["upload"] == Id)
            return Acknowledged(there.Tag);
        if (_joined)
        {
            await Forget();
            throw StepFailedException.Transient($"{_key} was put together by an attempt before, of other bytes than those of now.", "The next attempt sends them all.");
        }
        var answer = await _calls.Do($"part {number} of {_key}", guard => _calls.Client.UploadPartAsync(Request(number, body, digest, checksum, guard), guard.Token), cancelled);
        await _memory.Save($"part.{number}", new JsonObject { ["upload"] = Id, ["md5"] = digest.Hex, ["tag"] = answer.ETag, ["size"] = length });
        return Acknowledged(answer.ETag);

        S3Part Acknowledged(string tag) => new(new(number, tag) { ChecksumCRC32 = checksum }, digest, length);
    }

    UploadPartRequest Request(int number, PartBuffer body, S3Digest digest, string? checksum, StallGuard guard)
    {
        var request = new UploadPartRequest
        {
            BucketName = _target.Bucket,
            Key = _key,
            UploadId = Id,
            PartNumber = number,
            PartSize = body.Length,
            InputStream = guard.Watch(body),
            UseChunkEncoding = _target.Chunks,
            DisableDefaultChecksumValidation = _target.LessChecksums,
            ChecksumCRC32 = checksum,
        };
        if (_calls.SendsDigest)
            request.MD5Digest = digest.Base64;
        return request;
    }

    static async Task<string> Initiate(S3Calls calls, S3Target target, string key, string? checksum, CancellationToken cancelled)
    {
        var like = new PutObjectRequest();
        S3Upload.Dress(like, target, calls);
        var request = new InitiateMultipartUploadRequest
        {
            BucketName = target.Bucket,
            Key = key,
            StorageClass = like.StorageClass,
            ServerSideEncryptionMethod = like.ServerSideEncryptionMethod,
            ServerSideEncryptionKeyManagementServiceKeyId = like.ServerSideEncryptionKeyManagementServiceKeyId,
            ObjectLockMode = like.ObjectLockMode,
            ObjectLockRetainUntilDate = like.ObjectLockRetainUntilDate,
            ChecksumAlgorithm = checksum is null ? null : new ChecksumAlgorithm(checksum),
        };
        return (await calls.Do($"the begin of {key}", guard => calls.Client.InitiateMultipartUploadAsync(request, guard.Token), cancelled)).UploadId;
    }

    /// <summary>When the last part of an open upload came; null: none, or the upload is not there any more.</summary>
    public static async Task<DateTimeOffset?> LastSent(S3Calls calls, S3Target target, string key, string id, CancellationToken cancelled) =>
        (await Listed(calls, target, key, id, cancelled))?.Max(p => p.LastModified?.ToUniversalTime());

    /// <returns>Null when the server does not know the upload any more.</returns>
    static async Task<List<PartDetail>?> Listed(S3Calls calls, S3Target target, string key, string id, CancellationToken cancelled)
    {
        var found = new List<PartDetail>();
        var request = new ListPartsRequest { BucketName = target.Bucket, Key = key, UploadId = id };
        var last = 0;
        try
        {
            while (true)
            {
                var page = await calls.Do($"the parts of {key}", async guard => await Known(calls.Client.ListPartsAsync(request, guard.Token)), cancelled);
                if (page is null)
                    return null;
                found.AddRange(page.Parts ?? []);
                if (page.IsTruncated != true)
                    return found;
                last = page.NextPartNumberMarker is { } next && next > last ? next : throw calls.BrokeOff($"the parts of {key}");
                request.PartNumberMarker = last.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            return null;
        }
    }

    static async Task<ListPartsResponse?> Known(Task<ListPartsResponse> asked)
    {
        try
        {
            return await asked;
        }
        catch (AmazonS3Exception e) when (e.ErrorCode == "NoSuchUpload")
        {
            return null;
        }
    }

    Residue Residue() => new()
    {
        Key = S3Upload.ResidueOf(_key),
        Kind = ResidueKind.OpenUpload,
        Target = _target.Name,
        What = $"parts of {_key} lie in bucket {_target.Bucket}",
        Command = AbortCommand,
    };
}
