using System.Text.Json.Nodes;

namespace Helix.Steps.Neo4j;

/// <summary>How a server wants to be asked: 3.x, 4.x, and the Query API, which 5.x has from 5.19 and offers by default from 5.25.</summary>
abstract class Dialect
{
    public static Dialect OneDatabase { get; } = new Transaction(_ => "db/data/transaction/commit");
    public static Dialect Transactions { get; } = new Transaction(name => $"db/{name}/tx/commit");
    public static Dialect QueryApi { get; } = new Query();

    /// <summary>What a discovery document offers; null when it is none. Its addresses are those that the server has for itself: only their presence counts.</summary>
    public static Dialect? Of(JsonObject? discovery) => discovery switch
    {
        null => null,
        _ when discovery.ContainsKey("query") => QueryApi,
        _ when discovery.ContainsKey("transaction") => Transactions,
        _ when discovery.ContainsKey("data") => OneDatabase,
        _ => null,
    };

    public abstract string Path(string database);
    public abstract JsonObject Body(string query, JsonObject? parameters, bool reads);

    /// <summary>Null when it is no answer of this dialect.</summary>
    public abstract Answer? Read(JsonNode body);

    /// <summary>The way is closed although it was offered; the one before it is still there.</summary>
    public virtual bool FallsBack(int status, JsonNode? body) => false;

    sealed class Transaction(Func<string, string> path) : Dialect
    {
        public override string Path(string database) => path(Uri.EscapeDataString(database));

        public override JsonObject Body(string query, JsonObject? parameters, bool reads) =>
            new() { ["statements"] = new JsonArray(Statement(query, parameters)) };

        public override Answer? Read(JsonNode body) => (body as JsonObject)?["results"] is JsonArray and [JsonObject result, ..]
            ? new([.. result["columns"]!.AsArray().Select(c => (string)c!)], [.. result["data"]!.AsArray().Select(d => d!["row"]!.AsArray())])
            : null;
    }

    sealed class Query : Dialect
    {
        public override string Path(string database) => $"db/{Uri.EscapeDataString(database)}/query/v2";

        public override JsonObject Body(string query, JsonObject? parameters, bool reads)
        {
            var body = Statement(query, parameters);
            if (reads)
                body["accessMode"] = "Read";
            return body;
        }

        public override Answer? Read(JsonNode body) => (body as JsonObject)?["data"] is JsonObject data
            ? new([.. data["fields"]!.AsArray().Select(c => (string)c!)], [.. data["values"]!.AsArray().Select(r => r!.AsArray())])
            : null;

        public override bool FallsBack(int status, JsonNode? body) => status is 404 or 405 && (body as JsonObject)?["errors"] is null;
    }

    static JsonObject Statement(string query, JsonObject? parameters) => new() { ["statement"] = query, ["parameters"] = parameters?.DeepClone() ?? new JsonObject() };
}
