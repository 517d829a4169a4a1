using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Rules;

/// <summary>One thing that is allowed by the language and still wrong, or nearly always wrong.</summary>
abstract class Rule
{
    public abstract IEnumerable<Problem> Check(RuleScope scope);

    protected Problem Warn(Position place, string message, string? hint = null) =>
        new(place, message, hint, Severity.Warning) { Rule = Name };

    protected Problem Fail(Position place, string message, string? hint = null) => new(place, message, hint) { Rule = Name };

    /// <summary>The class name in kebab-case.</summary>
    protected string Name => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(GetType().Name);
}

static class RuleBook
{
    public static IReadOnlyList<Rule> All { get; } = [];
}

/// <summary>What rules look at.</summary>
sealed class RuleScope(Reading reading, Runbook runbook, RunbookNotes notes)
{
    readonly Dictionary<string, IReadOnlyList<TargetEffect>> _effects = [];

    public Runbook Runbook { get; } = runbook;
    public IReadOnlyList<StepItem> Steps { get; } = [.. Items.All(runbook).OfType<StepItem>()];
    public ItemNotes Notes(Item item) => notes[item.Id];

    /// <summary>What the step does with these options as far as they are known; nothing when they are wrong.</summary>
    public IReadOnlyList<TargetEffect> Effects(StepItem step)
    {
        if (_effects.TryGetValue(step.Id, out var known))
            return known;
        return _effects[step.Id] = notes[step.Id] is { Type: { } type, Sound: true } ? Find(step, type) : [];
    }

    IReadOnlyList<TargetEffect> Find(StepItem step, StepType type)
    {
        try
        {
            return OptionStandIn.Effects(type, step.With);
        }
        catch (RunbookException e)
        {
            reading.Problems.Error("options", (notes[step.Id].Node["with"] ?? notes[step.Id].Node).Position, e.Message, e.Hint);
            return [];
        }
    }

    /// <summary>The value of an option as written; null when it is no text.</summary>
    public static string? Text(StepItem step, string option) => step.With[option] is JsonValue value ? value.ToString() : null;

    public Node? Written(StepItem step, string option) => (notes[step.Id].Node["with"] as MapNode)?[option];
}
