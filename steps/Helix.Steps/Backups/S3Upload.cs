using System.Collections.Concurrent;
using Amazon.S3;
using Amazon.S3.Model;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Backups;

/// <summary>One object on its way into a bucket: parts in parallel, in bounded memory; one request when it fits into one part.</summary>
sealed class S3Upload : UploadStream
{
    /// <summary>S3 takes minutes to put thousands of parts together, and sends nothing but spaces meanwhile.</summary>
    static readonly TimeSpan LongestCompletion = TimeSpan.FromMinutes(10);

    readonly S3Calls _calls;
    readonly S3Target _target;
    readonly string _key;
    readonly UploadMemory _memory;
    readonly bool _ownKey;
    readonly PartSizes _sizes;
    readonly CancellationTokenSource _stop;
    readonly string _spool;
    readonly ConcurrentBag<PartBuffer> _free = [];
    readonly SortedDictionary<int, Task<S3Part>> _parts = [];
    readonly List<Task<S3Part>> _running = [];
    S3Parts? _known;
    PartBuffer? _filling;
    long _started;
    string? _tag;
    bool _ended, _committed, _confirmed;

    /// <summary>The server was asked to make the object visible: it may have done so also where no answer came.</summary>
    bool _committing;

    public S3Upload(S3Calls calls, S3Target target, string key, UploadHints hints, CancellationToken cancelled)
    {
        (_calls, _target, _key, _memory, _ownKey, _spool) = (calls, target, key, hints.Memory, hints.OwnKey, hints.Spool);
        _sizes = new(target.PartSize.Bytes, hints.LargestSize, hints.Shrinks);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            if (_filling is not { Room: > 0 })
                await NextBuffer();
            var length = (int)Math.Min(buffer.Length, _filling!.Room);
            await _filling.Add(buffer[..length], cancellationToken);
            buffer = buffer[length..];
        }
    }

    public override bool Confirmed => _confirmed;

    public override string? Tag => _tag;

    /// <summary>What is left of an upload is told of until the manifest is written: without it nobody would look for the object.</summary>
    public static string ResidueOf(string key) => $"upload:{key}";

    public override async Task Commit(CancellationToken cancelled)
    {
        if (_parts.Count == 0)
        {
            if (S3Parts.LeftOpen(_memory, _key) is { } left)
                await Abort(_calls, _target, _key, left, cancelled);
            await PutWhole(cancelled);
        }
        else
            await Complete(cancelled);
        _ended = true;
    }

    public override async Task Abandon(CancellationToken cancelled)
    {
        _ended = true;
        await _stop.CancelAsync();
        await Settled();
        // One that an attempt before left open is told of by the same residue.
        if (!_committed && (_known?.Id ?? S3Parts.LeftOpen(_memory, _key)) is { } open)
            await Abort(_calls, _target, _key, open, cancelled);
        // What was already committed turned out to be wrong.
        if (_committing && await IsOurs(cancelled))
            await _calls.Do($"the deletion of {_key}", guard => _calls.Client.DeleteObjectAsync(new() { BucketName = _target.Bucket, Key = _key }, guard.Token), cancelled);
        await _memory.TakeBack(ResidueOf(_key));
    }

    /// <summary>Under the key lies what this upload made, as far as the server tells, and nobody has made a backup of it.</summary>
    async Task<bool> IsOurs(CancellationToken cancelled) =>
        await _calls.Head(_key, _key, cancelled) is { } there
        && (_tag is null || S3Digest.TagOf(there.ETag) == _tag)
        && await _calls.Head(BackupKey.Manifest(_key), BackupKey.Manifest(_key), cancelled) is null;

    public override async ValueTask DisposeAsync()
    {
        try
        {
            if (!_ended && !_memory.CanGoOn)
                await Abandon(CancellationToken.None);
        }
        catch (StepFailedException e)
        {
            // What went wrong before is what must be known; the residue still tells of what was sent.
            _calls.Log($"What was sent of {_key} could not be removed: {e.Message}");
        }
        await _stop.CancelAsync();
        await Settled();
        _filling?.Dispose();
        foreach (var body in _free)
            body.Dispose();
        _stop.Dispose();
        await base.DisposeAsync();
    }

    public static Task Abort(S3Calls calls, S3Target target, string key, string id, CancellationToken cancelled) =>
        calls.Do($"the end of the upload of {key}", async guard =>
        {
            try
            {
                await calls.Client.AbortMultipartUploadAsync(new() { BucketName = target.Bucket, Key = key, UploadId = id }, guard.Token);
            }
            catch (AmazonS3Exception e) when (e.ErrorCode == "NoSuchUpload")
            {
                // Somebody was faster; that is what was wanted.
            }
            return true;
        }, cancelled);

    /// <summary>What every object of the target gets.</summary>
    public static void Dress(PutObjectRequest request, S3Target target, S3Calls calls)
    {
        request.UseChunkEncoding = target.Chunks;
        request.DisableDefaultChecksumValidation = target.LessChecksums;
        request.StorageClass = target.StorageClass is { } storage ? new S3StorageClass(storage) : null;
        request.ServerSideEncryptionMethod = target.ServerEncryption is { } method ? new ServerSideEncryptionMethod(method) : null;
        request.ServerSideEncryptionKeyManagementServiceKeyId = target.KmsKey;
        if (target.ObjectLock is { } locked)
        {
            request.ObjectLockMode = locked.Mode == S3LockMode.Compliance ? ObjectLockMode.Compliance : ObjectLockMode.Governance;
            request.ObjectLockRetainUntilDate = calls.Time.GetUtcNow().UtcDateTime + locked.For;
        }
    }

    async Task NextBuffer()
    {
        if (_filling is not null)
            await StartPart(_filling);
        var size = _sizes.Of(_parts.Count + 1);
        _filling = _free.TryTake(out var used) && used.Size == size ? used : Other(used, size);
        _filling.Clear();
    }

    PartBuffer Other(PartBuffer? used, long size)
    {
        used?.Dispose();
        return PartBuffer.Of(size, _spool);
    }

    async Task StartPart(PartBuffer body)
    {
        var number = _parts.Count + 1;
        if (PartSizes.IsTooMany(number))
            throw new RunbookException($"{_key} would need more than 10,000 parts.", "Say with largestSize how much can come at most, so that the parts are large enough.");
        _known ??= await S3Parts.Begin(_calls, _target, _key, _memory, _ownKey, _stop.Token);
        await Room(number);
        PartSizes.RefuseTooLarge(_key, _started += body.Length);
        _filling = null;
        _running.Add(_parts[number] = Task.Run(() => Send(number, body)));
    }

    /// <summary>Waits until another part may be on its way, and hears of those that failed.</summary>
    async Task Room(int number)
    {
        while (true)
        {
            if (_running.Any(p => p.IsFaulted || p.IsCanceled))
                await ThrowFailure();
            _running.RemoveAll(p => p.IsCompleted);
            if (_running.Count < _sizes.Parallel(_target.Parallel, number))
                return;
            await Task.WhenAny(_running);
        }
    }

    /// <summary>What was on its way is let in first: a resume need not send it again.</summary>
    async Task ThrowFailure()
    {
        await Settled();
        foreach (var part in _parts.Values.Where(p => p.IsFaulted))
            await part;
        foreach (var part in _parts.Values.Where(p => p.IsCanceled))
            await part;
    }

    async Task<S3Part> Send(int number, PartBuffer body)
    {
        try
        {
            return await _known!.Send(number, body, _stop.Token);
        }
        finally
        {
            _free.Add(body);
        }
    }

    async Task Complete(CancellationToken cancelled)
    {
        if (_filling is { Length: > 0 } last)
            await StartPart(last);
        await ThrowFailure();
        var parts = await Task.WhenAll(_parts.Values);
        await BeginCommit();
        var whole = await _calls.Do($"the completion of {_key}", guard => Join(parts, guard), cancelled, LongestCompletion);
        _committed = true;
        await _memory.Leave(Orphan());
        _tag = S3Digest.TagOf(whole) ?? await TagNow(cancelled);
        _confirmed = parts.All(p => p.Confirmed) && S3Digest.AreNamedBy(parts.Select(p => p.Sent), _tag);
        if (_target.ObjectLock is not null)
            await Lock(cancelled);
    }

    /// <returns>The tag of the object.</returns>
    async Task<string?> Join(S3Part[] parts, StallGuard guard)
    {
        try
        {
            var request = new CompleteMultipartUploadRequest { BucketName = _target.Bucket, Key = _key, UploadId = _known!.Id, PartETags = [.. parts.Select(p => p.Tag)] };
            return (await _calls.Client.CompleteMultipartUploadAsync(request, guard.Token)).ETag;
        }
        catch (AmazonS3Exception e) when (e.ErrorCode == "NoSuchUpload")
        {
            // The answer to an earlier try may have been lost: then the object is there.
            if (await _calls.Head(_key, _key, guard.Token) is { } there && S3Part.AreWhole(parts, there.ContentLength, there.ETag))
                return there.ETag;
            await _known!.Forget();
            throw;
        }
    }

    /// <summary>Some servers (Ceph) name no tag when parts become an object, and name it when they are asked for the object.</summary>
    async Task<string?> TagNow(CancellationToken cancelled) => S3Digest.TagOf((await _calls.Head($"the tag of {_key}", _key, cancelled))?.ETag);

    /// <summary>Some servers forget the lock that was named when the upload began: it is set on the object itself.</summary>
    Task<PutObjectRetentionResponse> Lock(CancellationToken cancelled) => _calls.Do($"the lock of {_key}", guard =>
    {
        var like = new PutObjectRequest();
        Dress(like, _target, _calls);
        var retention = new ObjectLockRetention { Mode = new ObjectLockRetentionMode(like.ObjectLockMode.Value), RetainUntilDate = like.ObjectLockRetainUntilDate };
        return _calls.Client.PutObjectRetentionAsync(new() { BucketName = _target.Bucket, Key = _key, Retention = retention }, guard.Token);
    }, cancelled);

    async Task PutWhole(CancellationToken cancelled)
    {
        var body = _filling ??= PartBuffer.Of(0, _spool);
        var digest = body.Digest();
        await BeginCommit();
        var answer = await _calls.Do(_key, guard =>
        {
            var request = new PutObjectRequest { BucketName = _target.Bucket, Key = _key, InputStream = guard.Watch(body), MD5Digest = _calls.SendsDigest ? digest.Base64 : null };
            Dress(request, _target, _calls);
            return _calls.Client.PutObjectAsync(request, guard.Token);
        }, cancelled);
        _committed = true;
        _tag = S3Digest.TagOf(answer.ETag);
        _confirmed = digest.IsNamedBy(_tag);
    }

    async Task BeginCommit()
    {
        _committing = true;
        await _memory.Leave(Orphan());
    }

    Residue Orphan() => new()
    {
        Key = ResidueOf(_key),
        Kind = ResidueKind.OpenUpload,
        Target = _target.Name,
        What = $"{_key} may lie in bucket {_target.Bucket} without a manifest",
        Command = $"{(_committed || _known is null ? "" : $"{_known.AbortCommand}; ")}aws s3api delete-object --bucket {Shell.Quoted(_target.Bucket)} --key {Shell.Quoted(_key)}{_target.EndpointOption}",
    };

    async Task Settled()
    {
        foreach (var part in _parts.Values)
            await Task.WhenAny(part);
    }
}
