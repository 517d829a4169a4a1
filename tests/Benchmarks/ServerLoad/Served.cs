using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Helix.Benchmarks.ServerLoad;

/// <summary>A real <c>helix serve</c>, with somebody logged in.</summary>
sealed partial class Served : IAsyncDisposable
{
    const string Password = "correct horse battery";
    readonly Process _process;

    Served(Process process, Uri address)
    {
        _process = process;
        Address = address;
        Client = NewClient();
    }

    public Uri Address { get; }
    public CookieContainer Cookies { get; } = new();
    public HttpClient Client { get; private set; }

    public HttpClient NewClient() => new(new SocketsHttpHandler { CookieContainer = Cookies, AllowAutoRedirect = false, MaxConnectionsPerServer = 1000 }) { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(5) };

    public static async Task<Served> Start(string helix, Books books)
    {
        var start = new ProcessStartInfo(helix, ["serve", "--listen", "127.0.0.1:0", "--runbooks", books.Runbooks, "--new-administrator"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["HELIX_STORE"] = books.Store;
        var watch = Stopwatch.StartNew();
        var process = Process.Start(start)!;
        var (address, link) = ((Uri?)null, "");
        while (link.Length == 0 && await process.StandardError.ReadLineAsync() is { } line)
        {
            if (Listens().Match(line) is { Success: true } found)
                address = new Uri(found.Groups[1].Value);
            link = Link().Match(line).Value;
        }
        _ = process.StandardError.ReadToEndAsync();
        Table.Row("helix serve takes requests after", $"{watch.Elapsed.TotalSeconds:0.0} s");
        var served = new Served(process, address ?? throw new InvalidOperationException("helix serve does not listen."));
        var account = string.Create(CultureInfo.InvariantCulture, $"admin{process.Id}");
        await served.Post(link, ("account", account), ("password", Password), ("again", Password));
        return served;
    }

    /// <summary>As a form of a page: with its hidden token.</summary>
    public async Task<HttpResponseMessage> Post(string path, params (string Name, string Value)[] fields)
    {
        var page = await (await Client.GetAsync(Cookies.Count > 0 ? "/account" : "/login")).Content.ReadAsStringAsync();
        return await PostForm(path, Form().Match(page).Groups[1].Value, fields);
    }

    public async Task<HttpResponseMessage> PostForm(string path, string token, params (string Name, string Value)[] fields)
    {
        using var content = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value)).Append(KeyValuePair.Create("_csrf", token)));
        return await Client.PostAsync(path, content);
    }

    public async Task<string> FormToken() => Form().Match(await Client.GetStringAsync("/account")).Groups[1].Value;

    public async Task<string> Run(string token, string book)
    {
        var answer = await PostForm($"/runbooks/{book}/start", token, ("environment", "here"), ("mode", "live"));
        return answer.Headers.Location?.ToString().Split('/')[^1] ?? throw new InvalidOperationException($"{book} was not started: {answer.StatusCode}");
    }

    public async Task<int> Open(string book) => (await Client.GetFromJsonAsync<JsonArray>($"/api/v1/runs?limit=1000&runbook={book}&open=true"))!.Count;

    public double MemoryMiB => Number("/status", "VmRSS:") / 1024;
    public double PeakMiB => Number("/status", "VmHWM:") / 1024;

    /// <summary>Seconds of CPU since the start.</summary>
    public double Cpu => File.ReadAllText($"/proc/{_process.Id}/stat").Split(") ")[1].Split(' ') is var fields ? (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100 : 0;

    public int Handles => Directory.GetFiles($"/proc/{_process.Id}/fd").Length;

    double Number(string file, string name) => double.Parse(File.ReadLines($"/proc/{_process.Id}{file}").First(l => l.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])!.WaitForExit();
        await _process.WaitForExitAsync();
        Client.Dispose();
        _process.Dispose();
    }

    [GeneratedRegex(@"Helix serves .* at (http://\S+)")]
    private static partial Regex Listens();

    [GeneratedRegex("/setup/[A-Za-z0-9_-]+")]
    private static partial Regex Link();

    [GeneratedRegex("name=\"_csrf\" value=\"([0-9a-f]+)\"")]
    private static partial Regex Form();
}
