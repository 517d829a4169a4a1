using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;

namespace Helix.Runbooks.Reports;

/// <summary>The rows of the table of steps: earlier rounds first, then the last one in the order of the plan.</summary>
static class ReportSteps
{
    public static IEnumerable<ReportedStep> Of(RunState state, Plan plan, Func<string, TimeSpan?> typical)
    {
        foreach (var step in state.Earlier.Where(s => s.Started || s.Status != StepStatus.Pending))
            yield return Row(step.Path, step, plan.Find(step.Path), state, null) with { Earlier = true, Tolerated = false };
        foreach (var (path, planned) in new StepOrder(plan).Of(state))
            if (state.Step(path) is not null || planned!.Part == Part.Steps)
                yield return Row(path, state.Step(path), planned, state, typical(path));
    }

    static ReportedStep Row(string path, StepState? step, PlannedStep? planned, RunState state, TimeSpan? usually) => new()
    {
        Path = path,
        Name = planned?.Item.Name,
        Uses = planned?.Item.Uses ?? step!.Uses,
        Part = RunReport.Word(planned?.Part ?? Part.Steps),
        Depth = planned?.Depth ?? 0,
        Effect = EffectOf(step, planned),
        Status = step is null ? "not-reached" : RunReport.Word(step.Shown),
        Source = step?.Source,
        Start = step?.StartedAt,
        End = step?.EndedAt,
        Machine = step is { StartedAt: not null, EndedAt: not null } ? step.Machine : null,
        Usually = usually,
        Attempts = [.. (step?.Attempts ?? []).Select(a => new ReportedAttempt(a.Number, a.Round, a.Start, a.End, a.Result ?? "running", a.Failure is { } f ? RunReport.Word(f) : null, a.Message, a.Hint))],
        Message = step?.Status is StepStatus.Succeeded or StepStatus.Skipped ? null : step?.Message,
        Hint = step?.Status is StepStatus.Succeeded or StepStatus.Skipped ? null : step?.Hint,
        Warning = step?.Warning,
        SkipReason = step?.SkipReason,
        Tolerated = step?.Status == StepStatus.Failed && state.Ended?.Outcome == Outcome.Succeeded,
    };

    static string EffectOf(StepState? step, PlannedStep? planned) => step?.Effects is { Count: > 0 } effects
        ? RunReport.Word(effects.Max(e => e.Effect))
        : planned is { Effects.Count: > 0 } ? RunReport.Word(planned.Effect) : "none";
}
