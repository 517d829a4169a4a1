using System.Text.Json.Nodes;
using Amazon.S3;
using Amazon.S3.Model;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>One multipart upload and what of it the server has already, also from an attempt before.</summary>
sealed class S3Parts
{
    readonly S3Calls _calls;
    readonly S3Target _target;
    readonly string _key;
    readonly UploadMemory _memory;
    readonly Dictionary<int, (long Size, string Tag)> _listed;

    S3Parts(S3Calls calls, S3Target target, string key, UploadMemory memory, string id, Dictionary<int, (long Size, string Tag)> listed) =>
        (_calls, _target, _key, _memory, Id, _listed) = (calls, target, key, memory, id, listed);

    public string Id { get; }

    /// <summary>Goes on with an upload that was left open, or begins one.</summary>
    public static async Task<S3Parts> Begin(S3Calls calls, S3Target target, string key, UploadMemory memory, bool ownKey, CancellationToken cancelled)
    {
        var checksum = target.LessChecksums ? null : S3Checksum.Algorithm;
        if (memory.Saved("upload") is JsonObject saved && (string?)saved["key"] == key)
        {
            var left = (string)saved["id"]!;
            // An upload takes the checksums that were named when it began, and no others.
            if (memory.CanGoOn && (string?)saved["checksum"] == checksum && await Listed(calls, target, key, left, cancelled) is { } listed)
            {
                calls.Log($"going on with the upload of {key}: {listed.Count} parts are there");
                return new(calls, target, key, memory, left, listed);
            }
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

    /// <summary>A begin whose answer was lost, or that was not recorded before a crash, left an upload that nobody knows.</summary>
    static async Task AbortOthers(S3Calls calls, S3Target target, string key, string id, CancellationToken cancelled)
    {
        var open = await calls.Do($"the uploads of {key}", guard => calls.Client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = target.Bucket, Prefix = key }, guard.Token), cancelled);
        foreach (var other in (open.MultipartUploads ?? []).Where(u => u.Key == key && u.UploadId != id))
            await S3Upload.Abort(calls, target, key, other.UploadId, cancelled);
    }

    /// <summary>Sends a part, unless the server has exactly these bytes.</summary>
    public async Task<S3Part> Send(int number, byte[] buffer, int length, CancellationToken cancelled)
    {
        var digest = S3Digest.Of(buffer.AsSpan(0, length));
        var checksum = _target.LessChecksums ? null : S3Checksum.Of(buffer.AsSpan(0, length));
        if (_listed.TryGetValue(number, out var there) && there.Size == length
            && _memory.Saved($"part.{number}") is JsonObject saved && (string?)saved["md5"] == digest.Hex && (string?)saved["tag"] == there.Tag && (string?)saved["upload"] == Id)
            return Acknowledged(there.Tag);
        var answer = await _calls.Do($"part {number} of {_key}", guard => _calls.Client.UploadPartAsync(Request(number, buffer, length, digest, checksum, guard), guard.Token), cancelled);
        await _memory.Save($"part.{number}", new JsonObject { ["upload"] = Id, ["md5"] = digest.Hex, ["tag"] = answer.ETag });
        return Acknowledged(answer.ETag);

        S3Part Acknowledged(string tag) => new(new(number, tag) { ChecksumCRC32 = checksum }, digest, length);
    }

    UploadPartRequest Request(int number, byte[] buffer, int length, S3Digest digest, string? checksum, StallGuard guard)
    {
        var request = new UploadPartRequest
        {
            BucketName = _target.Bucket,
            Key = _key,
            UploadId = Id,
            PartNumber = number,
            PartSize = length,
            InputStream = guard.Watch(buffer, length),
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

    /// <returns>Null when the server does not know the upload any more.</returns>
    static async Task<Dictionary<int, (long, string)>?> Listed(S3Calls calls, S3Target target, string key, string id, CancellationToken cancelled)
    {
        var found = new Dictionary<int, (long, string)>();
        var request = new ListPartsRequest { BucketName = target.Bucket, Key = key, UploadId = id };
        var last = 0;
        try
        {
            while (true)
            {
                var page = await calls.Do($"the parts of {key}", async guard => await Known(calls.Client.ListPartsAsync(request, guard.Token)), cancelled);
                if (page is null)
                    return null;
                foreach (var part in page.Parts ?? [])
                    found[part.PartNumber ?? 0] = (part.Size ?? 0, part.ETag);
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
        Command = $"aws s3api abort-multipart-upload --bucket '{_target.Bucket}' --key '{_key}' --upload-id '{Id}'{_target.EndpointOption}",
    };
}
