using System.Net;
using System.Text.RegularExpressions;

namespace Helix.Server.Tests;

/// <summary>What a page answered.</summary>
sealed record Answer(HttpStatusCode Status, string Text, Uri? To, HttpResponseMessage Message)
{
    /// <summary>The run that a redirect leads to.</summary>
    public string Run => To!.ToString().Split('/')[^1];
}

/// <summary>Somebody at a browser without a script: cookies, pages, forms with their hidden fields.</summary>
sealed partial class Browser : IDisposable
{
    readonly HttpClient _client;

    /// <param name="trusting">Takes whatever certificate the server shows.</param>
    public Browser(Uri address, bool trusting = false)
    {
        Cookies = new CookieContainer();
        _client = new HttpClient(new HttpClientHandler { CookieContainer = Cookies, AllowAutoRedirect = false, ServerCertificateCustomValidationCallback = trusting ? HttpClientHandler.DangerousAcceptAnyServerCertificateValidator : null }) { BaseAddress = address };
        _client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
    }

    public CookieContainer Cookies { get; }
    public HttpClient Client => _client;

    public async Task<Answer> Get(string path) => await Of(await _client.GetAsync(path));

    /// <summary>As the form on a page of this server does: with its hidden token.</summary>
    public async Task<Answer> Post(string path, params (string Name, string Value)[] fields)
    {
        var token = FormToken().Match((await Get("/login")).Text).Groups[1].Value;
        if (Cookies.Count > 0 && FormToken().Match((await Get("/account")).Text) is { Success: true } own)
            token = own.Groups[1].Value;
        return await PostRaw(path, [("_csrf", token), .. fields]);
    }

    public async Task<Answer> PostRaw(string path, params (string Name, string Value)[] fields)
    {
        using var content = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value)));
        return await Of(await _client.PostAsync(path, content));
    }

    /// <summary>The form with which a question on the page of a run is answered.</summary>
    public async Task<Answer> Decide(string run, string choice, params (string Name, string Value)[] more)
    {
        var page = (await Get("/runs/" + run)).Text;
        return await Post($"/runs/{run}/answer", [("question", WebUtility.HtmlDecode(Hidden("question").Match(page).Groups[1].Value)), ("shown", Hidden("shown").Match(page).Groups[1].Value), ("choice", choice), .. more]);
    }

    static async Task<Answer> Of(HttpResponseMessage message) => new(message.StatusCode, await message.Content.ReadAsStringAsync(), message.Headers.Location, message);

    static Regex Hidden(string name) => new($"name=\"{name}\" value=\"([^\"]*)\"");

    public void Dispose() => _client.Dispose();

    [GeneratedRegex("name=\"_csrf\" value=\"([0-9a-f]+)\"")]
    private static partial Regex FormToken();
}
