using System.Text.Json.Nodes;

namespace Helix.Runbooks.Model.Rules;

/// <summary>A forced restore of Vault brings another cluster's unseal keys with it: who approves must see which (VLT-02).</summary>
sealed class ForcedRestoreWithoutOrigin : Rule
{
    public override IEnumerable<Problem> Check(RuleScope scope)
    {
        for (var i = 0; i < scope.Steps.Count; i++)
            if (scope.Steps[i] is { Uses: "vault.restore" } step && MayForce(step) && Origin(step) is { } origin
                && !scope.Steps.Take(i).Any(s => s.Uses == EngineItems.Approval && RuleScope.Text(s, "message")?.Contains(origin, StringComparison.Ordinal) == true))
                yield return Warn(step.Position, $"After '{step.Id}' the unseal keys of another cluster may apply, and no approval before it names that cluster.",
                    $"Say it in the message of the approval: \"… came from cluster {{{{ {origin} }}}} …\".");
    }

    static bool MayForce(StepItem step) => step.With["force"] is { } force && !(force is JsonValue value && value.TryGetValue<bool>(out var yes) && !yes);

    /// <summary>The expression without its braces, or the literal.</summary>
    static string? Origin(StepItem step) => RuleScope.Text(step, "origin")?.Replace("{{", "", StringComparison.Ordinal).Replace("}}", "", StringComparison.Ordinal).Trim();
}
