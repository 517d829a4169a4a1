using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Data that a destroying step began to replace and that may not be whole (rule 8), in whichever round: going back mends nothing.</summary>
public static class HalfLoaded
{
    /// <summary>One beginning of one destruction.</summary>
    public readonly record struct Destruction(StepState Step, TargetEffect Effect)
    {
        public DateTimeOffset At => Step.Attempts.Count > 0 ? Step.Attempts[^1].Start : Step.StartedAt!.Value;
        public bool Succeeded => Step.Status == StepStatus.Succeeded;

        /// <summary>This one put back what the other left half done: it did the same again, or loaded whole data (a safety copy).</summary>
        public bool Heals(Destruction other) =>
            Succeeded && At > other.At && (Effect.Target, Effect.What) == (other.Effect.Target, other.Effect.What)
            && (Effect.LoadsFrom is not null || Step.Path == other.Step.Path);
    }

    /// <summary>What nobody may use: begun, without success, and not healed since.</summary>
    public static IReadOnlyList<Destruction> Of(RunState state)
    {
        var all = All(state);
        return [.. all.Where(d => !d.Succeeded && !all.Any(later => later.Heals(d)))];
    }

    /// <summary>Targets whose data is half loaded, or loaded and not verified since.</summary>
    public static IReadOnlySet<string> Targets(RunState state) =>
        Of(state).Concat(All(state).Where(d => d.Succeeded && !IsVerified(state, d)))
            .Select(d => d.Effect.Target).OfType<string>().ToHashSet(StringComparer.Ordinal);

    static List<Destruction> All(RunState state) =>
        [.. OfAllRounds(state).Where(s => s.Started).SelectMany(s => s.Effects.Where(e => e.Effect == Effect.Destroys).Select(e => new Destruction(s, e)))];

    static bool IsVerified(RunState state, Destruction loaded) =>
        OfAllRounds(state).Any(s => s.Status == StepStatus.Succeeded && s.Uses.EndsWith(".verify", StringComparison.Ordinal)
            && s.EndedAt >= loaded.Step.EndedAt && s.Effects.Any(e => e.Target == loaded.Effect.Target));

    static IEnumerable<StepState> OfAllRounds(RunState state) => state.Earlier.Concat(state.Steps.Values);
}
