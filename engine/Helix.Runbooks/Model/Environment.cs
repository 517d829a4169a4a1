using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>Named systems to act on, read without a problem. Immutable.</summary>
public sealed record Environment
{
    public required string Name { get; init; }

    /// <summary>The name is typed before the first destruction; identity is mandatory; drills refuse.</summary>
    public bool Protected { get; init; }
    public IReadOnlyDictionary<string, JsonNode> Vars { get; init; } = new Dictionary<string, JsonNode>();
    public required EnvironmentTargets Targets { get; init; }

    /// <summary>Group name → account names.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Groups { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>File of allowed signers (ssh-keygen format) for approvals of strength `signed`; relative to the environment file.</summary>
    public string? AllowedSigners { get; init; }

    /// <summary>The folder of the environment file; its relative paths start there, and options marked as file paths are absolute already.</summary>
    public string BaseDirectory { get; init; } = "";
    public required SourceFile Source { get; init; }
}
