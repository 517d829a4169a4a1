using Helix.Runbooks.Journal;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

/// <summary>A run in one sentence.</summary>
static class VerdictOf
{
    public static string Run(RunState state, Clocks clocks) => state.Ended is { } ended ? Ended(state, ended, clocks) : Open(state);

    static string Ended(RunState state, RunEnded ended, Clocks clocks)
    {
        var text = ended.Outcome switch
        {
            Outcome.Succeeded => (clocks.Rta ?? ended.Rta) is { } rta ? $"{(clocks.Rto is null ? "Succeeded" : "Recovered")} after {Words.Clock(rta)}{Objectives(ended, clocks)}" : "Succeeded",
            Outcome.Failed => $"Failed: {ended.Reason}",
            Outcome.Cancelled => $"Cancelled{(state.Cancel is { } c ? $" by {c.By.Account}" : "")}: {ended.Reason}",
            _ => $"Rejected: {ended.Reason}",
        };
        var warnings = state.Steps.Values.Count(s => s.Warning is not null || (s.Status == StepStatus.Failed && ended.Outcome == Outcome.Succeeded));
        return Sentence.Ended(text) + (warnings > 0 ? $" {Words.Count(warnings, "warning")}." : "");
    }

    static string Objectives(RunEnded ended, Clocks clocks)
    {
        var missed = new List<string>();
        if (clocks.Rto is { } rto && (clocks.Rta ?? ended.Rta) > rto)
            missed.Add($"the RTO of {Words.Objective(rto)}");
        if (clocks.Rpo is { } rpo && (clocks.Rpa ?? ended.Rpa) > rpo)
            missed.Add($"the RPO of {Words.Objective(rpo)}");
        if (missed.Count > 0)
            return $"; {string.Join(" and ", missed)} {(missed.Count == 1 ? "was" : "were")} missed";
        if (ended.ObjectivesMet != true)
            return "";
        // What nothing was measured of was not missed, and was not met either.
        return clocks.Rto is not null && (clocks.Rta ?? ended.Rta) is null ? "; RPO met, RTO not measured"
            : clocks.Rpo is not null && (clocks.Rpa ?? ended.Rpa) is null ? "; RTO met, RPO not measured"
            : "; objectives met";
    }

    static string Open(RunState state) => state.Status switch
    {
        RunStatus.Waiting => $"Waiting for {string.Join("; ", state.OpenQuestions.Select(q => $"{QuestionPage.Whom(q)} ({q.Asked.Path})"))}.",
        RunStatus.Suspended when state.SuspendedBecause == RunState.DriverIsGone => "Suspended, its driver is gone; it can be resumed.",
        RunStatus.Suspended => "Suspended; it can be resumed.",
        _ => "Under way.",
    };

}
