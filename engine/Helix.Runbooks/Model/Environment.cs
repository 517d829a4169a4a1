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

    /// <summary>Who is told what happens here.</summary>
    public IReadOnlyList<Channel> Channels { get; init; } = [];

    /// <summary>File of allowed signers (ssh-keygen format) for approvals of strength `signed`; relative to the environment file.</summary>
    public string? AllowedSigners { get; init; }

    /// <summary>The folder of the environment file; its relative paths start there, and options marked as file paths are absolute already.</summary>
    public string BaseDirectory { get; init; } = "";
    public required SourceFile Source { get; init; }
}

/// <summary>A target that carries messages, and which ones.</summary>
/// <param name="For">Account names and group:NAME; empty: for whomever something waits.</param>
/// <param name="Test">For the messages of runs with <c>--comms test</c>.</param>
public sealed record Channel(string To, IReadOnlyList<Occasion> About, IReadOnlyList<string> For, bool Test);

/// <summary>What people outside are told of.</summary>
public enum Occasion
{
    /// <summary>A run waits for people.</summary>
    Waiting,
    /// <summary>By experience the RTO will be missed.</summary>
    AtRisk,
    /// <summary>A run ended without success.</summary>
    Failed,
    Recovered,
    /// <summary>No good backup, or no success, came for longer than a schedule allows.</summary>
    Overdue,
    /// <summary>What was planned did not start.</summary>
    Missed,
    /// <summary>One person decided alone what others are asked for.</summary>
    BreakGlass,
}
