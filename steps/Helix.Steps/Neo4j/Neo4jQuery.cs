using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>What a query does.</summary>
public enum QueryAccess { Read, Write, Destroy }

public sealed record Neo4jQueryOptions : IDeclaresOutputs
{
    [Description("The server.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Target { get; init; }

    [Description("The query. Values reach it as parameters, never by splicing.")]
    [NoTemplate(ByParameters)]
    [Example("\"MATCH (l:AuditLog {action: 'delete'}) WHERE l.timestamp > $since RETURN min(l.timestamp) AS first\"")]
    public required string Query { get; init; }

    internal const string ByParameters = "Pass values as `parameters: { name: … }`, and write $name in the text.";

    [Description("The values of its parameters.")]
    [Example("{ since: \"2026-03-01T02:00:00Z\" }")]
    public IReadOnlyDictionary<string, JsonNode?> Parameters { get; init; } = new Dictionary<string, JsonNode?>();

    [Description("The database. Default: that of the target.")]
    [Fixed]
    public string? Database { get; init; }

    [Description("read: the server refuses writes; write: it changes something; destroy: it removes what cannot be had back.")]
    [Fixed]
    public QueryAccess Access { get; init; }

    [Description("For a large answer: rows per page. The query must then end with `SKIP $skip LIMIT $limit` behind an ORDER BY.")]
    [Range(1, 100_000)]
    public int? Page { get; init; }

    [Description("More rows than this are an error.")]
    [Range(1, 1_000_000)]
    public int MaxRows { get; init; } = 10_000;

    [Description("Fail when there is no row.")]
    public bool NeedsRows { get; init; }

    [Description("What later steps can use: json:$[0].COLUMN, or json:$ for all rows as a list.")]
    [Example("{ first: { type: timestamp, from: \"json:$[0].first\" } }")]
    public IReadOnlyDictionary<string, DeclaredOutput> Outputs { get; init; } = new Dictionary<string, DeclaredOutput>();
}

[Step("neo4j.query", "Asks a query with parameters; reads unless it says otherwise.")]
public sealed partial class Neo4jQuery : Step<Neo4jQueryOptions, DeclaredOutputs>
{
    public override IEnumerable<TargetEffect> Effects(Neo4jQueryOptions options) => [options.Access switch
    {
        QueryAccess.Read => TargetEffect.Reads(options.Target),
        QueryAccess.Write => TargetEffect.Changes(options.Target),
        _ => TargetEffect.Destroys(options.Target, "what the query removes"),
    }];

    public override Task<StepPlan> Plan(Neo4jQueryOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"{(options.Access == QueryAccess.Read ? "Ask" : "Run")} on {options.Target}: {options.Query.ReplaceLineEndings(" ").Trim()}"] });

    public override async Task<DeclaredOutputs> Run(Neo4jQueryOptions options, StepContext context)
    {
        Refuse(options);
        using var server = await Neo4jConnection.Open(context.Target<Neo4jTarget>(options.Target), context);
        var rows = await Rows(server, options);
        context.Log($"{rows.Count} rows from {server.Name}");
        if (rows.Count == 0 && options.NeedsRows)
            throw StepFailedException.Missing($"{server.Name} has nothing that the query asks for.");
        return DeclaredValues.Read(options.Outputs, rows.ToJsonString(StepJson.Options), $"The answer of {server.Name}");
    }

    /// <summary>A query that only reads is just asked again; what another one did is not known.</summary>
    public override Task<ProbeResult<DeclaredOutputs>> Probe(Neo4jQueryOptions options, StepContext context) => Task.FromResult(options.Access == QueryAccess.Read
        ? ProbeResult<DeclaredOutputs>.NotDone("a question may be asked again")
        : ProbeResult<DeclaredOutputs>.Unknown("whether the query was carried out is not known"));

    static async Task<JsonArray> Rows(Neo4jConnection server, Neo4jQueryOptions options)
    {
        var all = new JsonArray();
        for (var page = 0; ; page++)
        {
            var parameters = new JsonObject(options.Parameters.Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
            if (options.Page is { } size)
                (parameters["skip"], parameters["limit"]) = ((long)page * size, size);
            var answer = options.Access == QueryAccess.Read
                ? await server.Ask(options.Query, parameters, options.Database)
                : await server.Write(options.Query, parameters, options.Database);
            foreach (var row in answer.Objects)
                all.Add(row);
            if (all.Count > options.MaxRows)
                throw StepFailedException.InvalidData($"{server.Name} answered with more than {options.MaxRows:N0} rows.", "Ask for less, or raise `maxRows`.");
            if (options.Page is null || answer.Rows.Count < options.Page)
                return all;
        }
    }

    static void Refuse(Neo4jQueryOptions options)
    {
        if (options.Page is not null && !(options.Query.Contains("$skip", StringComparison.Ordinal) && options.Query.Contains("$limit", StringComparison.Ordinal)))
            throw new RunbookException("A query that is asked page by page needs $skip and $limit.", "End it with ORDER BY … SKIP $skip LIMIT $limit.");
        // Servers before 4.0 do not refuse a write in a question.
        if (options.Access == QueryAccess.Read && Writes().Match(Literals().Replace(options.Query, "''")) is { Success: true } write)
            throw new RunbookException($"The query writes ({write.Value.ToUpperInvariant()}), and the step says that it only reads.", "Say `access: write`, or `access: destroy`.");
    }

    [GeneratedRegex(@"'(?:[^'\\]|\\.)*'|""(?:[^""\\]|\\.)*""|`[^`]*`|//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Literals();

    [GeneratedRegex(@"(?<![.:$\w])(CREATE|MERGE|DELETE|SET|REMOVE|DROP|LOAD\s+CSV|FOREACH)\b(?!\s*[:=,.)])", RegexOptions.IgnoreCase)]
    private static partial Regex Writes();
}
