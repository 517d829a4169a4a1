using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Model.Expressions;

namespace Helix.Runbooks.Model.Rules;

/// <summary>Neo4j 5 has no longer the procedures that older guides call (NEO-10).</summary>
sealed partial class RemovedProcedure : Rule
{
    static readonly Dictionary<string, string> Replacements = new(StringComparer.OrdinalIgnoreCase)
    {
        ["db.constraints"] = "SHOW CONSTRAINTS",
        ["db.indexes"] = "SHOW INDEXES",
        ["db.indexDetails"] = "SHOW INDEXES",
        ["db.schemaStatements"] = "SHOW CONSTRAINTS and SHOW INDEXES",
        ["dbms.cluster.overview"] = "SHOW SERVERS and SHOW DATABASES",
        ["dbms.cluster.role"] = "SHOW DATABASES",
        ["dbms.procedures"] = "SHOW PROCEDURES",
        ["dbms.functions"] = "SHOW FUNCTIONS",
        ["dbms.listQueries"] = "SHOW TRANSACTIONS",
        ["dbms.listTransactions"] = "SHOW TRANSACTIONS",
        ["dbms.killQuery"] = "TERMINATE TRANSACTIONS",
        ["dbms.killTransaction"] = "TERMINATE TRANSACTIONS",
        ["dbms.security.listUsers"] = "SHOW USERS",
        ["dbms.security.listRoles"] = "SHOW ROLES",
        ["dbms.security.createUser"] = "CREATE USER",
    };

    public override IEnumerable<Problem> Check(RuleScope scope) =>
        scope.Steps.SelectMany(step => Check(step.With, path => step.Places.GetValueOrDefault(path, step.Position)));

    /// <summary>Looks through options, also those of a target.</summary>
    public IEnumerable<Problem> Check(JsonObject options, Func<string, Position> placeOf)
    {
        foreach (var (path, text) in TextAt.All("", options))
            foreach (Match call in Call().Matches(text))
                if (Replacements.TryGetValue(call.Groups[1].Value, out var instead))
                    yield return Warn(placeOf(path), $"The procedure {call.Groups[1].Value} is gone since Neo4j 5.", $"Write {instead}.");
    }

    [GeneratedRegex(@"\bCALL\s+([a-z][\w.]*\w)", RegexOptions.IgnoreCase)]
    private static partial Regex Call();
}
