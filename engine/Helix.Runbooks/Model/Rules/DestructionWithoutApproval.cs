using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Rules;

/// <summary>A live run refuses to destroy what nobody approved on the way there (rule 10 a).</summary>
sealed class DestructionWithoutApproval : Rule
{
    public override IEnumerable<Problem> Check(RuleScope scope) =>
        // A sub-runbook may be called behind a gate: it is judged where it is called.
        scope.IsSub ? [] : In(scope.Runbook, scope, gated: false);

    IEnumerable<Problem> In(Runbook runbook, RuleScope scope, bool gated)
    {
        var atEnd = gated || runbook.Steps.Any(IsGate);
        return [.. In(runbook.Steps, scope, gated), .. In(runbook.Rescue, scope, atEnd), .. In(runbook.Finally, scope, atEnd)];
    }

    IEnumerable<Problem> In(IReadOnlyList<Item> items, RuleScope scope, bool gated)
    {
        foreach (var item in items)
        {
            foreach (var problem in In(item, scope, gated))
                yield return problem;
            gated |= IsGate(item);
        }
    }

    IEnumerable<Problem> In(Item item, RuleScope scope, bool gated)
    {
        if (item is RunbookItem sub)
            return [.. In(sub.Runbook, scope, gated), .. In(sub.Rescue, scope, gated), .. In(sub.Finally, scope, gated)];
        if (item is StepItem step)
            return gated ? [] : In(step, scope);
        return item.Lists().SelectMany(list => In(list, scope, gated));
    }

    IEnumerable<Problem> In(StepItem step, RuleScope scope)
    {
        if (scope.OptionsAreApproval(step))
            yield break;
        foreach (var effect in scope.Effects(step).Where(e => e.Effect == Effect.Destroys && !scope.IsScratch(e.Target)))
            yield return Warn(step.Position, $"'{step.Id}' destroys {effect.What ?? "data"} of {effect.Target ?? "this machine"}, and no approval stands before it.",
                "Put a `uses: approval` step without `when` before it: a live run refuses it otherwise.");
    }

    static bool IsGate(Item item) => item is StepItem { Uses: EngineItems.Approval, When: null };
}
