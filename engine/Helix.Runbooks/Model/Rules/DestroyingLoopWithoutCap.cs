using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Rules;

/// <summary>A list that turns out longer than anybody thought must not destroy all that is in it (PM-03).</summary>
sealed class DestroyingLoopWithoutCap : Rule
{
    public override IEnumerable<Problem> Check(RuleScope scope) =>
        Items.All(scope.Runbook).OfType<ForEachItem>().Where(e => e.AtMost is null && IsComputed(e))
            .Select(e => (Loop: e, Step: Items.All(e.Steps).OfType<StepItem>().FirstOrDefault(s => scope.Effects(s).Any(f => f.Effect == Effect.Destroys && !scope.IsScratch(f.Target)))))
            .Where(f => f.Step is not null)
            .Select(f => Warn(f.Loop.Position, $"'{f.Step!.Id}' destroys something for each element of a list, however long that turns out to be.", "Say how many there may be: `atMost: 10`."));

    /// <summary>The length of a list that is written down is known to whoever reads it.</summary>
    static bool IsComputed(ForEachItem each) => Template.Has(each.List.Text);
}
