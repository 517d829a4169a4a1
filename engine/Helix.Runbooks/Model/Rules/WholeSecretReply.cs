using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model.Rules;

/// <summary>The whole answer of a secret store instead of its fields ends up as the secret (K8S-08).</summary>
sealed class WholeSecretReply : Rule
{
    static readonly HashSet<string> Whole = ["body", "raw", "response", "reply", "json", "data", "text", "stdout", "output"];

    public override IEnumerable<Problem> Check(RuleScope scope)
    {
        foreach (var step in scope.Steps)
        {
            foreach (var problem in References(step))
                yield return problem;
            if (step.Uses == "kubernetes.secret")
                foreach (var use in scope.Notes(step).Options?.Templates ?? [])
                    if (Replies(scope, use).FirstOrDefault() is { } reply)
                        yield return Warn(use.Node.Position, $"'{use.Path}' takes the whole answer of '{reply}', not a field of it.", "Name each field: one key of the secret for one field, with its exact bytes.");
        }
    }

    /// <summary>A reference into Vault names the field.</summary>
    IEnumerable<Problem> References(StepItem step)
    {
        foreach (var (_, value) in step.With)
            foreach (var reference in RuleScope.References(value))
                if (reference.StartsWith("vault:", StringComparison.Ordinal) && !reference.Contains('#', StringComparison.Ordinal))
                    yield return Warn(step.Position, $"'{reference}' names a whole secret, not a field of it.", "Write vault:target/path#field.");
    }

    static IEnumerable<string> Replies(RuleScope scope, TemplateUse use)
    {
        var all = ParsedTemplate.Of(use.Node.Text).Parts.Where(p => p.Expression is not null).SelectMany(p => p.Expression!.All()).ToList();
        var entered = all.SelectMany(e => e switch { Dot inner => [inner.Of], At inner => [inner.Of], _ => Array.Empty<Expr>() }).ToHashSet(ReferenceEqualityComparer.Instance);
        foreach (var dot in all.OfType<Dot>().Where(d => !entered.Contains(d)))
            if (Whole.Contains(dot.Name) && dot.StepOf(dot.Name) is { } id && scope.Steps.FirstOrDefault(s => s.Id == id) is { Uses: "vault.read" or "http.request" or "command.run" or "shell.run" })
                yield return id;
    }
}
