using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>Objects of a bucket.</summary>
sealed class S3Store(S3Calls calls, S3Target target) : BackupStore
{
    bool? _locks;

    public override string Place => target.Place;

    public override Task<UploadStream> Create(string key, UploadHints hints, CancellationToken cancelled) =>
        Task.FromResult<UploadStream>(new S3Upload(calls, target, Full(key), hints, cancelled));

    public override async Task<Stream> Read(string key, long offset, long? length, CancellationToken cancelled)
    {
        if (length == 0)
            return new MemoryStream();
        var reading = new S3Reading(calls, target, Full(key), offset, length, cancelled);
        await reading.Open();
        return reading;
    }

    public override async Task<StoredObject?> Stat(string key, CancellationToken cancelled) =>
        await calls.Head(key, Full(key), cancelled) is { } head ? new StoredObject(key, head.ContentLength) { Tag = S3Digest.TagOf(head.ETag) } : null;

    public override async IAsyncEnumerable<StoredObject> List(string prefix, [EnumeratorCancellation] CancellationToken cancelled)
    {
        var request = new ListObjectsV2Request { BucketName = target.Bucket, Prefix = Full(prefix) };
        do
        {
            var page = await calls.Do($"the list of {prefix}", guard => calls.Client.ListObjectsV2Async(request, guard.Token), cancelled);
            foreach (var item in (page.S3Objects ?? []).Where(o => !BackupKey.IsHidden(Short(o.Key))))
                yield return new StoredObject(Short(item.Key), item.Size ?? 0);
            if (page.IsTruncated == true && (string.IsNullOrEmpty(page.NextContinuationToken) || page.NextContinuationToken == request.ContinuationToken))
                throw calls.BrokeOff(prefix);
            request.ContinuationToken = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (request.ContinuationToken is not null);
    }

    public override async Task<Deletion> Delete(string key, CancellationToken cancelled)
    {
        var answer = await calls.Do($"the deletion of {key}", guard => calls.Client.DeleteObjectAsync(new() { BucketName = target.Bucket, Key = Full(key) }, guard.Token), cancelled);
        return answer.DeleteMarker == "true" ? Deletion.Hidden : Deletion.Removed;
    }

    public override async Task<string?> HeldBy(string key, CancellationToken cancelled)
    {
        _locks ??= await Asked($"the lock of bucket {target.Bucket}", token => calls.Client.GetObjectLockConfigurationAsync(new() { BucketName = target.Bucket }, token), cancelled) is not null;
        if (_locks == false)
            return null;
        var hold = await Asked($"the hold on {key}", token => calls.Client.GetObjectLegalHoldAsync(new() { BucketName = target.Bucket, Key = Full(key) }, token), cancelled);
        if (hold?.LegalHold?.Status == ObjectLockLegalHoldStatus.On)
            return "legal hold";
        var kept = await Asked($"the lock of {key}", token => calls.Client.GetObjectRetentionAsync(new() { BucketName = target.Bucket, Key = Full(key) }, token), cancelled);
        var until = kept?.Retention?.RetainUntilDate?.ToUniversalTime();
        return until > calls.Time.GetUtcNow() ? $"lock until {until:u}" : null;
    }

    public override async Task<IReadOnlyList<OpenUpload>> OpenUploads(string prefix, CancellationToken cancelled)
    {
        var found = new List<OpenUpload>();
        var request = new ListMultipartUploadsRequest { BucketName = target.Bucket, Prefix = Full(prefix) };
        while (true)
        {
            var page = await calls.Do($"the list of uploads below {prefix}", guard => calls.Client.ListMultipartUploadsAsync(request, guard.Token), cancelled);
            found.AddRange((page.MultipartUploads ?? []).Select(u => new OpenUpload(Short(u.Key), u.UploadId, u.Initiated?.ToUniversalTime() ?? DateTimeOffset.MinValue)));
            if (page.IsTruncated != true)
                return found;
            if (string.IsNullOrEmpty(page.NextKeyMarker) || (page.NextKeyMarker, page.NextUploadIdMarker) == (request.KeyMarker, request.UploadIdMarker))
                throw calls.BrokeOff($"uploads below {prefix}");
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    public override async Task<DateTimeOffset> LastMoved(OpenUpload upload, CancellationToken cancelled) =>
        await S3Parts.LastSent(calls, target, Full(upload.Key), upload.Id, cancelled) ?? upload.Since;

    public override Task Abort(OpenUpload upload, CancellationToken cancelled) => S3Upload.Abort(calls, target, Full(upload.Key), upload.Id, cancelled);

    public override string ResidueOf(string key) => S3Upload.ResidueOf(Full(key));

    public override async Task<(byte[] Bytes, string Tag)?> ReadSmall(string key, CancellationToken cancelled)
    {
        try
        {
            return await calls.Do(key, async guard =>
            {
                using var answer = await calls.Client.GetObjectAsync(new() { BucketName = target.Bucket, Key = Full(key) }, guard.Token);
                using var bytes = new MemoryStream();
                await answer.ResponseStream.CopyToAsync(bytes, guard.Token);
                if (bytes.Length != answer.ContentLength)
                    throw new IOException($"{bytes.Length} bytes came instead of {answer.ContentLength}");
                return ((byte[], string)?)(bytes.ToArray(), answer.ETag);
            }, cancelled);
        }
        catch (StepFailedException e) when (S3Calls.IsNoSuchKey(e))
        {
            return null;
        }
    }

    public override async Task Replace(string key, ReadOnlyMemory<byte> bytes, string? tag, CancellationToken cancelled)
    {
        var body = bytes.ToArray();
        await Put(key, body, tag, cancelled);
        if (await IsKept(key, body, tag, cancelled))
            return;
        calls.Log($"{Place} took {key} and does not hold it; it is sent once more.");
        await Put(key, body, tag, cancelled);
        if (!await IsKept(key, body, tag, cancelled))
            throw StepFailedException.Transient($"{Place} took {key} twice and does not hold it.", "What the store acknowledges is not there afterwards: look at its own state before more is entrusted to it.");
    }

    /// <summary>An acknowledged manifest that is not there would be a run that succeeds without a backup: it is read again.</summary>
    /// <returns>False: nothing is there, or what was there before.</returns>
    async Task<bool> IsKept(string key, byte[] body, string? before, CancellationToken cancelled)
    {
        var there = await new LateAnswers(Place, calls.Time, calls.Log).Wait(key, async () =>
            await ReadSmall(key, cancelled) is var (bytes, tag) && (tag != before || bytes.AsSpan().SequenceEqual(body)) ? bytes : null, cancelled);
        // On top of what was replaced somebody may have put another change by now; of the first there is no other.
        return there is not null && (before is not null || there.AsSpan().SequenceEqual(body) ? true
            : throw StepFailedException.Conflict($"{key} in {Place} is not what was written there a moment ago.", "Somebody changed it, or the store damages what it keeps: look at it."));
    }

    async Task Put(string key, byte[] body, string? tag, CancellationToken cancelled)
    {
        // What says which backups there are is read at every look: it never lies in an archive, whatever the class of the objects.
        var ready = target with { StorageClass = null };
        try
        {
            await calls.Do(key, guard =>
            {
                var request = new PutObjectRequest { BucketName = target.Bucket, Key = Full(key), InputStream = guard.Watch(PartBuffer.Of(body)), ContentType = "application/json", MD5Digest = calls.SendsDigest ? S3Digest.Of(body).Base64 : null };
                if (tag is null)
                    request.IfNoneMatch = "*";
                else
                    request.IfMatch = target.Endpoint is null ? tag : tag.Trim('"'); // Ceph takes the quotes for a part of the tag
                S3Upload.Dress(request, ready, calls);
                return calls.Client.PutObjectAsync(request, guard.Token);
            }, cancelled);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Conflict || S3Calls.IsNoSuchKey(e))
        {
            // The answer to a first try may have been lost: then it is our own bytes that stand in the way.
            if (await ReadSmall(key, cancelled) is not var (there, _) || !there.AsSpan().SequenceEqual(body))
                throw new StepFailedException(FailureClass.Conflict, $"{key} in {Place} was changed by somebody else meanwhile.", "Try again; the other change is kept.", e);
        }
    }

    public override ValueTask DisposeAsync()
    {
        calls.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Null where the answer is that there is no such setting.</summary>
    async Task<T?> Asked<T>(string what, Func<CancellationToken, Task<T>> ask, CancellationToken cancelled) where T : class
    {
        try
        {
            return await calls.Do(what, guard => ask(guard.Token), cancelled);
        }
        catch (StepFailedException e) when (e.InnerException is AmazonS3Exception { ErrorCode: "ObjectLockConfigurationNotFoundError" or "NoSuchObjectLockConfiguration" or "NoSuchKey" or "InvalidRequest" or "NotImplemented" or "MethodNotAllowed" })
        {
            return null;
        }
    }

    string Full(string key) => target.Prefix + key;

    string Short(string key) => key[target.Prefix.Length..];
}
