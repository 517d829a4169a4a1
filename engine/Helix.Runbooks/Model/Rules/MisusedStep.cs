using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Rules;

/// <summary>What step types themselves know of their wrong use.</summary>
sealed class MisusedStep : Rule
{
    public override IEnumerable<Problem> Check(RuleScope scope)
    {
        var all = scope.Steps.Select(s => (s.Uses, s.With)).ToList();
        foreach (var step in scope.Steps)
            if (scope.Judge(step) is { } judge)
                foreach (var fault in judge.Judge(new StepUse(step.With) { Targets = scope.Targets, All = all }))
                    yield return new(step.Places.GetValueOrDefault(fault.Option, step.Position), fault.Message, fault.Hint, fault.IsWarning ? Severity.Warning : Severity.Error) { Rule = fault.Rule };
    }
}
