using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Redis;

public sealed class RedisTlsTests
{
    [Fact]
    public async Task A_server_that_speaks_tls_is_trusted_by_its_authority_and_a_user_by_his_password()
    {
        var folder = Directory.CreateTempSubdirectory("helix-tls-").FullName;
        var authority = Authority("helix test authority");
        WriteServer(folder, authority);
        WritePem(folder, "other.crt", Authority("another authority"));
        var port = Ports.Free();
        await using var server = await RedisServer.Start(null,
            $"tls-port {port}", $"tls-cert-file {folder}/server.crt", $"tls-key-file {folder}/server.key", $"tls-ca-cert-file {folder}/ca.crt",
            "tls-auth-clients no", "user backup on >backup-pass ~* +@all");
        using var host = new TestHost();
        var target = host.Add("redis", server.Target() with
        {
            Endpoint = $"localhost:{port}",
            Tls = true,
            CaFile = $"{folder}/ca.crt",
            User = "backup",
            Password = host.Canary("BACKUP", "backup-pass"),
        });

        Assert.Equal("Redis 7.0.15, master, 0 keys", await target.Check(host.PlanContext()));
        var e = await Assert.ThrowsAsync<StepFailedException>(() => (target with { CaFile = $"{folder}/other.crt" }).Check(host.PlanContext()));
        Assert.Contains("certificate", e.Message);
        Assert.Equal(FailureClass.Auth, e.Failure);
        TempFolder.Delete(folder);
    }

    static X509Certificate2 Authority(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(From, Until);
    }

    static void WriteServer(string folder, X509Certificate2 authority)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        WritePem(folder, "server.crt", request.Create(authority, From, Until, [1, 2, 3, 4]));
        WritePem(folder, "ca.crt", authority);
        File.WriteAllText(Path.Combine(folder, "server.key"), key.ExportPkcs8PrivateKeyPem());
    }

    static void WritePem(string folder, string name, X509Certificate2 certificate) =>
        File.WriteAllText(Path.Combine(folder, name), certificate.ExportCertificatePem());

    static readonly DateTimeOffset From = TimeProvider.System.GetUtcNow().AddDays(-1);
    static readonly DateTimeOffset Until = TimeProvider.System.GetUtcNow().AddDays(1);
}
