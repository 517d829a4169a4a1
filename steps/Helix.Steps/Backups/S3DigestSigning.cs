using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Amazon.S3;
using Amazon.Util;

namespace Helix.Steps.Backups;

/// <summary>
/// Where a request names its body's MD5, only that is signed: the server compares the body with it, and neither side needs a second digest.
/// The SDK's own switch, DisablePayloadSigning, does so over https alone.
/// </summary>
sealed class S3DigestSigning : AmazonS3Client
{
    public S3DigestSigning(AWSCredentials credentials, AmazonS3Config config) : base(credentials, config)
    {
    }

    /// <summary>Credentials come from the usual AWS chain.</summary>
    public S3DigestSigning(AmazonS3Config config) : base(config)
    {
    }

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        base.CustomizeRuntimePipeline(pipeline);
        pipeline.AddHandlerBefore<Signer>(new Choice());
    }

    sealed class Choice : PipelineHandler
    {
        static readonly AWS4Signer Headers = new(signPayload: false);

        public override Task<T> InvokeAsync<T>(IExecutionContext executionContext)
        {
            var request = executionContext.RequestContext;
            if (request.Request.Headers.ContainsKey(HeaderKeys.ContentMD5Header))
                request.Signer = Headers;
            return base.InvokeAsync<T>(executionContext);
        }
    }
}
