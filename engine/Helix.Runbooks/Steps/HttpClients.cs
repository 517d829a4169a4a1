using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Helix.Runbooks.Steps;

/// <summary>Makes clients from <see cref="HttpSettings"/>.</summary>
public static class HttpClients
{
    /// <summary>A client whose requests end when <paramref name="cancelled"/> is.</summary>
    /// <param name="before">Called before each request; it may throw.</param>
    /// <exception cref="RunbookException">The file of authorities cannot be read.</exception>
    public static HttpClient For(HttpSettings settings, Action? before = null, CancellationToken cancelled = default)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = settings.ConnectTimeout,
            AllowAutoRedirect = settings.FollowRedirects,
            // A failover moves names to other addresses: connections are not kept for the whole run.
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        };
        if (settings.CaFile is { } file)
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trusting(file) };
        return new HttpClient(new EndsWithTheStep(handler, before, cancelled)) { Timeout = settings.Timeout };
    }

    static X509ChainPolicy Trusting(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new RunbookException($"The certificate authorities in {file} cannot be read: {e.Message}", "It must be a PEM file.");
        }
        return policy.CustomTrustStore.Count > 0 ? policy : throw new RunbookException($"There is no certificate in {file}.", "It must be a PEM file.");
    }

    sealed class EndsWithTheStep(HttpMessageHandler inner, Action? before, CancellationToken cancelled) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            before?.Invoke();
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, cancelled);
            return await base.SendAsync(request, both.Token);
        }
    }
}
