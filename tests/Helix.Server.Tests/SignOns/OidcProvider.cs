using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;

namespace Helix.Server.Tests.SignOns;

/// <summary>oidc-provider, a certified OpenID Connect provider, on a free port; fetched through npm once for this account, never shipped. Whoever logs in there as sub-alice is alice.</summary>
sealed partial class OidcProvider : IAsyncDisposable
{
    const string Package = "oidc-provider@9.13.3";
    public const string Secret = "canary-of-the-client";

    static readonly Lazy<Task<(string? Folder, string? Why)>> Program = new(Ready);

    readonly int _port = Ports.Free();
    Process? _process;

    public string Issuer => $"http://127.0.0.1:{_port}";

    /// <param name="server">Where the server under test will listen.</param>
    public static async Task<OidcProvider> Start(int server)
    {
        var provider = new OidcProvider();
        await provider.Run(server);
        return provider;
    }

    public async Task Run(int server)
    {
        var (folder, why) = await Program.Value;
        if (folder is null)
            Assert.Skip($"There is no OpenID Connect provider: {why}");
        var start = new ProcessStartInfo("node", [Path.Combine(folder!, "provider.mjs"), $"{_port}", $"http://127.0.0.1:{server}/login/oidc/callback"]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        start.Environment["CLIENT_SECRET"] = Secret;
        _process = Process.Start(start)!;
        var said = new ConcurrentQueue<string?>();
        _process.OutputDataReceived += (_, e) => said.Enqueue(e.Data);
        _process.ErrorDataReceived += (_, e) => said.Enqueue(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.True(() => string.Concat(said).Contains("listens", StringComparison.Ordinal) || (_process.HasExited ? throw new InvalidOperationException(string.Concat(said)) : false), "the provider listens");
    }

    /// <summary>Its tokens are altered from now on.</summary>
    public async Task Trick(string which)
    {
        using var client = new HttpClient();
        Assert.Equal("ok", await client.GetStringAsync(new Uri($"{Issuer}/trick/{which}")));
    }

    public void Stop()
    {
        _process?.Kill();
        _process?.WaitForExit();
        _process?.Dispose();
        _process = null;
    }

    /// <summary>Everything that a person does there: from our button to the address to which the provider sends the browser back.</summary>
    public async Task<string> SignOn(Browser browser, string person)
    {
        var there = (await browser.Get("/login/oidc?to=/runs")).To!;
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(Issuer) };
        var at = there;
        for (var i = 0; i < 12; i++)
        {
            using var answer = await client.GetAsync(at);
            if (answer.Headers.Location is { } next)
            {
                at = new Uri(new Uri(Issuer), next);
                if (at.Port != _port)
                    return at.PathAndQuery;
                continue;
            }
            var page = await answer.Content.ReadAsStringAsync();
            using var form = new FormUrlEncodedContent(Hidden().Matches(page).Select(m => KeyValuePair.Create(m.Groups[1].Value, m.Groups[2].Value)).Append(KeyValuePair.Create("login", "sub-" + person)).Append(KeyValuePair.Create("password", "any")));
            using var sent = await client.PostAsync(new Uri(Action().Match(page).Groups[1].Value), form);
            at = new Uri(new Uri(Issuer), sent.Headers.Location!);
        }
        throw new InvalidOperationException($"The provider leads nowhere: {at}");
    }

    /// <summary>With our part of it, which is put there once: a class beside may be reading it.</summary>
    static async Task<(string? Folder, string? Why)> Ready()
    {
        var (folder, why) = await Find();
        if (folder is not null)
            File.Copy(Path.Combine(AppContext.BaseDirectory, "SignOns", "provider.mjs"), Path.Combine(folder, "provider.mjs"), overwrite: true);
        return (folder, why);
    }

    static async Task<(string?, string?)> Find()
    {
        var cache = Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given ? given : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "helix-runbooks-tests");
        var there = Path.Combine(cache, Package.Replace('@', '-'));
        if (Directory.Exists(Path.Combine(there, "node_modules", "oidc-provider")))
            return (there, null);
        Directory.CreateDirectory(cache);
        var fresh = Directory.CreateTempSubdirectory("helix-oidc-").FullName;
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", fresh, Package]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            using var limit = new CancellationTokenSource(Hang.Limit, TimeProvider.System);
            var (output, errors) = (npm.StandardOutput.ReadToEndAsync(), npm.StandardError.ReadToEndAsync());
            await npm.WaitForExitAsync(limit.Token);
            if (npm.ExitCode != 0)
                return (null, $"npm could not install {Package}: {await errors}{await output}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (null, "npm is missing: apt-get install npm");
        }
        using var move = Process.Start("mv", ["-T", "-n", fresh, there]);
        await move.WaitForExitAsync();
        return (Directory.Exists(there) ? there : fresh, null);
    }

    public ValueTask DisposeAsync()
    {
        Stop();
        return ValueTask.CompletedTask;
    }

    [GeneratedRegex("type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Hidden();

    [GeneratedRegex("action=\"([^\"]+)\"")]
    private static partial Regex Action();
}
