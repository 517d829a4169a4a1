using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Helix.Runbooks.Tests;

/// <summary>Speaks TLS with a certificate of its own in front of a server of this machine that does not.</summary>
sealed class TlsFront : IDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly X509Certificate2 _certificate = Certificate();
    readonly string _folder = Directory.CreateTempSubdirectory("helix-tls-").FullName;
    readonly int _behind;

    public TlsFront(int behind)
    {
        _behind = behind;
        _listener.Start();
        _ = Serve();
        File.WriteAllText(CaFile, _certificate.ExportCertificatePem());
        using var other = Certificate();
        File.WriteAllText(OtherCaFile, other.ExportCertificatePem());
    }

    public string Url => $"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
    public string CaFile => Path.Combine(_folder, "ca.crt");

    /// <summary>Of an authority that has nothing to do with it.</summary>
    public string OtherCaFile => Path.Combine(_folder, "other.crt");

    async Task Serve()
    {
        try
        {
            while (true)
                _ = Relay(await _listener.AcceptTcpClientAsync());
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
            await to.ConnectAsync(IPAddress.Loopback, _behind);
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
        _listener.Stop();
        _certificate.Dispose();
        TempFolder.Delete(_folder);
    }
}
