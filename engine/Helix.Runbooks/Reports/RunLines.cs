using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;

namespace Helix.Runbooks.Reports;

/// <summary>The record of a run as one line per event, times in UTC: <c>12:00:01 [3/12] fetch  redis.save  succeeded in 2.1 s</c>.</summary>
public sealed class RunLines
{
    readonly Plan _plan;
    readonly string _run;
    readonly Dictionary<string, (DateTimeOffset At, string Uses, int Attempt)> _started = [];
    readonly Dictionary<string, (string Path, DateTimeOffset At)> _asked = [];

    /// <param name="state">What happened before the first line; a resume goes on with its numbers.</param>
    public RunLines(Plan plan, RunState state)
    {
        _plan = plan;
        _run = state.Run;
        foreach (var step in state.Steps.Values.Where(s => s.Attempts.Count > 0))
            _started[step.Path] = (step.Attempts[^1].Start, step.Uses, step.Attempts[^1].Number);
    }

    /// <returns>Null for events that say nothing to people.</returns>
    public string? Of(JournalEntry entry)
    {
        if (entry.Event is StepStarted started)
            _started[started.Path] = (entry.At, started.Uses, started.Attempt);
        Wait(entry);
        var text = OfStep(entry) ?? OfRun(entry) ?? OfPeople(entry);
        return text is null ? null : $"{Words.Time(entry.At)} {text}";
    }

    /// <summary>The time in which a step waits for a secret is no time that it took: its beginning moves by as much.</summary>
    void Wait(JournalEntry entry)
    {
        if (entry.Event is SecretAsked asked)
            _asked[asked.Ask] = (asked.Path, entry.At);
        else if (entry.Event switch { SecretGiven e => e.Ask, SecretUnasked e => e.Ask, _ => null } is { } ask && _asked.Remove(ask, out var since) && _started.TryGetValue(since.Path, out var step))
            _started[since.Path] = step with { At = step.At + (entry.At - since.At) };
    }

    string? OfStep(JournalEntry entry) => entry.Event switch
    {
        StepStarted e => Step(e.Path, e.Attempt > 1 ? $"started, attempt {e.Attempt}" : "started"),
        StepSucceeded e => Step(e.Path, Succeeded(e, entry.At) + (e.Warning is { } w ? $", warning: {w}" : "")),
        StepFailed { RetryAt: { } next } e => Step(e.Path, $"attempt {e.Attempt} failed, next at {Words.Time(next)}: {e.Message}{Hint(e.Hint)}"),
        StepFailed { Stopped: true } e => Step(e.Path, $"interrupted: {e.Message}{Hint(e.Hint)}"),
        // Attempt 0 is no end of an attempt but a verdict after it, so that it took no time of its own.
        StepFailed { Attempt: 0 } e => Step(e.Path, $"failed: {e.Message}{Hint(e.Hint)}"),
        StepFailed e => Step(e.Path, $"failed{Took(e.Path, entry.At)}: {e.Message}{Hint(e.Hint)}"),
        StepSkipped e => Step(e.Path, $"skipped: {e.Reason}"),
        StepInterrupted e => Step(e.Path, $"interrupted: {e.Reason}"),
        StepReset e => Step(e.Path, $"starts anew: {e.Why}"),
        StepProbed e => Step(e.Path, $"looked: {Verdict(e.Verdict)}, {e.Why}"),
        WaitStarted e => Step(e.Path, $"waiting until {Words.Moment(e.Until)}"),
        QuestionAsked e => Asked(e),
        QuestionExpired e => $"question {e.Question} expired: {e.Consequence}",
        QuestionClosed e => $"question {e.Question}: {e.Reason}",
        ListFrozen e => $"{e.Path}: {Words.Count(e.Items.Count, "element")}",
        _ => null,
    };

