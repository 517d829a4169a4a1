using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Http;

namespace Helix.Steps.Neo4j;

/// <summary>One server, asked in the dialect that its discovery document offers.</summary>
sealed class Neo4jConnection : IDisposable
{
    const int Tries = 3;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    readonly Neo4jTarget _target;
    readonly PlanContext _context;
    readonly HttpClient _client;
    readonly string? _login;
    Dialect _dialect = Dialect.Transactions;
    ServerFacts? _about;

    Neo4jConnection(Neo4jTarget target, PlanContext context, string? password)
    {
        (_target, _context) = (target, context);
        _login = password is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes($"{target.User}:{password}"));
        _client = context.Http(new() { CaFile = target.CaFile, FollowRedirects = false, Timeout = TimeSpan.FromMinutes(5), ConnectTimeout = TimeSpan.FromSeconds(5) });
    }

    Uri Root => new(_target.Url.TrimEnd('/') + "/");

    /// <summary>In words: "neo4j at localhost:7474".</summary>
    public string Name => $"{_target.Name} at {Root.Host}:{Root.Port}";
    public int Port => Root.Port;

    /// <summary>This machine's name for an address that means this machine.</summary>
    public string MachineName => Root.IsLoopback ? Environment.MachineName : Root.Host;

    /// <exception cref="StepFailedException">It does not answer, or is something else.</exception>
    public static async Task<Neo4jConnection> Open(Neo4jTarget target, PlanContext context)
    {
        var server = new Neo4jConnection(target, context, target.Password is { } secret ? await context.Reveal(secret) : null);
        try
        {
            await server.Discover();
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    async Task Discover()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Root);
        var (status, body) = await Send(request);
        if (HttpCall.ClassOf(status) == FailureClass.Transient)
            throw StepFailedException.Transient($"{Name} answers {status}.");
        _dialect = Dialect.Of(body as JsonObject) ?? throw StepFailedException.InvalidData(
            $"{Name} answers {status}, and that is no discovery document of Neo4j.", "Is `url` the HTTP address of Neo4j (port 7474), not that of Bolt or of a proxy?");
        if ((string?)body!["neo4j_version"] is { } version)
            _about = new(Neo4jVersion.Parse(version), EditionOf((string?)body["neo4j_edition"]));
    }

    /// <summary>Version and edition.</summary>
    public async Task<ServerFacts> About()
    {
        if (_about is { } known)
            return known;
        var answer = await Ask("CALL dbms.components() YIELD name, versions, edition RETURN versions[0] AS version, edition ORDER BY name");
        var kernel = answer.Objects.LastOrDefault() ?? throw StepFailedException.InvalidData($"{Name} does not say which version it is.");
        return _about = new(Neo4jVersion.Parse((string)kernel["version"]!), EditionOf((string?)kernel["edition"]));
    }

    static Neo4jEdition EditionOf(string? word) => word == "enterprise" ? Neo4jEdition.Enterprise : Neo4jEdition.Community;

    public async Task<string> DatabaseName(string? asked = null) => (await About()).Database(asked ?? _target.Database);

    public Neo4jTarget Target => _target;

    /// <summary>The whole answer to a query that only reads; asked again when the server says that it was disturbed.</summary>
    public Task<Answer> Ask(string query, JsonObject? parameters = null, string? database = null) => Say(query, parameters, database, reads: true);

    /// <summary>One transaction that writes; repeated only when the server says that it has undone it.</summary>
    public Task<Answer> Write(string query, JsonObject? parameters = null, string? database = null) => Say(query, parameters, database, reads: false);

    /// <summary>The first value, which is a number.</summary>
    public async Task<long> Number(string query, string? database = null) => (await Ask(query, null, database)).Rows is [[JsonValue value, ..], ..] && value.TryGetValue<long>(out var number)
        ? number
        : throw StepFailedException.InvalidData($"{Name} gave no number for {query}.");

    async Task<Answer> Say(string query, JsonObject? parameters, string? database, bool reads)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                return await Once(query, parameters, database, reads);
            }
            catch (StepFailedException e) when (e.Failure == FailureClass.Transient && attempt < Tries && (reads || e is { InnerException: UndoneException }))
            {
                await _context.Delay(Pause * attempt);
            }
    }

    async Task<Answer> Once(string query, JsonObject? parameters, string? database, bool reads)
    {
        // 3.x has one database; where its name is asked for, version and edition were already.
        var name = _dialect == Dialect.OneDatabase ? "" : database ?? _target.Database ?? ServerFacts.DefaultDatabase;
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Root, _dialect.Path(name)));
        request.Content = new StringContent(_dialect.Body(query, parameters, reads).ToJsonString(), Encoding.UTF8, "application/json");
        if (reads && _dialect == Dialect.Transactions)
            request.Headers.Add("Access-Mode", "READ");
        var (status, body) = await Send(request);
        if (_dialect.FallsBack(status, body))
        {
            _dialect = Dialect.Transactions;
            return await Once(query, parameters, database, reads);
        }
        if (ServerRefusal.Of(status, body, this, _target.User, name) is { } refusal)
            throw refusal;
        if (body is null)
            throw StepFailedException.Transient($"{Name} answered {status} and nothing else.");
        return _dialect.Read(body) ?? throw StepFailedException.InvalidData($"{Name} answered {status} without a result.", "Is something between that speaks for it?");
    }

    async Task<(int Status, JsonNode? Body)> Send(HttpRequestMessage request)
    {
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (_login is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", _login);
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _context.Cancelled);
            return ((int)response.StatusCode, await Answer.Json(response, Name, _context.Cancelled));
        }
        catch (HttpRequestException e)
        {
            throw e.HttpRequestError == HttpRequestError.SecureConnectionError
                ? new StepFailedException(FailureClass.Auth, $"{Name} shows a certificate that is not trusted here, or speaks no TLS.", "Give `caFile`, the authority that signed it; or write http:// in `url`.", e)
                : new StepFailedException(FailureClass.Transient, $"{Name} does not answer: {HttpCall.Reason(e)}.", "Does it run, and is `url` right?", e);
        }
        catch (IOException e)
        {
            throw new StepFailedException(FailureClass.Transient, $"{Name} broke off in the middle of its answer.", null, e);
        }
        catch (OperationCanceledException e) when (!_context.Cancelled.IsCancellationRequested)
        {
            throw new StepFailedException(FailureClass.Transient, $"{Name} did not answer in time.", null, e);
        }
    }

    public void Dispose() => _client.Dispose();
}
