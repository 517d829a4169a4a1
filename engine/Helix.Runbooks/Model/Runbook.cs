using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>A runbook that was read without a problem. Immutable.</summary>
public sealed record Runbook
{
    public required string Name { get; init; }
    public required string Title { get; init; }
    public string Description { get; init; } = "";
    public string? Owner { get; init; }
    public IReadOnlyList<string> Symptoms { get; init; } = [];
    public Objectives Objectives { get; init; } = new();
    public IReadOnlyDictionary<string, Input> Inputs { get; init; } = new Dictionary<string, Input>();
    public IReadOnlyList<Item> Steps { get; init; } = [];
    public IReadOnlyList<Item> Rescue { get; init; } = [];
    public IReadOnlyList<Item> Finally { get; init; } = [];

    /// <summary>Labels that a machine must have to drive it, those of its sub-runbooks included.</summary>
    public IReadOnlyDictionary<string, string> Needs { get; init; } = new Dictionary<string, string>();

    /// <summary>What a caller of this runbook sees: name → expression.</summary>
    public IReadOnlyDictionary<string, Template> Outputs { get; init; } = new Dictionary<string, Template>();

    /// <summary>How often a run may go back (rounds, the first included). Default 3.</summary>
    public int MaxRounds { get; init; } = 3;

    /// <summary>A backup that is loaded must have a restore proof (rule 10 c).</summary>
    public bool RequireProof { get; init; }

    public required SourceFile Source { get; init; }
}

/// <summary>The exact bytes of a file that a run keeps.</summary>
public sealed record SourceFile(string Path, byte[] Bytes, string Sha256)
{
    public static SourceFile Of(string path, byte[] bytes) =>
        new(path, bytes, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)));
}

public sealed record Objectives
{
    public TimeSpan? Rto { get; init; }
    public TimeSpan? Rpo { get; init; }
    public TimeSpan? Mttr { get; init; }

    /// <summary>Id of the step or block whose success ends the RTO clock. Null: the last step.</summary>
    public string? RecoveredAt { get; init; }

    /// <summary>Id of the step or block whose start begins the clocks, because it brings the failure about. Null: the declaration does.</summary>
    public string? FailedAt { get; init; }
}

public enum InputType { String, Number, Boolean, Duration, Timestamp, Choice, Secret, Backup }

public sealed record Input
{
    public required InputType Type { get; init; }
    public string? Description { get; init; }
    public bool Required { get; init; }

    /// <summary>A literal of the input's type (for a backup a selector); null: none.</summary>
    public JsonNode? Default { get; init; }
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>For text: a regular expression that the whole value matches.</summary>
    public string? Pattern { get; init; }
    public double? Minimum { get; init; }
    public double? Maximum { get; init; }

    /// <summary>For a backup: the target that holds it, and the prefix of its series.</summary>
    public string? Target { get; init; }
    public string? Prefix { get; init; }
}

/// <summary>A place in a file; line and column from 1.</summary>
public sealed record Position(string File, int Line, int Column)
{
    /// <summary>Of what stands in no file.</summary>
    public static Position None { get; } = new("", 0, 0);

    public override string ToString() => $"{File}:{Line}:{Column}";
}

public enum IfFails { Abort, Continue, Ask }

public sealed record Timeouts
{
    /// <summary>For one attempt.</summary>
    public TimeSpan? Attempt { get; init; }

    /// <summary>For all attempts with the pauses between.</summary>
    public TimeSpan? Total { get; init; }

    /// <summary>Without output or progress.</summary>
    public TimeSpan? NoProgress { get; init; }
}

public enum Backoff { Constant, Exponential }

public sealed record Retry
{
    /// <summary>Tries in all, the first included.</summary>
    public int Attempts { get; init; } = 1;
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(2);
    public Backoff Backoff { get; init; } = Backoff.Exponential;
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Share of the delay that varies, 0 to 1.</summary>
    public double Jitter { get; init; } = 0.1;

    /// <summary>True: <c>on: any</c>. False: only what the step calls transient.</summary>
    public bool OnAny { get; init; }
}

/// <summary>An item of a list of steps. Defaults of the runbook are already filled in where they apply.</summary>
public abstract record Item
{
    /// <summary>Unique in the runbook; made from the kind and a number (<c>parallel_1</c>) where the text gives none.</summary>
    public required string Id { get; init; }
    public string? Name { get; init; }
    public Template? When { get; init; }
    public Timeouts Timeout { get; init; } = new();

    /// <summary>Null: the default, which depends on who started the run.</summary>
    public IfFails? IfFails { get; init; }
    public required Position Position { get; init; }
}

/// <summary><c>uses: system.verb</c>, and the engine's own <c>approval</c>, <c>manual</c>, <c>wait</c>.</summary>
public sealed record StepItem : Item
{
    public required string Uses { get; init; }

    /// <summary>As written, templates included; already checked against the step type.</summary>
    public required JsonObject With { get; init; }

    /// <summary>Null: not given here nor as a default.</summary>
    public Retry? Retry { get; init; }

    /// <summary>Stated by the runbook, for step types that demand it.</summary>
    public Effect? Effect { get; init; }

    /// <summary>Place of each option by its JSON path ("target", "counts[0].query"), for messages at run time.</summary>
    public IReadOnlyDictionary<string, Position> Places { get; init; } = new Dictionary<string, Position>();
}

/// <summary>An item that holds others.</summary>
public abstract record BlockItem : Item
{
    public IReadOnlyList<Item> Rescue { get; init; } = [];
    public IReadOnlyList<Item> Finally { get; init; } = [];
}

public sealed record ParallelItem : BlockItem
{
    public required IReadOnlyList<IReadOnlyList<Item>> Branches { get; init; }
    public bool FailFast { get; init; } = true;
}

public sealed record GroupItem : BlockItem
{
    public required IReadOnlyList<Item> Steps { get; init; }
}

public sealed record ForEachItem : BlockItem
{
    public required Template List { get; init; }

    /// <summary>The name of the element in expressions.</summary>
    public string As { get; init; } = "item";
    public int MaxParallel { get; init; } = 1;

    /// <summary>A longer list is refused (PM-03).</summary>
    public int? AtMost { get; init; }
    public bool FailFast { get; init; } = true;
    public required IReadOnlyList<Item> Steps { get; init; }
}

/// <summary><c>uses: runbook</c>: another runbook, inlined.</summary>
public sealed record RunbookItem : BlockItem
{
    public required string File { get; init; }
    public required Runbook Runbook { get; init; }

    /// <summary>Input name → literal or template.</summary>
    public required JsonObject Inputs { get; init; }
}
