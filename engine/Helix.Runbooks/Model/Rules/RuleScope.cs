using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Rules;

/// <summary>What rules look at.</summary>
sealed class RuleScope(Reading reading, Runbook runbook, RunbookNotes notes, bool isSub)
{
    readonly Dictionary<StepItem, IReadOnlyList<TargetEffect>> _effects = new(ReferenceEqualityComparer.Instance);

    public Runbook Runbook { get; } = runbook;

    /// <summary>The runbook is read because another one uses it.</summary>
    public bool IsSub { get; } = isSub;
    public IReadOnlyList<StepItem> Steps { get; } = [.. Items.All(runbook).OfType<StepItem>()];

    /// <summary>A step of this runbook, not of one that it uses.</summary>
    bool IsOwn(StepItem step) => (_own ??= new(Steps, ReferenceEqualityComparer.Instance)).Contains(step);

    HashSet<StepItem>? _own;

    public ItemNotes Notes(Item item) => notes[item.Id];
    public Target? Target(string name) => reading.Environment?.Targets.All.GetValueOrDefault(name);
    public bool OptionsAreApproval(StepItem step) => reading.Catalog.Steps.GetValueOrDefault(step.Uses)?.About.OptionsAreApproval == true;
    public bool IsScratch(string? target) => target is not null && Target(target)?.Scratch == true;

    public EnvironmentTargets? Targets => reading.Environment?.Targets;

    /// <summary>The step's type, if it has something to say of its use; nothing when the options are wrong.</summary>
    public IJudgesUse? Judge(StepItem step) =>
        notes[step.Id].Sound && reading.Catalog.Steps.TryGetValue(step.Uses, out var type) ? type.Step as IJudgesUse : null;

    /// <summary>What the step does with these options as far as they are known; nothing when they are wrong.</summary>
    public IReadOnlyList<TargetEffect> Effects(StepItem step)
    {
        if (!_effects.TryGetValue(step, out var known))
            _effects[step] = known = Find(step);
        return known;
    }

    IReadOnlyList<TargetEffect> Find(StepItem step)
    {
        var own = IsOwn(step);
        if (!reading.Catalog.Steps.TryGetValue(step.Uses, out var type) || (own && !notes[step.Id].Sound))
            return [];
        try
        {
            var effects = OptionStandIn.Effects(type, step.With);
            return step.Effect is not { } stated ? effects
                : effects.Count == 0 ? [new TargetEffect(null, stated)]
                : [.. effects.Select(e => e with { Effect = stated })];
        }
        catch (RunbookException e)
        {
            // A step of a sub-runbook was judged when that was read.
            if (own)
                reading.Problems.Error("options", (notes[step.Id].Node["with"] ?? notes[step.Id].Node).Position, e.Message, e.Hint);
            return [];
        }
    }

    /// <summary>The value of an option as written; null when it is no text.</summary>
    public static string? Text(StepItem step, string option) => Values.Text(step.With[option]);

    public Node? Written(StepItem step, string option) => (notes[step.Id].Node["with"] as MapNode)?[option];

    /// <summary>The references to secrets in an option: one, or a list tried in order.</summary>
    public static IEnumerable<string> References(JsonNode? value) =>
        (value is JsonArray list ? list.Select(Values.Text) : [Values.Text(value)]).OfType<string>()
            .Where(t => t.StartsWith("vault:", StringComparison.Ordinal) || t.StartsWith("env:", StringComparison.Ordinal) || t.StartsWith("file:", StringComparison.Ordinal));
}
