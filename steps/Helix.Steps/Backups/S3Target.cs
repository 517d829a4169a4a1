using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Serialization;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Backups;

public enum S3Checksums
{
    /// <summary>The SDK's default: CRC headers and trailers that only newer servers know.</summary>
    WhenSupported,
    WhenRequired,
}

public enum S3LockMode { Governance, Compliance }

/// <summary>Backups cannot be deleted for a while, by nobody or by few.</summary>
public sealed record S3ObjectLock
{
    [Description("governance: who has the right may still delete; compliance: nobody may.")]
    public required S3LockMode Mode { get; init; }

    [Description("For so long after the upload.")]
    [Example("30d")]
    public required Duration For { get; init; }
}

[Target("s3", "A bucket of S3, or of a server that speaks its protocol.")]
public sealed record S3Target : BackupTarget
{
    [Description("The bucket.")]
    [Example("helix-backups")]
    public required string Bucket { get; init; }

    [Description("Put before every key.")]
    public string Prefix { get; init; } = "";

    [Description("The server, when it is not Amazon's.")]
    [Example("http://localhost:9000")]
    public string? Endpoint { get; init; }

    [Description("The region. Default: us-east-1 for an own endpoint, else what the AWS configuration says.")]
    [Example("eu-west-1")]
    public string? Region { get; init; }

    [Description("The bucket's name is part of the path, not of the host. Default: true for an own endpoint.")]
    public bool? PathStyle { get; init; }

    [Description("Checksum headers and trailers: when-supported or when-required. Default: when-required for an own endpoint.")]
    public S3Checksums? Checksums { get; init; }

    [Description("Sign the body in chunks while it is sent, which older servers do not know. Default: false for an own endpoint.")]
    public bool? ChunkEncoding { get; init; }

    [Description("Put the body's SHA-256 under the signature; without it the signature covers the body's MD5, with which the server compares it as well, for less. Default: false with checksums when-required and no chunkEncoding.")]
    public bool? SignPayload { get; init; }

    [Description("Access key. Without it the usual AWS chain is asked: environment, profile, role.")]
    [Example("env:AWS_ACCESS_KEY_ID")]
    public Secret? AccessKey { get; init; }

    [Description("Secret key.")]
    [Example("env:AWS_SECRET_ACCESS_KEY")]
    public Secret? SecretKey { get; init; }

    [Description("Session token of temporary credentials.")]
    public Secret? SessionToken { get; init; }

    [Description("PEM file of the certificate authorities to trust instead of the system's.")]
    [FilePath]
    public string? CaFile { get; init; }

    [Description("Storage class of the objects. Manifests keep the standard one, so that the backups of an archive can be listed.")]
    [Example("STANDARD_IA")]
    public string? StorageClass { get; init; }

    [Description("The server encrypts: AES256 or aws:kms.")]
    public string? ServerEncryption { get; init; }

    [Description("The key of aws:kms.")]
    public string? KmsKey { get; init; }

    [Description("Objects cannot be deleted for a while. The bucket must have been made with object lock.")]
    public S3ObjectLock? ObjectLock { get; init; }

    [Description("Size of a part unless the object needs larger ones: there are at most 10,000. Memory holds at most 72 MiB of parts; those above 24 MiB (an object of 230 GiB and more, or one of unknown length once 40 GiB of it are stored) lie in the folder of the run until they are sent: at most `parallel` and one more, of 0.5 GiB for 5 TiB.")]
    public ByteSize PartSize { get; init; } = new(8 << 20);

    [Description("Parts in flight at once.")]
    [Range(1, 64)]
    public int Parallel { get; init; } = 4;

    [Description("A request on which nothing moves for so long is given up and sent again.")]
    public Duration Stall { get; init; } = new(TimeSpan.FromSeconds(30));

    [Description("How often one request is sent again before the step fails.")]
    [Range(0, 50)]
    public int Retries { get; init; } = 7;

    [Description("Pause before the first of them; doubled each time, at most 20 s.")]
    public Duration RetryDelay { get; init; } = new(TimeSpan.FromMilliseconds(200));

    /// <summary>For commands that people are given.</summary>
    [JsonIgnore]
    internal string EndpointOption => Endpoint is null ? "" : $" --endpoint-url {Shell.Quoted(Endpoint)}";

    /// <summary>For messages.</summary>
    [JsonIgnore]
    internal string Place => $"s3://{Bucket}/{Prefix}";

    [JsonIgnore]
    public override string Address => $"s3:{Endpoint ?? "aws"}/{Bucket}/{Prefix}";

