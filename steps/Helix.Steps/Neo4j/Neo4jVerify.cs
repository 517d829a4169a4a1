using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

public sealed record Neo4jVerifyOptions
{
    [Description("The server to check.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public required string Target { get; init; }

    [Description("What it must hold, as a manifest says: nodes, relationships, label:NAME, type:NAME, constraints, indexes.")]
    [Example("{ nodes: 1250 }")]
    public IReadOnlyDictionary<string, long>? Counts { get; init; }

    [Description("By how many percent a count may differ, for a server that clients write to.")]
    [Range(0, 100)]
    public double Tolerance { get; init; }

    [Description("Queries whose answer must be right, beside those of the target.")]
    public IReadOnlyList<Neo4jCheck> Checks { get; init; } = [];

    [Description("Another target whose checks this server must pass too: what was restored from it.")]
    [TargetName("neo4j")]
    [Example("neo4j")]
    public string? ChecksOf { get; init; }

    [Description("The database. Default: that of the target.")]
    public string? Database { get; init; }

    [Description("Also an empty database is right.")]
    public bool MayBeEmpty { get; init; }
}

public sealed record Neo4jVerifyOutputs
{
    [Description("What it holds: nodes, relationships, label:NAME, type:NAME, constraints, indexes.")]
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    [Description("Queries that were checked.")]
    public required int Checked { get; init; }
    public required string ServerVersion { get; init; }
}

[Step("neo4j.verify", "Checks counts by label and type, constraints, indexes and the queries that good data answers.")]
public sealed class Neo4jVerify : Step<Neo4jVerifyOptions, Neo4jVerifyOutputs>
{
    public override IEnumerable<TargetEffect> Effects(Neo4jVerifyOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<Neo4jVerifyOutputs> Run(Neo4jVerifyOptions options, StepContext context)
    {
        var target = context.Target<Neo4jTarget>(options.Target);
        using var server = await Neo4jConnection.Open(target, context);
        var counts = await GraphCounts.Of(server, options.Database);
        var schema = await GraphSchema.Of(server, options.Database);
        List<string> faults = [.. counts.DifferencesTo(options.Counts ?? new Dictionary<string, long>(), options.Tolerance / 100), .. schema.Faults];
        if (counts.Nodes == 0 && !options.MayBeEmpty && options.Counts?.GetValueOrDefault("nodes") is not > 0)
            faults.Add("it holds no nodes at all");
        List<Neo4jCheck> checks = [.. target.Checks, .. options.ChecksOf is { } other ? context.Target<Neo4jTarget>(other).Checks : [], .. options.Checks];
        foreach (var check in checks)
            if (await FaultOf(check, server, options.Database) is { } fault)
                faults.Add(fault);
        if (faults.Count > 0)
            throw StepFailedException.InvalidData($"{server.Name} is not as it should be: {string.Join("; ", faults)}.");
        context.Log($"{server.Name} holds {counts}; {checks.Count} queries gave the right answer");
        return new() { Counts = counts.All, Checked = checks.Count, ServerVersion = (await server.About()).Version.Text };
    }

    static async Task<string?> FaultOf(Neo4jCheck check, Neo4jConnection server, string? database)
    {
        if (check is { Expect: null, AtLeast: null, AtMost: null, MaxChangeFromLastBackup: null })
            throw new RunbookException($"The check '{check.Query}' says of no answer that it is right.", "Give it `expect`, `atLeast`, `atMost` or `maxChangeFromLastBackup`.");
        var answer = await server.Ask(check.Query, null, database);
        var value = answer.Rows is [[var first, ..], ..] ? first : null;
        if (check.Expect is { } wanted && !Same(wanted, value))
            return $"{check.Query} gives {Shown(value)} instead of {Shown(wanted)}";
        if (check.AtLeast is null && check.AtMost is null)
            return null;
        var number = Number(value);
        return number is null ? $"{check.Query} gives {Shown(value)}, which is no number"
            : number < check.AtLeast ? $"{check.Query} gives {Shown(value)}, less than {check.AtLeast}"
            : number > check.AtMost ? $"{check.Query} gives {Shown(value)}, more than {check.AtMost}"
            : null;
    }

    static bool Same(JsonNode wanted, JsonNode? found) =>
        JsonNode.DeepEquals(wanted, found) || (Number(wanted) is { } number && Number(found) is { } other && number.Equals(other));

    static double? Number(JsonNode? value) => value is JsonValue && value.GetValueKind() == System.Text.Json.JsonValueKind.Number
        ? double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture)
        : null;

    static string Shown(JsonNode? value) => value is null ? "nothing" : Http.HttpCall.Short(value.ToJsonString(StepJson.Options));
}
