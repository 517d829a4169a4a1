using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

/// <summary>What an auditor asks of a run that did not go through in one piece: who stopped it or what did, who went on, which steps were in doubt, and how that was settled.</summary>
static class ReportInterruptions
{
    public static IEnumerable<ReportedRemark> Of(RunState state, IReadOnlyList<JournalEntry> entries)
    {
        var running = new HashSet<string>();
        var waited = false;
        foreach (var entry in entries)
        {
            var (kind, text) = entry.Event switch
            {
                StepInterrupted e => ("interrupted", $"{e.Path}: {e.Reason}"),
                RunSuspended { Reason: not RunSuspended.ForPeople } e => ("suspended", e.Reason),
                PauseRequested e => ("pause asked for", e.Reason ?? ""),
                HandoverRequested e => ("handover asked for", e.Reason ?? ""),
                CancelRequested e => ("cancelled", e.Reason),
                RunMoved e => ("moved", $"the run went on in {e.Store}"),
                LeaseTaken e when entry.Epoch > 1 && !waited => ("driver", Driver(e, Undriven(state, entry.At), running)),
                StepProbed e => ("looked", $"{e.Path} was in doubt: {Verdict(e.Verdict)}, {e.Why}"),
                StepReset e => ("again", $"{e.Path}: {e.Why}"),
                _ => ("", ""),
            };
            if (kind.Length > 0)
                yield return new ReportedRemark(entry.At, entry.By?.ToString(), kind, text);
            waited = entry.Event is RunSuspended { Reason: RunSuspended.ForPeople } || (waited && entry.Event is not LeaseTaken);
            Follow(entry.Event, running);
        }
    }

    /// <summary>For how long nobody had driven it then.</summary>
    static TimeSpan Undriven(RunState state, DateTimeOffset until) =>
        state.Spans.Where(s => s.Kind == SpanKind.Suspended && s.End == until).Select(s => until - s.Start).DefaultIfEmpty().Max();

    static string Driver(LeaseTaken e, TimeSpan undriven, HashSet<string> running) =>
        $"{e.Driver.Account} on {e.Driver.Host} went on ({e.Reason})" + (undriven >= TimeSpan.FromSeconds(1) ? $" after {Words.Clock(undriven)} without a driver" : "") + (running.Count > 0 ? $"; in doubt: {string.Join(", ", running)}" : "");

    static string Verdict(ProbeVerdict verdict) => verdict switch
    {
        ProbeVerdict.Done => "it had been done",
        ProbeVerdict.NotDone => "it had not been done",
        _ => "what it had done cannot be told",
    };

    static void Follow(RunEvent what, HashSet<string> running)
    {
        if (what is StepStarted started)
            running.Add(started.Path);
        if (what switch { StepSucceeded e => e.Path, StepFailed e => e.Path, StepSkipped e => e.Path, StepReset e => e.Path, _ => null } is { } settled)
            running.Remove(settled);
    }
}
