using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Rules;

/// <summary>What step types themselves know of their wrong use.</summary>
sealed class MisusedStep : Rule
{
    public override IEnumerable<Problem> Check(RuleScope scope)
    {
        foreach (var wait in scope.Steps.Where(s => s.Uses == EngineItems.Wait && scope.Notes(s).Sound))
            foreach (var fault in new StepUse(wait.With).OneOf(EngineItems.Wait, "for", "until"))
                yield return new(wait.Places.GetValueOrDefault(fault.Option, wait.Position), fault.Message, fault.Hint) { Rule = fault.Rule };
        var all = scope.Steps.Select(s => (s.Uses, s.With)).ToList();
        foreach (var step in scope.Steps)
            if (scope.Judge(step) is { } judge)
                foreach (var fault in judge.Judge(new StepUse(step.With) { Targets = scope.Targets, All = all, Sometimes = step.When is not null }))
                    yield return new(step.Places.GetValueOrDefault(fault.Option, step.Position), fault.Message, fault.Hint, fault.IsWarning ? Severity.Warning : Severity.Error) { Rule = fault.Rule };
    }
}