    [JsonIgnore]
    internal bool LessChecksums => (Checksums ?? (Endpoint is null ? S3Checksums.WhenSupported : S3Checksums.WhenRequired)) == S3Checksums.WhenRequired;

    [JsonIgnore]
    internal bool Signs => SignPayload ?? (!LessChecksums || ChunkEncoding == true);

    [JsonIgnore]
    internal bool Chunks => Signs && (ChunkEncoding ?? Endpoint is null);

    public override async Task<BackupStore> Open(PlanContext context)
    {
        var keys = await Keys(context);
        var http = context.Http(new() { Timeout = System.Threading.Timeout.InfiniteTimeSpan, CaFile = CaFile, FollowRedirects = false });
        try
        {
            return new S3Store(new S3Calls(this, await Client(context, http), http, context.Time, context), this) { Keys = keys, Clock = context.Time };
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    public override async Task<string?> ReadLabel(PlanContext context)
    {
        try
        {
            await using var store = await Quick.Open(context);
            return await store.ReadSmall(LabelKey, context.Cancelled) is var (bytes, _) ? Encoding.UTF8.GetString(bytes).Split('\n')[0].Trim() : null;
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return null;
        }
    }

    /// <summary>For looks that must not take long.</summary>
    S3Target Quick => this with { Retries = 0, Stall = new(TimeSpan.FromSeconds(4)) };

    public override async Task<string> Check(PlanContext context)
    {
        await using var store = await Quick.Open(context);
        // Unlike HEAD, the answer to a GET says whether the bucket is there.
        await store.ReadSmall("helix-pre-flight", context.Cancelled);
        return $"bucket {Bucket} answers{(Endpoint is null ? "" : $" at {Endpoint}")}, checksums {(LessChecksums ? "when-required" : "when-supported")}, payload {(Signs ? "signed" : "signed by its MD5")}, {(Chunks ? "in chunks" : "whole")}";
    }

    /// <summary>What is sent at once of a body. By itself the SDK sends 8 KiB, which costs both sides a fifth of their time in calls of the kernel.</summary>
    const int Piece = 1 << 17;

    async Task<AmazonS3Client> Client(PlanContext context, HttpClient http)
    {
        if (PartSize.Bytes is < PartSizes.Smallest or > PartSizes.Largest)
            throw new RunbookException($"The partSize {PartSize} of target '{Name}' is none that can be sent.", "A part has 5 MiB to 1 GiB.");
        // A wrong clock would also stand in manifests and reports: it is to be seen, not worked around (S3-08).
        AWSConfigs.CorrectForClockSkew = false;
        var config = new AmazonS3Config
        {
            ForcePathStyle = PathStyle ?? Endpoint is not null,
            RequestChecksumCalculation = LessChecksums ? RequestChecksumCalculation.WHEN_REQUIRED : RequestChecksumCalculation.WHEN_SUPPORTED,
            ResponseChecksumValidation = LessChecksums ? ResponseChecksumValidation.WHEN_REQUIRED : ResponseChecksumValidation.WHEN_SUPPORTED,
            BufferSize = Piece,
            MaxErrorRetry = 0, // S3Calls decides what is worth another try
            HttpClientFactory = new OneClient(http),
        };
        if (Endpoint is not null)
            config.ServiceURL = Endpoint;
        else if (Region is not null)
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(Region);
        if (Endpoint is not null)
            config.AuthenticationRegion = Region ?? "us-east-1";
        var credentials = await Credentials(context);
        try
        {
            return (Signs, credentials) switch
            {
                (true, { } own) => new AmazonS3Client(own, config),
                (true, null) => new AmazonS3Client(config),
                (false, { } own) => new S3DigestSigning(own, config),
                (false, null) => new S3DigestSigning(config),
            };
        }
        catch (AmazonClientException e)
        {
            throw new RunbookException($"Target '{Name}' is not fully described: {e.Message}.", "Give its region, or the endpoint of a server of your own.");
        }
    }

    async Task<AWSCredentials?> Credentials(PlanContext context)
    {
        if (AccessKey is null && SecretKey is null)
            return null;
        if (AccessKey is null || SecretKey is null)
            throw new RunbookException($"Target '{Name}' has only one of accessKey and secretKey.", "Give both, or none for the AWS chain.");
        var (access, secret) = (await context.Reveal(AccessKey), await context.Reveal(SecretKey));
        return SessionToken is { } token ? new SessionAWSCredentials(access, secret, await context.Reveal(token)) : new BasicAWSCredentials(access, secret);
    }

    /// <summary>The SDK asks for a client before each request: it gets the engine's, whose connections serve again and whose traffic ends with the step.</summary>
    sealed class OneClient(HttpClient http) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => http;
        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;
        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }
}
