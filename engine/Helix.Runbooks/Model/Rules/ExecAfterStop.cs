using System.Text.Json.Nodes;

namespace Helix.Runbooks.Model.Rules;

/// <summary>A command inside a service that was stopped has nowhere to run (NEO-02).</summary>
sealed class ExecAfterStop : Rule
{
    static readonly HashSet<string> Inside = ["target.exec", "kubernetes.exec"];

    public override IEnumerable<Problem> Check(RuleScope scope) =>
        [.. In(scope.Runbook.Steps, []), .. In(scope.Runbook.Rescue, []), .. In(scope.Runbook.Finally, [])];

    IEnumerable<Problem> In(IReadOnlyList<Item> items, Dictionary<string, string> stopped)
    {
        foreach (var item in items)
            foreach (var problem in item is StepItem step ? Visit(step, stopped) : Enter(item, stopped))
                yield return problem;
    }

    /// <summary>Branches of a parallel do not see what the others stop.</summary>
    IEnumerable<Problem> Enter(Item item, Dictionary<string, string> stopped) =>
        item.Lists().SelectMany(list => In(list, item is GroupItem ? stopped : new(stopped)));

    IEnumerable<Problem> Visit(StepItem step, Dictionary<string, string> stopped)
    {
        foreach (var target in Targets(step))
            if (step.Uses == "target.stop")
                stopped[target] = step.Id;
            else if (step.Uses is "target.start" or "target.restart" or "compose.up")
                stopped.Remove(target);
            else if (Inside.Contains(step.Uses) && stopped.TryGetValue(target, out var by))
                yield return Warn(step.Position, $"'{step.Id}' runs a command inside '{target}', which '{by}' has stopped.", "Start it first, or use a step type that works on stopped data.");
    }

    static IEnumerable<string> Targets(StepItem step) =>
        (step.With["targets"] as JsonArray ?? []).Append(step.With["target"]?.DeepClone()).OfType<JsonValue>().Select(v => v.ToString());
}
