using Helix.Runbooks.Model.Expressions;

namespace Helix.Runbooks.Model.Rules;

/// <summary>What replaces data must be a file that a step of this run made or fetched: its digest is known (rule 10 c).</summary>
sealed class LoadOfUnknownFile : Rule
{
    public override IEnumerable<Problem> Check(RuleScope scope)
    {
        foreach (var step in scope.Steps)
            foreach (var option in scope.Effects(step).Select(e => e.LoadsFrom).OfType<string>().Distinct())
                if (RuleScope.Text(step, option) is { } text && Judge(step, option, text) is { } problem)
                    yield return problem;
    }

    Problem? Judge(StepItem step, string option, string text)
    {
        var place = step.Places.GetValueOrDefault(option, step.Position);
        const string hint = "Fetch it with backup.download, and name its output: \"{{ steps.fetch.file }}\".";
        var roots = Template.Has(text) && ParsedTemplate.Of(text).Whole is { } whole ? Roots(whole).ToList() : [];
        if (roots.Count > 0 && roots.All(r => r == "steps"))
            return null;
        return roots.Count > 0 && roots.All(r => r is "steps" or "inputs")
            ? Warn(place, $"'{step.Id}' loads a file that an input names: its digest is known only when a caller passes the output of a step.", hint)
            : Fail(place, $"'{step.Id}' loads '{text}', and nobody knows what is in it.", hint);
    }

    /// <summary>The variables at the beginning of the paths that the value may come from.</summary>
    static IEnumerable<string> Roots(Expr expr) => expr switch
    {
        Variable variable => [variable.Name],
        Dot dot => Roots(dot.Of),
        At at => Roots(at.Of),
        Binary { Operator: Operator.Coalesce } either => Roots(either.Left).Concat(Roots(either.Right)),
        Choose choose => Roots(choose.Then).Concat(Roots(choose.Else)),
        _ => [""],
    };
}
