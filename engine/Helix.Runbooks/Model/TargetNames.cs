using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model;

/// <summary>Does a named target exist, and is it of a kind that fits?</summary>
static class TargetNames
{
    /// <param name="kinds">Kind of each target by name.</param>
    public static void Check(ProblemList problems, ScalarNode node, Member member, IReadOnlyDictionary<string, string> kinds)
    {
        if (!kinds.TryGetValue(node.Text, out var kind))
            problems.Error("unknown-target", node.Position, $"There is no target '{node.Text}' in the environment.", Suggestion.Hint(node.Text, kinds.Keys, "Targets there"));
        else if (member.TargetKinds is { Count: > 0 } wanted && !wanted.Contains(kind))
            problems.Error("target-kind", node.Position, $"'{node.Text}' is a target of kind {kind}, and '{member.Name}' needs {string.Join(" or ", wanted)}.",
                kinds.Where(k => wanted.Contains(k.Value)).Select(k => k.Key).ToList() is { Count: > 0 } fitting ? $"Of that kind: {string.Join(", ", fitting)}." : null);
    }
}
