using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

/// <summary>What a run leaves broken: data that was overwritten in part, and services that are down.</summary>
static class Damage
{
    public static IReadOnlyList<string> Of(RunState state) => [.. HalfLoaded(state), .. Stopped(state)];

    /// <summary>Targets whose destruction began and did not end well; a later destruction that succeeded (safety copy put back) heals.</summary>
    static IEnumerable<string> HalfLoaded(RunState state)
    {
        var worst = new Dictionary<string, (DateTimeOffset At, string? Fault)>();
        foreach (var step in state.Steps.Values.Concat(state.Earlier).Where(s => s.StartedAt is not null))
            foreach (var effect in step.Effects.Where(e => e.Effect == Effect.Destroys))
            {
                var target = effect.Target ?? "local files";
                var at = step.Attempts.Count > 0 ? step.Attempts[^1].Start : step.StartedAt!.Value;
                if (worst.TryGetValue(target, out var known) && known.At > at)
                    continue;
                worst[target] = (at, Fault(step, effect));
            }
        return worst.Values.Where(w => w.Fault is not null).OrderBy(w => w.At).Select(w => w.Fault!);
    }

    static string? Fault(StepState step, TargetEffect effect) => step.Status switch
    {
        StepStatus.Succeeded or StepStatus.Skipped => null,
        StepStatus.Running or StepStatus.Retrying => $"{effect.Target ?? "local files"}: {step.Path} is overwriting {effect.What ?? "its data"} now.",
        _ => $"{effect.Target ?? "local files"}: {step.Path} began to overwrite {effect.What ?? "its data"} and did not finish. The data is half loaded; do not use it.",
    };

    static IEnumerable<string> Stopped(RunState state) => state.Residue.Values
        .Where(r => r.Kind is ResidueKind.Stopped or ResidueKind.ScaledDown or ResidueKind.Paused)
        .Select(r => $"{Words.Sentence(r.What)}. Take it back with: {r.Command}");
}
