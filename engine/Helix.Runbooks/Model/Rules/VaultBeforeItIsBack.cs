using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Rules;

/// <summary>A secret that only Vault holds is needed before the runbook has brought Vault back.</summary>
sealed class VaultBeforeItIsBack : Rule
{
    public override IEnumerable<Problem> Check(RuleScope scope)
    {
        var steps = Items.All(scope.Runbook.Steps).OfType<StepItem>().ToList();
        var back = steps.FindLastIndex(s => s.Uses is "vault.restore" or "vault.unseal" or "vault.init");
        for (var i = 0; i < back; i++)
            if (Needs(steps[i], scope) is { } what)
                yield return Warn(steps[i].Position, $"'{steps[i].Id}' needs {what}, and Vault is back only after '{steps[back].Id}'.",
                    "List a second place: [vault:…, file:…].");
    }

    static string? Needs(StepItem step, RuleScope scope)
    {
        if (AnyOnlyVault(step.With))
            return "a secret from Vault";
        foreach (var (node, _) in scope.Notes(step).Options?.TargetNames ?? [])
            if (scope.Target(node.Text) is { } target && Secrets(target).Any(s => OnlyVault(s.References)))
                return $"the target '{node.Text}', whose secret is in Vault";
        return null;
    }

    static bool AnyOnlyVault(JsonObject options)
    {
        foreach (var (_, value) in options)
            if (OnlyVault([.. RuleScope.References(value)]))
                return true;
        return false;
    }

    static bool OnlyVault(IReadOnlyList<string> references) =>
        references.Count > 0 && references.All(r => r.StartsWith("vault:", StringComparison.Ordinal));

    static IEnumerable<Secret> Secrets(Target target) =>
        target.GetType().GetProperties().Where(p => p.PropertyType == typeof(Secret)).Select(p => (Secret?)p.GetValue(target)).OfType<Secret>();
}
