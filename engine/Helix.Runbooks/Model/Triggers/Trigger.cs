using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Triggers;

/// <summary>A valid file of triggers.</summary>
public sealed record TriggerBook
{
    public required string Path { get; init; }
    public required IReadOnlyDictionary<string, Hook> Hooks { get; init; }
    public required IReadOnlyList<Trigger> Triggers { get; init; }
}

/// <summary>An address of the server that other programs call.</summary>
public sealed record Hook
{
    public required string Name { get; init; }
    public required HookSource From { get; init; }

    /// <summary>With which a signed hook is signed.</summary>
    public Secret? Secret { get; init; }

    /// <summary>A signature counts for so long.</summary>
    public required TimeSpan Window { get; init; }
}

/// <summary>What is started, or suggested, when a hook is called.</summary>
public sealed record Trigger
{
    /// <summary>Unique in its file.</summary>
    public required string Name { get; init; }
    public required string Hook { get; init; }

    /// <summary>Label of an alert → the value that it must have.</summary>
    public required IReadOnlyDictionary<string, string> Match { get; init; }
    public Template? When { get; init; }
    public required Runbook Runbook { get; init; }
    public required Environment Environment { get; init; }

    /// <summary>With expressions over the alert, or over the body of a signed hook.</summary>
    public required JsonObject Inputs { get; init; }

    /// <summary>What makes two calls the same; of an alert that is its fingerprint and its beginning.</summary>
    public Template? Same { get; init; }
    public required TimeSpan SameFor { get; init; }
    public required TimeSpan MinimumDelay { get; init; }
    public required AtOnce AtOnce { get; init; }
    public required TimeSpan ExpiresAfter { get; init; }
    public required TriggeredMode Mode { get; init; }
    public required bool Enabled { get; init; }
    public required Position Position { get; init; }

    /// <summary>Place of each input, for messages.</summary>
    public required IReadOnlyDictionary<string, Position> Places { get; init; }
}
