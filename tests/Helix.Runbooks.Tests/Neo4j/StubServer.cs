using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Tests.Http;
using Microsoft.AspNetCore.Http;

namespace Helix.Runbooks.Tests.Neo4j;

/// <summary>What a stub does instead of its next answer to a query.</summary>
enum StubFault { Status429, Status503, Disturbed, Dropped, CutOff, Slow, NoRows, NoJson, RateLimit, FirstPassword }

sealed record StubQuery(string Path, string Statement, JsonObject Parameters, string? Access);

/// <summary>A stub, from the documented HTTP API, of Neo4j 4.4 (transactions) and 5.25 (also the Query API).</summary>
sealed class StubServer : IDisposable
{
    readonly StubListener _listener;
    readonly string? _password;
    readonly string _edition;

    public StubServer(string version, StubGraph graph, int port, string? password = null, string edition = "community", bool queryApi = true, string? store = null)
    {
        (Version, Store, Graph, Port, _password, _edition) = (version, store, graph, port, password, edition);
        QueryApi = queryApi && version.StartsWith('5');
        _listener = new StubListener(port, Answer);
    }

    public string Version { get; }
    public StubGraph Graph { get => Store is null ? field : StubGraph.Read(Store); set; }

    /// <summary>The folder whose store is served, as it is at each question; known before the first one can come.</summary>
    public string? Store { get; }
    public int Port { get; }
    public string Url => $"http://127.0.0.1:{Port}/";
    public bool QueryApi { get; set; }

    /// <summary>The discovery document names the Query API although it is closed.</summary>
    public bool OffersQueryApi { get; set; }
    public List<string> Databases { get; } = ["neo4j", "system"];
    public List<StubMember> Members { get; } = [];
    public ConcurrentQueue<StubFault> Faults { get; } = new();
    public ConcurrentQueue<StubQuery> Queries { get; } = new();

    /// <summary>Rows for queries that numbers cannot answer; null where it knows none either.</summary>
    public Func<StubQuery, StubRows?>? Also { get; init; }

    async Task Answer(HttpContext context)
    {
        var body = Encoding.UTF8.GetString(await StubListener.Body(context));
        var path = context.Request.Path.Value!;
        var (status, answer) = path == "/" ? (200, Discovery()) : !Allowed(context.Request) ? (401, Error("Neo.ClientError.Security.Unauthorized", "Invalid credential.")) : Answer(path, body, context.Request);
        if (path != "/" && Faults.TryDequeue(out var fault))
            await Misbehave(fault, context, status, answer);
        else
            await Send(context, status, answer.ToJsonString());
    }

    JsonObject Discovery()
    {
        var document = new JsonObject
        {
            ["bolt_routing"] = "neo4j://elsewhere:7687",
            ["transaction"] = "http://elsewhere:7474/db/{databaseName}/tx",
            ["bolt_direct"] = "bolt://elsewhere:7687",
            ["neo4j_version"] = Version,
            ["neo4j_edition"] = _edition,
        };
        if (QueryApi || OffersQueryApi)
            document["query"] = "http://elsewhere:7474/db/{databaseName}/query/v2";
        return document;
    }

    bool Allowed(HttpRequest request) =>
        _password is null || request.Headers["Authorization"] == $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"neo4j:{_password}"))}";

    (int, JsonNode) Answer(string path, string body, HttpRequest request)
    {
        var parts = path.Split('/');
        if (parts is not ["", "db", var database, ("tx" or "query"), ("commit" or "v2")])
            return (404, new JsonObject());
        var query = parts[3] == "query";
        if (query && !QueryApi)
            return (404, new JsonObject());
        if (!Databases.Contains(database))
            return (404, Error("Neo.ClientError.Database.DatabaseNotFound", $"Graph not found: {database}"));
        var said = query ? JsonNode.Parse(body)! : JsonNode.Parse(body)!["statements"]![0]!;
        var statement = (string)said["statement"]!;
        var asked = new StubQuery(path, statement, said["parameters"] as JsonObject ?? [], query ? (string?)said["accessMode"] : request.Headers["Access-Mode"].FirstOrDefault());
        Queries.Enqueue(asked);
        var rows = new StubAnswers(this).To(asked, out var error);
        if (error is not null)
            return (query ? 400 : 200, error);
        var columns = new JsonArray([.. rows!.Columns.Select(c => JsonValue.Create(c))]);
        return query
            ? (202, new JsonObject { ["data"] = new JsonObject { ["fields"] = columns, ["values"] = new JsonArray([.. rows.Rows]) }, ["bookmarks"] = new JsonArray("b") })
            : (200, new JsonObject
            {
                ["results"] = new JsonArray(new JsonObject { ["columns"] = columns, ["data"] = new JsonArray([.. rows.Rows.Select(r => new JsonObject { ["row"] = r, ["meta"] = new JsonArray() })]) }),
                ["errors"] = new JsonArray(),
            });
    }

    public string Edition => _edition;

    public static JsonObject Error(string code, string message) => new() { ["errors"] = new JsonArray(new JsonObject { ["code"] = code, ["message"] = message }) };

    static async Task Misbehave(StubFault fault, HttpContext context, int status, JsonNode answer)
    {
        switch (fault)
        {
            case StubFault.Status429 or StubFault.Status503:
                await Send(context, fault == StubFault.Status429 ? 429 : 503, "");
                break;
            case StubFault.Disturbed:
                await Send(context, 200, Error("Neo.TransientError.Transaction.DeadlockDetected", "can't wait, deadlock").ToJsonString());
                break;
            case StubFault.RateLimit:
                await Send(context, 401, Error("Neo.ClientError.Security.AuthenticationRateLimit", "incorrect authentication details too many times in a row").ToJsonString());
                break;
            case StubFault.FirstPassword:
                await Send(context, 403, Error("Neo.ClientError.Security.CredentialsExpired", "The credentials you provided were valid, but must be changed").ToJsonString());
                break;
            case StubFault.Dropped:
                context.Abort();
                break;
            case StubFault.CutOff:
                context.Response.ContentType = "application/json";
                context.Response.ContentLength = 10_000;
                await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(answer.ToJsonString()));
                await context.Response.Body.FlushAsync();
                context.Abort();
                break;
            case StubFault.NoRows:
                if (answer["data"] is { } data)
                    data["values"] = new JsonArray();
                else
                    answer["results"]![0]!["data"] = new JsonArray();
                await Send(context, status, answer.ToJsonString());
                break;
            case StubFault.NoJson:
                await Send(context, 200, "<html>a proxy</html>", "text/html");
                break;
            case StubFault.Slow:
                await Task.Delay(TimeSpan.FromMinutes(10), TimeProvider.System, context.RequestAborted);
                break;
        }
    }

    static Task Send(HttpContext context, int status, string text, string type = "application/json") => StubListener.Send(context, status, text, type);

    public void Dispose() => _listener.Dispose();
}
