using System.Collections.Immutable;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>What is known at a point of the runbook about the steps before it.</summary>
sealed record Flow
{
    /// <summary>Have succeeded for sure.</summary>
    public ImmutableHashSet<string> Certain { get; init; } = [];

    /// <summary>Stand before this point and may have run.</summary>
    public ImmutableHashSet<string> Seen { get; init; } = [];

    /// <summary>Run at the same time, in other branches.</summary>
    public ImmutableHashSet<string> Beside { get; init; } = [];

    /// <summary>The elements of the forEach blocks around.</summary>
    public ImmutableDictionary<string, Shape> Elements { get; init; } = ImmutableDictionary<string, Shape>.Empty;

    /// <summary>Ids of the forEach blocks around.</summary>
    public ImmutableList<string> Loops { get; init; } = [];

    public Flow After(string id, bool certain) => this with { Seen = Seen.Add(id), Certain = certain ? Certain.Add(id) : Certain };
    public Flow Knowing(ImmutableHashSet<string> succeeded) => succeeded.IsEmpty ? this : this with { Certain = Certain.Union(succeeded) };
}

/// <summary>What is known of a step once its place was reached.</summary>
/// <param name="Before">The steps that have succeeded for sure when it starts.</param>
sealed record StepFacts(RecordShape Outputs, ImmutableList<string> Loops, ImmutableHashSet<string> Before);

/// <summary>All that expressions of one runbook may name.</summary>
sealed record Visible(Shape Inputs, Shape Vars, Shape Targets, IReadOnlySet<string> Ids)
{
    /// <summary>Items that were not understood.</summary>
    public IReadOnlySet<string> Broken { get; init; } = new HashSet<string>();

    /// <summary>Filled in the order of the text.</summary>
    public Dictionary<string, StepFacts> Steps { get; } = [];

    public static readonly Shape Run = ShapeOf.Type(typeof(RunVariables));

    /// <summary>The words of the journal's StepStatus, which the model does not know; a test holds them together.</summary>
    public static readonly EnumShape Status = new(["pending", "running", "retrying", "waiting", "indoubt", "succeeded", "skipped", "failed", "cancelled"]);

    /// <summary>Why a step failed; a word of its own where it did not.</summary>
    public static readonly EnumShape Failure = new(["none", .. EnumNames.Of(typeof(FailureClass)).Keys]);
}
