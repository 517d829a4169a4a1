using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>What only a plan can see: effects against environment and mode.</summary>
static class PlanRules
{
    public static IEnumerable<Problem> Check(IReadOnlyList<PlannedStep> steps, Model.Environment environment, Mode mode, StepCatalog catalog)
    {
        foreach (var step in steps.Where(s => s.Effect == Effect.Destroys))
        {
            foreach (var effect in step.Effects.Where(e => e.Effect == Effect.Destroys))
                foreach (var problem in CheckDestruction(step, effect, environment, mode, catalog))
                    yield return problem;
        }
    }

    static IEnumerable<Problem> CheckDestruction(PlannedStep step, TargetEffect effect, Model.Environment environment, Mode mode, StepCatalog catalog)
    {
        if (step.Gate is null && (mode is Mode.Live or Mode.Plan || environment.Protected) && catalog.Steps.GetValueOrDefault(step.Item.Uses)?.About.OptionsAreApproval != true)
            yield return new Problem(step.Item.Position, $"Step '{step.Path}' destroys {(effect.What is { } what && what != step.Item.Id ? what : "data")} of {effect.Target ?? "this machine"}, and no approval precedes it.", "Put an `approval` step before it in the same list of steps.") { Rule = "gate" };
        if (environment.Protected && effect.Target is { } name && environment.Targets.All.TryGetValue(name, out var target) && target.Identity is null)
            yield return new Problem(step.Item.Position, $"Target '{name}' of the protected environment {environment.Name} has no identity, and '{step.Path}' destroys what is in it.", $"Add `identity: {{ place: … }}` to the target; `helix doctor` shows the place that it has now.") { Rule = "identity" };
    }
}
