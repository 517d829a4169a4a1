using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model.Rules;

/// <summary><c>&gt;</c> joins the lines of a script into one (YML-07).</summary>
sealed class FoldedScript : Rule
{
    public override IEnumerable<Problem> Check(RuleScope scope)
    {
        foreach (var step in scope.Steps)
            foreach (var member in scope.Notes(step).OptionsShape?.Members.Values.Where(m => m.NoTemplate) ?? [])
                if (scope.Written(step, member.Name) is ScalarNode { Style: ScalarStyle.Folded } node)
                    yield return Warn(node.Position, $"'{member.Name}' is folded: > joins its lines into one.", "Write | to keep the lines.");
    }
}