    static string? OfRun(JournalEntry entry) => entry.Event switch
    {
        LeaseTaken e when entry.Epoch > 1 => $"driven by {e.Driver.Account} on {e.Driver.Host} from here on ({e.Reason})",
        RunSuspended e => $"suspended: {e.Reason}",
        PreflightDone e => Preflight(e.Findings),
        ResidueLeft e => $"left changed until taken back: {e.Residue.What}",
        InputResolved e => $"input {e.Name} is {e.Value}",
        RoundStarted e => $"round {e.Round} from {e.From}: {e.Reason}",
        ForecastMissed e => $"by experience the objective will be missed: ready at {Words.Moment(e.Eta)}, due at {Words.Moment(e.Due)}",
        RunEnded e => $"{e.Outcome.ToString().ToLowerInvariant()}{(e.Reason.Length > 0 ? ": " + e.Reason : "")}",
        _ => null,
    };

    static string? OfPeople(JournalEntry entry) => entry.Event switch
    {
        Decided e => $"{entry.By}: {e.Choice} {e.Question}{(e.BreakGlass ? " (break-glass)" : "")}{(e.Reason is { } r ? ": " + r : "")}",
        DecisionRefused e => $"refused: {e.Choice} of {e.Question} by {entry.By}: {e.Why}",
        PauseRequested e => $"{entry.By} asks to pause{Why(e.Reason)}",
        ResumeRequested => $"{entry.By} asks to go on",
        CancelRequested e => $"{entry.By} cancels{Why(e.Reason)}",
        HandoverRequested e => $"{entry.By} asks for a handover{Why(e.Reason)}",
        TakenOver e => $"{entry.By} takes over{Why(e.Reason)}",
        RunReopened e => $"{entry.By} goes back to {e.To}{Why(e.Reason)}",
        GateOverridden e => $"{entry.By?.ToString() ?? "engine"} overrides {e.Gate} of {e.Path}{Why(e.Reason)}",
        NoteAdded e => $"note by {entry.By}: {e.Text}",
        FileAttached e => $"file by {entry.By}: {e.Name}",
        LockBroken e => $"{entry.By} breaks the lock on {e.Identity}{Why(e.Reason)}",
        DestructionConfirmed e => $"{entry.By} typed the name {e.Environment}",
        BreakGlassRatified e => $"{entry.By} ratifies the break-glass of {e.Question}{Why(e.Reason)}",
        RunMoved e => $"the run went on in the store {e.Store}",
        RunClosed e => $"{entry.By} closes the run{Why(e.Reason)}",
        _ => null,
    };

    string Step(string path, string text)
    {
        var planned = _plan.Find(path);
        var number = planned is null ? "" : $"[{planned.Order + 1}/{_plan.Steps.Count}] ";
        var uses = planned?.Item.Uses ?? _started.GetValueOrDefault(path).Uses;
        return $"{number}{path}{(string.IsNullOrEmpty(uses) ? "" : "  " + uses)}  {text}";
    }

    string Succeeded(StepSucceeded e, DateTimeOffset at) => e.Source is { } source
        ? $"succeeded ({source})"
        : $"succeeded{Took(e.Path, at)}{(_started.GetValueOrDefault(e.Path).Attempt is > 1 and var n ? $", attempt {n}" : "")}";

    string Took(string path, DateTimeOffset at) => _started.TryGetValue(path, out var s) ? $" in {Words.Span(at - s.At)}" : "";

    string Asked(QuestionAsked e)
    {
        var question = new Question(e, default);
        return Step(e.Path, $"waiting for {QuestionPage.Whom(question)}: {QuestionPage.FirstLine(question)}\n             {QuestionPage.Command(_run, question)}");
    }

    static string? Preflight(IReadOnlyList<Journal.Finding> findings)
    {
        var bad = findings.Where(f => f.Kind is FindingKind.Fault or FindingKind.Warning or FindingKind.Unknown).ToList();
        return $"pre-flight: {Words.Count(findings.Count, "check")}{(bad.Count == 0 ? ", all well" : "")}"
            + string.Concat(bad.Select(f => $"\n             {f.Kind.ToString().ToLowerInvariant()}: {f.Subject}: {f.What}{Hint(f.Hint)}"));
    }

    static string Verdict(Steps.ProbeVerdict verdict) => verdict switch
    {
        Steps.ProbeVerdict.Done => "done",
        Steps.ProbeVerdict.NotDone => "not done",
        _ => "cannot be told",
    };

    static string Hint(string? hint) => hint is null ? "" : $"\n             Hint: {hint}";
    static string Why(string? reason) => string.IsNullOrEmpty(reason) ? "" : $": {reason}";
}
