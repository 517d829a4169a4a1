using System.Globalization;
using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Neo4j;

/// <summary>A version of server or tool; 2025.01 and later count as newer than 5.</summary>
readonly partial record struct Neo4jVersion(int Major, int Minor, string Text)
{
    /// <exception cref="StepFailedException">There is no version in it.</exception>
    public static Neo4jVersion Parse(string text) => Find(text) ?? throw StepFailedException.InvalidData($"'{text}' is no version of Neo4j.");

    public static Neo4jVersion? Find(string text) => Form().Match(text) is { Success: true } match
        ? new(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), match.Value)
        : null;

    public bool IsAtLeast(int major, int minor = 0) => Major > major || (Major == major && Minor >= minor);

    public override string ToString() => Text;

    [GeneratedRegex(@"\b(\d+)\.(\d+)(?:\.\d+)*(?:-[\w.]+)?")]
    private static partial Regex Form();
}

/// <summary>What a server is.</summary>
sealed record ServerFacts(Neo4jVersion Version, Neo4jEdition Edition)
{
    public const string DefaultDatabase = "neo4j";

    public string Database(string? asked) => Database(asked, Version);

    public static string Database(string? asked, Neo4jVersion version) => asked ?? (version.IsAtLeast(4) ? DefaultDatabase : "graph.db");
}
