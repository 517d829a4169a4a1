using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.S3;
using Amazon.S3.Model;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>Sends single requests: again where that helps, and says what the last refusal means.</summary>
sealed class S3Calls : IDisposable
{
    const string FewerChecksums = "This server may not know the SDK's new checksums: set checksums: when-required and chunkEncoding: false on the target.";

    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);

    readonly S3Target _target;
    readonly HttpClient _http;
    readonly TimeProvider _time;
    bool _wantsDigest;

    /// <param name="http">What the client of the SDK sends with; ends with this.</param>
    public S3Calls(S3Target target, AmazonS3Client client, HttpClient http, TimeProvider time, PlanContext context)
    {
        _target = target;
        _http = http;
        _time = time;
        Client = client;
        Log = context is StepContext step ? step.Log : _ => { };
    }

    public AmazonS3Client Client { get; }
    public TimeProvider Time => _time;
    public Action<string> Log { get; }

    /// <summary>A digest goes with each body, which the server compares: where the SDK's own checksums do not, and where the server wants it (S3-03).</summary>
    public bool SendsDigest => _target.LessChecksums || !_target.Signs || _target.ObjectLock is not null || _wantsDigest;

    /// <param name="what">For messages: "part 7 of redis/x".</param>
    /// <param name="call">Gets a guard that ends it when nothing moves; called again after a pause for what may pass.</param>
    /// <param name="patience">For so long nothing need move; null: as long as the target says.</param>
    public async Task<T> Do<T>(string what, Func<StallGuard, Task<T>> call, CancellationToken cancelled, TimeSpan? patience = null)
    {
        for (var tries = 0; ; tries++)
        {
            using var guard = new StallGuard(_time, patience > _target.Stall ? patience.Value : _target.Stall, cancelled);
            try
            {
                return await call(guard);
            }
            catch (Exception e) when (!cancelled.IsCancellationRequested && e is not (StepFailedException or LeaseLostException))
            {
                if (NeedsDigest(e))
                    continue;
                var failure = Failure(what, e, guard);
                if (failure.Failure != FailureClass.Transient || tries >= _target.Retries)
                    throw failure;
                await Pause(failure, tries, cancelled);
            }
        }
    }

    /// <param name="what">For messages, as with <see cref="Do"/>.</param>
    /// <param name="key">As the server knows it.</param>
    /// <returns>Null when there is no such object.</returns>
    public async Task<GetObjectMetadataResponse?> Head(string what, string key, CancellationToken cancelled)
    {
        try
        {
            return await Do(what, guard => Client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _target.Bucket, Key = key }, guard.Token), cancelled);
        }
        catch (StepFailedException e) when (IsNoSuchKey(e))
        {
            return null;
        }
    }

    /// <summary>A missing bucket is never taken for a missing object.</summary>
    public static bool IsNoSuchKey(StepFailedException e) =>
        e is { Failure: FailureClass.Missing, InnerException: AmazonS3Exception { ErrorCode: not "NoSuchBucket" } };

    /// <summary>What an exception of the SDK means.</summary>
    public StepFailedException Failure(string what, Exception e, StallGuard? guard = null) => e switch
    {
        StepFailedException failure => failure,
        _ when guard is { Stalled: true } => new(FailureClass.Transient, $"{what}: nothing moved for {new Duration(guard.Limit)} between here and {Server}.", null, e),
        AmazonServiceException { StatusCode: not 0 } answer => Answered(what, answer),
        _ when Inner<AuthenticationException>(e) is not null => new(FailureClass.Auth,
            $"{what}: {Server} shows a certificate that is not trusted here, or speaks no TLS.", "Give `caFile`, the authority that signed it; or write http:// in `endpoint`.", e),
        _ when Inner<SocketException>(e) is { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain } => new(FailureClass.Transient,
            $"{what}: the name of the server of bucket {_target.Bucket} cannot be resolved.",
            _target.PathStyle == false ? "With pathStyle: false the bucket is part of the host's name; try pathStyle: true." : "Check endpoint and DNS.", e),
        HttpRequestException or IOException or OperationCanceledException or AmazonClientException =>
            new(FailureClass.Transient, $"{what}: the connection to {Server} broke: {Reason(e)}", null, e),
        _ => new(FailureClass.Bug, $"{what}: {e.GetType().Name}: {e.Message}", null, e),
    };

    /// <summary>Going on would begin again from the start, for ever.</summary>
    public StepFailedException BrokeOff(string list) =>
        StepFailedException.Transient($"The list of {list} in {_target.Place} broke off: the server says that there is more, and not where.");

    public void Dispose()
    {
        Client.Dispose();
        _http.Dispose();
    }

    async Task Pause(StepFailedException failure, int tries, CancellationToken cancelled)
    {
        var most = TimeSpan.FromTicks(Math.Min(_target.RetryDelay.Value.Ticks << Math.Min(tries, 12), LongestPause.Ticks));
        Log($"{failure.Message} Trying again ({tries + 1} of {_target.Retries}).");
        await Task.Delay(most * (0.5 + Random.Shared.NextDouble() / 2), _time, cancelled);
    }

    StepFailedException Answered(string what, AmazonServiceException e)
    {
        var said = $"{what}: {Server} says {(int)e.StatusCode} {e.ErrorCode}{(e.Message is { Length: > 0 } text && text != e.ErrorCode ? $": {text}" : "")}";
        return (e.ErrorCode, (int)e.StatusCode) switch
        {
            ("RequestTimeTooSkewed", _) => Skewed(what, e),
            ("ExpiredToken" or "TokenRefreshRequired" or "RequestExpired", _) => new(FailureClass.Auth, $"{what}: the credentials for {Server} ran out.", "Renew them and resume; what was sent is kept.", e),
            // Signed bytes that arrive as others were damaged on the way; with the SDK's own checksums the server just does not know those.
            ("XAmzContentSHA256Mismatch" or "BadDigest", _) when _target.LessChecksums => new(FailureClass.Transient, said, "The bytes arrived as others than were sent.", e),
            ("InternalError" or "SlowDown" or "ServiceUnavailable" or "RequestTimeout" or "OperationAborted" or "Throttling" or "ThrottlingException" or "BadDigest" or "IncompleteBody", _) => new(FailureClass.Transient, said, null, e),
            ("EntityTooLarge", _) => new(FailureClass.InvalidData, said, "Set a smaller partSize on the target.", e),
            ("InvalidObjectState", _) => new(FailureClass.Conflict, $"{what}: {Server} keeps it in an archive, from which it cannot be read at once.",
                "Restore the object first (aws s3api restore-object), then resume. An upload into such a storage class that is to be believed unread needs readBack: false.", e),
            ("InvalidPart" or "InvalidPartOrder" or "NoSuchUpload", _) => new(FailureClass.Transient, said, "The server lost what it had acknowledged; a retry sends it again.", e),
            (_, 401 or 403) => new(FailureClass.Auth, said, "Check accessKey and secretKey, and what they may do in this bucket.", e),
            (_, 404) => new(FailureClass.Missing, said, e.ErrorCode == "NoSuchBucket" ? $"Make the bucket {_target.Bucket}, or mend its name." : null, e),
            (_, 409 or 412) => new(FailureClass.Conflict, said, null, e),
            (_, 429 or >= 500 and not 501) => new(FailureClass.Transient, said, null, e),
            // The SDK's word for a refusal that gives no reason, as each answer to HEAD: a credential that ran out looks so too.
            ("BadRequest", _) => new(FailureClass.Transient, said, _target.LessChecksums ? "Where it stays so, renew the credentials and resume; what was sent is kept." : FewerChecksums, e),
            (_, 400 or 411 or 501) when !_target.LessChecksums => new(FailureClass.InvalidData, said, FewerChecksums, e),
            _ => new(FailureClass.InvalidData, said, null, e),
        };
    }

    /// <summary>A drifted clock looks like a refused key (S3-08).</summary>
    StepFailedException Skewed(string what, AmazonServiceException e)
    {
        var theirs = (e.InnerException as HttpErrorResponseException)?.Response.GetHeaderValue("Date");
        var minutes = DateTimeOffset.TryParse(theirs, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? $"differs from that of {Server} by {Math.Abs((date - _time.GetUtcNow()).TotalMinutes):0} minutes"
            : $"differs too much from that of {Server}";
        return new(FailureClass.Auth, $"{what}: the clock of this machine {minutes}.", "Set the clock (NTP), then resume.", e);
    }

    bool NeedsDigest(Exception e)
    {
        var asked = !SendsDigest && e is AmazonS3Exception { ErrorCode: "InvalidRequest" or "MissingContentMD5", StatusCode: HttpStatusCode.BadRequest };
        _wantsDigest |= asked;
        return asked;
    }

    string Server => _target.Endpoint ?? "S3";

    static T? Inner<T>(Exception? e) where T : Exception => e is null or T ? e as T : Inner<T>(e.InnerException);

    static string Reason(Exception e) => Inner<SocketException>(e) is { } socket ? socket.SocketErrorCode.ToString() : e.InnerException is IOException inner ? inner.Message : e.Message;
}
