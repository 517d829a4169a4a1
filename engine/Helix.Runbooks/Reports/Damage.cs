using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

/// <summary>What a run leaves broken: data that was overwritten in part, and services that are down.</summary>
static class Damage
{
    public static IReadOnlyList<string> Of(RunState state) => [.. Broken(state), .. Stopped(state)];

    static IEnumerable<string> Broken(RunState state) =>
        HalfLoaded.Of(state).OrderBy(d => d.At).Select(d => Fault(d.Step, d.Effect)).Distinct();

    static string Fault(StepState step, TargetEffect effect) => step.Status switch
    {
        StepStatus.Running or StepStatus.Retrying => $"{effect.Target ?? "local files"}: {step.Path} is overwriting {effect.What ?? "its data"} now.",
        _ => $"{effect.Target ?? "local files"}: {step.Path} began to overwrite {effect.What ?? "its data"} and did not finish. The data is half loaded; do not use it.",
    };

    static IEnumerable<string> Stopped(RunState state) => state.Residue.Values
        .Where(r => r.Kind is ResidueKind.Stopped or ResidueKind.ScaledDown or ResidueKind.Paused)
        .Select(r => $"{Words.Sentence(r.What)}. Take it back with: {r.Command}");
}
