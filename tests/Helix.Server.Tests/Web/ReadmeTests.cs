using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Http;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Web;

/// <summary>What README tells a team to write, in the real programs that read it.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public async Task The_nginx_of_README_passes_pages_forms_and_live_events_on_over_TLS()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/nginx"), "nginx is not here");
        var port = Ports.Free();
        var outside = new Uri($"https://localhost:{port}");
        await using var here = new ServerHere { Change = s => s with { PublicUrl = outside } };
        here.Runbook("gate", Books.Gate);
        await here.Start(Ports.Free());
        using var nginx = Nginx(here, port, (int)here.Server.Site.Settings.Listen.Port);
        using var browser = new Browser(outside, trusting: true);
        here.Accounts.Add("alice", [new Grant(Role.Operator, Grant.Everywhere)]);
        here.Accounts.SetPassword("alice", ServerHere.Password);
        await Eventually.True(async () => (await browser.Get("/login")).Status == HttpStatusCode.OK, "nginx listens");
        Assert.Equal(HttpStatusCode.Redirect, (await browser.Post("/login", ("account", "alice"), ("password", ServerHere.Password))).Status);
        Assert.Contains("secure", (await browser.Post("/login", ("account", "alice"), ("password", ServerHere.Password))).Message.Headers.GetValues("Set-Cookie").First(), StringComparison.OrdinalIgnoreCase);
        var run = (await browser.Post("/runbooks/gate/start", ("environment", "here"), ("mode", "live"))).Run;
        await here.Becomes(run, RunStatus.Waiting);

        // Each event comes before there is another one, and nginx keeps none back.
        using var stream = new StreamReader(await browser.Client.GetStreamAsync($"/api/v1/runs/{run}/events"));
        await ReadUntil(stream, "event: run-suspended");
        foreach (var note in new[] { "one", "two" })
        {
            here.Server.Site.NewEngine().Note(run, new Person("alice", IdentityStrength.Password, "web"), note);
            await ReadUntil(stream, $"\"text\":\"{note}\"");
        }
        Assert.All(here.Accounts.Audited(10), l => Assert.Equal("127.0.0.1", l.Address));
    }

    [Fact]
    public void The_unit_of_README_is_sound_to_systemd()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "systemd is not here");
        var folder = Directory.CreateTempSubdirectory("helix-unit-").FullName;
        File.WriteAllText(Path.Combine(folder, "helix.service"), Block("ini").Replace("/usr/local/bin/helix", "/bin/true", StringComparison.Ordinal));
        using var verify = Process.Start(new ProcessStartInfo("systemd-analyze", ["verify", Path.Combine(folder, "helix.service")]) { RedirectStandardError = true })!;
        Assert.Equal("", verify.StandardError.ReadToEnd());
        verify.WaitForExit();
        Assert.Equal(0, verify.ExitCode);
        TempFolder.Delete(folder);
    }

    static async Task ReadUntil(StreamReader stream, string words)
    {
        using var limit = new CancellationTokenSource(Hang.Limit, TimeProvider.System);
        while (await stream.ReadLineAsync(limit.Token) is { } line)
            if (line.Contains(words, StringComparison.Ordinal))
                return;
        Assert.Fail($"The stream ended before {words}.");
    }

    static Service Nginx(ServerHere here, int port, int behind)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        File.WriteAllText(here.Folder + "/cert.pem", certificate.ExportCertificatePem());
        File.WriteAllText(here.Folder + "/key.pem", key.ExportPkcs8PrivateKeyPem());
        var server = Block("nginx").Replace("listen 443 ssl", string.Create(CultureInfo.InvariantCulture, $"listen 127.0.0.1:{port} ssl"), StringComparison.Ordinal)
            .Replace(":8470", string.Create(CultureInfo.InvariantCulture, $":{behind}"), StringComparison.Ordinal)
            .Replace("/etc/helix/tls/", here.Folder + "/", StringComparison.Ordinal);
        var temporary = string.Concat(new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(t => $"{t}_temp_path {here.Folder}/{t};\n"));
        File.WriteAllText(here.Folder + "/nginx.conf", $"worker_processes 1;\npid {here.Folder}/nginx.pid;\ndaemon off;\nmaster_process off;\nevents {{ }}\nhttp {{\naccess_log off;\n{temporary}{server}}}\n");
        return new Service(Process.Start("/usr/sbin/nginx", ["-c", here.Folder + "/nginx.conf", "-e", here.Folder + "/nginx.log"]));
    }

    /// <summary>The first block of README in this language.</summary>
    static string Block(string language)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Helix.Runbooks.sln")))
            folder = folder.Parent!;
        return File.ReadAllText(Path.Combine(folder.FullName, "README.md")).Split($"```{language}\n")[1].Split("```")[0];
    }

    sealed class Service(Process process) : IDisposable
    {
        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
