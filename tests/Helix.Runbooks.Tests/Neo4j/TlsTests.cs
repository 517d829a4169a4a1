using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Helix.Runbooks.Steps;
using Helix.Steps.Neo4j;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>TLS, in front of a stub.</summary>
public sealed class TlsTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("helix-tls-").FullName;
    readonly TcpListener _front;
    readonly X509Certificate2 _certificate = Certificate();
    readonly StubServer _server = new("5.25.1", StubGraph.Of(10), StubPort.Free());

    public TlsTests()
    {
        _front = new(IPAddress.Loopback, StubPort.Free());
        _front.Start();
        _ = Serve();
        File.WriteAllText(Path.Combine(_folder, "ca.crt"), _certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "other.crt"), Certificate().ExportCertificatePem());
    }

    [Fact]
    public async Task A_stub_that_speaks_tls_is_trusted_by_its_authority_only()
    {
        using var host = new TestHost();
        var url = $"https://127.0.0.1:{((IPEndPoint)_front.LocalEndpoint).Port}";
        host.Add("neo4j", new Neo4jTarget { Url = url, CaFile = Path.Combine(_folder, "ca.crt") });
        host.Add("stranger", new Neo4jTarget { Url = url, CaFile = Path.Combine(_folder, "other.crt") });
        host.Add("plain", new Neo4jTarget { Url = _server.Url.Replace("http:", "https:", StringComparison.Ordinal) });

        Assert.Equal(30, (await host.Run(new Neo4jCounts(), new() { Target = "neo4j" })).Nodes);
        foreach (var target in new[] { "stranger", "plain" })
            Assert.Contains("certificate that is not trusted", (await host.Fails(FailureClass.Auth, new Neo4jCounts(), new() { Target = target })).Message);
    }

    async Task Serve()
    {
        try
        {
            while (true)
                _ = Relay(await _front.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    async Task Relay(TcpClient client)
    {
        using var from = client;
        try
        {
            await using var secure = new SslStream(from.GetStream());
            await secure.AuthenticateAsServerAsync(_certificate);
            using var to = new TcpClient();
            await to.ConnectAsync(IPAddress.Loopback, _server.Port);
            await Task.WhenAny(secure.CopyToAsync(to.GetStream()), to.GetStream().CopyToAsync(secure));
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException or SocketException)
        {
            // The client has gone.
        }
    }

    static X509Certificate2 Certificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    public void Dispose()
    {
        _front.Stop();
        _server.Dispose();
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
