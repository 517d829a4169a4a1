using System.Text.RegularExpressions;

namespace Helix.Runbooks.Model.Rules;

/// <summary>A fixed sleep between a save and the copy takes the old file when the save lasts longer (RED-04).</summary>
sealed partial class SleepBeforeCopy : Rule
{
    const string Hint = "Use redis.save, which waits for the end of the save.";

    public override IEnumerable<Problem> Check(RuleScope scope)
    {
        foreach (var step in scope.Steps)
            if (RuleScope.Text(step, "script") is { } script && SleepsAfterSave(script))
                yield return Warn(step.Places.GetValueOrDefault("script", step.Position), $"'{step.Id}' sleeps after a save: how long that takes is not known.", Hint);
        foreach (var list in Lists(scope.Runbook))
            for (var i = 1; i < list.Count; i++)
                if (list[i] is StepItem { Uses: EngineItems.Wait } wait && list[i - 1] is StepItem save && Save().IsMatch(save.With.ToJsonString()))
                    yield return Warn(wait.Position, $"'{wait.Id}' waits a fixed time for the save of '{save.Id}'.", Hint);
    }

    static IEnumerable<IReadOnlyList<Item>> Lists(Runbook runbook) =>
        Items.All(runbook).SelectMany(i => i.Lists()).Append(runbook.Steps).Append(runbook.Rescue).Append(runbook.Finally);

    // Two searches that each go through the text once: one pattern for both would take its square.
    static bool SleepsAfterSave(string script) =>
        Saving().Match(script) is { Success: true } save && Sleep().IsMatch(script, save.Index + save.Length);

    [GeneratedRegex(@"\bBGSAVE\b|\bredis-cli\b.*\bSAVE\b|\bneo4j-admin\b.*\b(dump|backup)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Saving();

    [GeneratedRegex(@"(^|[;&|])[ \t]*sleep[ \t]+\S", RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex Sleep();

    [GeneratedRegex(@"\b(BGSAVE|SAVE)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Save();
}
