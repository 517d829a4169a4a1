using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Remote;

/// <summary>The API of a server, with the token that <c>helix login</c> keeps for it.</summary>
sealed class RemoteServer : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    readonly HttpClient _client;
    readonly Session _session;

    RemoteServer(Session session, Uri address, string? token)
    {
        _session = session;
        Address = address;
        _client = new HttpClient { BaseAddress = address, Timeout = Patience };
        _client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
        if (token is not null)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public Uri Address { get; }

    /// <exception cref="RunbookException">No URL, or nobody has logged in.</exception>
    public static RemoteServer Of(Session session)
    {
        var address = AddressOf(session);
        var token = Environment.GetEnvironmentVariable("HELIX_TOKEN") is { Length: > 0 } given ? given : KeptTokens.Of(address);
        return new RemoteServer(session, address, token ?? throw NotLoggedIn(address));
    }

    public static RemoteServer With(Session session, string token) => new(session, AddressOf(session), token);

    static Uri AddressOf(Session session) => Uri.TryCreate(session.Server, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        ? uri
        : throw new RunbookException($"'{session.Server}' is no address of a server.", "Write --server https://helix.example.com.");

    public Task<JsonNode> Get(string path) => Send(() => new HttpRequestMessage(HttpMethod.Get, path));

    /// <summary>For who follows a run: a server that starts again is waited for, a minute long.</summary>
    /// <exception cref="HeldException">It has not come back, and the run may go on there.</exception>
    public async Task<JsonNode> Look(string run)
    {
        try
        {
            return await Send(() => new HttpRequestMessage(HttpMethod.Get, "/api/v1/runs/" + run), tries: 11);
        }
        catch (StepFailedException e)
        {
            throw new HeldException(e.Message, $"What becomes of run {run} is not known here: helix --server {Address} show {run} --follow");
        }
    }

    public async Task<string> Text(string path)
    {
        using var answer = await Answer(() => new HttpRequestMessage(HttpMethod.Get, path));
        return await answer.Content.ReadAsStringAsync();
    }

    /// <param name="key">With it the request may be sent again when its answer was lost: it counts once.</param>
    public Task<JsonNode> Post(string path, JsonNode body, string? key = null) => Send(() =>
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body.ToJsonString(StepJson.Options), Encoding.UTF8, "application/json") };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return request;
    }, tries: key is null ? 1 : 4);

    async Task<JsonNode> Send(Func<HttpRequestMessage> request, int tries = 3)
    {
        using var answer = await Answer(request, tries);
        var text = await answer.Content.ReadAsStringAsync();
        return (text.Length > 0 ? JsonNode.Parse(text) : null) ?? new JsonObject();
    }

    async Task<HttpResponseMessage> Answer(Func<HttpRequestMessage> request, int tries = 3)
    {
        for (var i = 1; ; i++)
        {
            try
            {
                using var message = request();
                var answer = await _client.SendAsync(message);
                if (answer.IsSuccessStatusCode)
                    return answer;
                if ((int)answer.StatusCode < 500 || i >= tries)
                    throw await Refusal(answer);
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                if (i >= tries)
                    throw StepFailedException.Transient($"The server {Address} does not answer: {e.Message}", "Is it running, and is the address right? Nothing is known of what it did.");
            }
            await Task.Delay(TimeSpan.FromSeconds(i), _session.Time);
        }
    }

    async Task<Exception> Refusal(HttpResponseMessage answer)
    {
        if (answer.StatusCode == HttpStatusCode.Unauthorized)
            return NotLoggedIn(Address);
        var text = await answer.Content.ReadAsStringAsync();
        var problem = answer.Content.Headers.ContentType?.MediaType == "application/problem+json" ? JsonNode.Parse(text) : null;
        var (title, hint) = (problem?["title"]?.GetValue<string>() ?? $"{Address} answered {(int)answer.StatusCode}.", problem?["detail"]?.GetValue<string>());
        return answer.StatusCode == HttpStatusCode.Conflict ? new HeldException(title, hint)
            : (int)answer.StatusCode >= 500 ? StepFailedException.Transient(title, hint) : new RunbookException(title, hint);
    }

    static RunbookException NotLoggedIn(Uri address) => new($"You are not logged in at {address}.", $"Make a token on {new Uri(address, "/account")}, then: helix login --server {address}");

    public void Dispose() => _client.Dispose();
}
