using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

public enum Mode { Plan, Simulate, Drill, Live }

/// <summary>Runbook + environment + inputs, resolved, in order: what is shown before anything happens, and what a run executes.</summary>
public sealed record Plan
{
    public required Runbook Runbook { get; init; }
    public required Model.Environment Environment { get; init; }

    /// <summary>Input name → resolved value; secrets as references, a backup still as its selector.</summary>
    public required JsonObject Inputs { get; init; }
    public required Mode Mode { get; init; }

    /// <summary>All steps and engine items in document order, rescue and finally included.</summary>
    public required IReadOnlyList<PlannedStep> Steps { get; init; }

    /// <summary>What the run locks, sorted by identity.</summary>
    public required IReadOnlyList<PlannedLock> Locks { get; init; }

    /// <summary>Warnings and errors of planning (a destroying step without a gate …).</summary>
    public required IReadOnlyList<Problem> Problems { get; init; }

    /// <summary>Path as named → file, of everything that a run pins.</summary>
    public required IReadOnlyDictionary<string, SourceFile> Pinned { get; init; }

    /// <summary>SHA-256 over everything above that decides what happens. Answers and confirmations are bound to it.</summary>
    public required string Hash { get; init; }

    /// <summary>Not null: the pinned files cannot be read by this version, for this reason, and nothing of them is here. Such a plan is shown and never driven.</summary>
    public string? Unreadable { get; init; }

    /// <summary>The steps in order, each with the containers that begin with it, and the depth of those.</summary>
    public IEnumerable<(PlannedStep Step, IEnumerable<(int Depth, string Words)> Begins)> Walk() =>
        Steps.Select((step, i) => (step, step.Begins(i == 0 ? null : Steps[i - 1])));

    public bool Destroys => Steps.Any(s => s.Effect == Effect.Destroys);

    /// <summary>What it destroys would be missed: also in an exercise on a protected environment.</summary>
    public bool IsForReal => Mode == Mode.Live || Environment.Protected;

    /// <summary>The planned step of a path of the run: <c>each[3]/copy</c> is planned as <c>each[]/copy</c>.</summary>
    public PlannedStep? Find(string path) => ByPattern.GetValueOrDefault(StepPath.Pattern(path));

    Dictionary<string, PlannedStep>? _byPattern;
    Dictionary<string, PlannedStep> ByPattern => _byPattern ??= Steps.ToDictionary(s => s.Path);
}

/// <summary>A step in a plan.</summary>
public sealed record PlannedStep
{
    /// <summary>With <c>[]</c> where a forEach puts its index.</summary>
    public required string Path { get; init; }
    public required StepItem Item { get; init; }

    /// <summary>Position in document order, over the whole plan.</summary>
    public required int Order { get; init; }

    /// <summary>Nesting, for display.</summary>
    public required int Depth { get; init; }

    /// <summary>The list it stands in: steps, rescue or finally, of the run or of a block.</summary>
    public required Part Part { get; init; }

    /// <summary>The list of the run in which it stands, or the block around it.</summary>
    public required Part Section { get; init; }

    /// <summary>Resolved effects; a scratch target's destruction is already a change.</summary>
    public required IReadOnlyList<TargetEffect> Effects { get; init; }

    /// <summary>The strongest of the effects.</summary>
    public Effect Effect => Effects.Count == 0 ? Effect.Reads : Effects.Max(e => e.Effect);

    /// <summary>Options as far as they are known now; templates that need later outputs as they stand.</summary>
    public required JsonObject With { get; init; }

    /// <summary>The secrets that its options name, as far as they are known now.</summary>
    public IReadOnlyList<Secret> Secrets { get; init; } = [];

    /// <summary>Path of the approval that covers it.</summary>
    public string? Gate { get; init; }

    /// <summary>Containers around it, outermost first, in words: "group sub", "parallel sub, branch 1", "sub, for each item of …".</summary>
    public IReadOnlyList<string> Within { get; init; } = [];

    /// <summary>Those of them in which the step before does not stand, with their depth: what begins here.</summary>
    internal IEnumerable<(int Depth, string Words)> Begins(PlannedStep? before)
    {
        var shared = before is null ? 0 : Within.Zip(before.Within).TakeWhile(pair => pair.First == pair.Second).Count();
        return Within.Skip(shared).Select((words, i) => (shared + i, words));
    }
}

public enum Part { Steps, Rescue, Finally }

/// <summary>What a run holds while it may work on a target, alone or beside others.</summary>
public sealed record PlannedLock(string Identity, string Target, bool Shared);

/// <summary>Paths of steps: ids joined by slashes, with the index of a forEach in brackets.</summary>
public static class StepPath
{
    /// <summary><c>each[3]/copy</c> → <c>each[]/copy</c>.</summary>
    public static string Pattern(string path)
    {
        if (!path.Contains('['))
            return path;
        var text = new System.Text.StringBuilder(path.Length);
        var inside = false;
        foreach (var c in path)
        {
            if (c == ']')
                inside = false;
            if (!inside)
                text.Append(c);
            if (c == '[')
                inside = true;
        }
        return text.ToString();
    }
}
