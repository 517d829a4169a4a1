using Amazon.S3.Model;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>Reads an object, or a range of it. When the connection breaks it goes on where that was.</summary>
sealed class S3Reading(S3Calls calls, S3Target target, string key, long offset, long? length, CancellationToken cancelled) : OneWayStream
{
    GetObjectResponse? _answer;
    StallGuard? _guard;
    string? _tag;
    long _at;
    long _end = long.MaxValue;
    int _breaks;

    public override bool CanRead => true;

    /// <exception cref="StepFailedException">Missing when there is no such object.</exception>
    public async Task Open()
    {
        End();
        var whole = offset + _at == 0 && length is null;
        _answer = await calls.Do(key, async guard =>
        {
            var request = new GetObjectRequest { BucketName = target.Bucket, Key = key, EtagToMatch = _tag };
            if (!whole)
                request.ByteRange = new ByteRange($"bytes={offset + _at}-{(length is { } most ? $"{offset + most - 1}" : "")}");
            return await calls.Client.GetObjectAsync(request, guard.Token);
        }, cancelled);
        _guard = new StallGuard(calls.Time, target.Stall, cancelled);
        _tag = _answer.ETag;
        _end = _at + _answer.ContentLength;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                _guard!.Moved();
                var read = buffer.Length == 0 ? 0 : await _answer!.ResponseStream.ReadAsync(buffer, _guard.Token);
                if (read == 0 && buffer.Length > 0 && _at < _end)
                    throw new IOException($"it ended after {_at} bytes instead of {_end}");
                _at += read;
                if (read > 0)
                    _breaks = 0;
                return read;
            }
            catch (Exception e) when (!cancelled.IsCancellationRequested && e is not (StepFailedException or LeaseLostException))
            {
                await GoOn(e);
            }
        }
    }

    async Task GoOn(Exception e)
    {
        var failure = calls.Failure(key, e, _guard);
        if (failure.Failure != FailureClass.Transient || ++_breaks > target.Retries)
            throw failure;
        calls.Log($"{failure.Message} Going on at byte {offset + _at}.");
        await Open();
    }

    void End()
    {
        _answer?.Dispose();
        _guard?.Dispose();
    }

    protected override void Dispose(bool disposing)
    {
        End();
        base.Dispose(disposing);
    }
}
