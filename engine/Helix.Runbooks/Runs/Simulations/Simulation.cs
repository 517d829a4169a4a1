using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs.Simulations;

/// <summary>Stories about one runbook: what its steps would find, and how the run must then end.</summary>
public sealed record Simulation
{
    public required string Path { get; init; }
    public required Runbook Runbook { get; init; }
    public required Model.Environment Environment { get; init; }
    public required IReadOnlyList<Scenario> Scenarios { get; init; }
}

public sealed record Scenario
{
    public required string Name { get; init; }

    /// <summary>With the inputs of the scenario.</summary>
    public required Plan Plan { get; init; }

    /// <summary>A person is there: a failed step asks.</summary>
    public bool Attended { get; init; }

    /// <summary>By path (<c>each[3]/copy</c>) or pattern (<c>each[]/copy</c>). Steps without a script succeed.</summary>
    public required IReadOnlyDictionary<string, Script> Results { get; init; }
    public required Expectation Expect { get; init; }
    public required Position Position { get; init; }
}

/// <summary>What happens at one step. A single result holds every time, those of a list one after the other.</summary>
public sealed record Script(IReadOnlyList<ScriptedResult> Results, bool Always, Position Position);

public abstract record ScriptedResult(Position Position);

/// <summary>The attempt succeeds; outputs that are not named have stand-ins.</summary>
public sealed record ScriptedOutputs(JsonObject Outputs, Position Position) : ScriptedResult(Position);

public sealed record ScriptedFailure(FailureClass Class, string Message, Position Position) : ScriptedResult(Position);

/// <summary>What somebody answers to a question about the step.</summary>
public sealed record ScriptedDecision(string Choice, Position Position) : ScriptedResult(Position)
{
    /// <summary>Nobody answers before the time is over.</summary>
    public const string Expire = "expire";

    /// <summary>Somebody cancels the run while the question stands.</summary>
    public const string Cancel = "cancel";

    /// <summary>Null: the first who may.</summary>
    public string? By { get; init; }
    public string? Reason { get; init; }
    public string? To { get; init; }
    public JsonObject Inputs { get; init; } = [];

    /// <summary>What a step done by hand puts out.</summary>
    public JsonObject? Outputs { get; init; }
}

public sealed record Expectation
{
    public required Outcome Outcome { get; init; }
    public required Position Position { get; init; }

    /// <summary>Started at least once, in any round.</summary>
    public IReadOnlyList<ExpectedStep> Ran { get; init; } = [];
    public IReadOnlyList<ExpectedStep> Skipped { get; init; } = [];

    /// <summary>Never started.</summary>
    public IReadOnlyList<ExpectedStep> NotRun { get; init; } = [];
}

public sealed record ExpectedStep(string Path, Position Position);
