using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

public sealed partial class RunState
{
    /// <summary>Takes one entry in. Order is that of the sequence; an event that does not fit the state is a bug.</summary>
    public void Apply(JournalEntry entry)
    {
        LastAt = entry.At;
        LastSequence = entry.Sequence;
        Head = entry.Hash;
        switch (entry.Event)
        {
            case RunStarted e: Begin(e, entry.At); break;
            case LeaseTaken e: TakeLease(e, entry); break;
            case RunSuspended e: Suspend(e.Reason, entry.At); break;
            case InputResolved e: Inputs[e.Name] = e.Value; break;
            case PreflightDone e: Preflight = e.Findings; break;
            case BlockEntered e: Entered[e.Path] = (entry.At, e.Inputs); break;
            case ListFrozen e: Lists[e.Path] = e.Items; break;
            case StepStarted e: StartStep(e, entry.At); break;
            case StepSaved e: At(e.Path).Saved[e.Key] = e.Value; break;
            case StepSucceeded e: Succeed(e, entry.At); break;
            case StepFailed e: Fail(e, entry.At); break;
            case StepSkipped e: Skip(e, entry.At); break;
            case StepInterrupted e: Interrupt(e, entry.At); break;
            case StepProbed e: Probed(e); break;
            case StepReset e: Reset(e, entry.At); break;
            case WaitStarted e: WaitUntil(e, entry.At); break;
            case ResidueLeft e: Residue[e.Residue.Key] = e.Residue; break;
            case ResidueTakenBack e: Residue.Remove(e.Key); break;
            case SecretAsked e: AskSecret(e, entry.At); break;
            case SecretGiven e: GiveSecret(e, entry.At); break;
            case SecretUnasked e: EndSecret(e.Ask, entry.At); break;
            case SecretRefused e: Remarks.Add(new Remark(entry.At, e.Giver, "refused", $"a secret for {e.Ask[..e.Ask.IndexOf('#')]} was refused: {e.Why}")); break;
            case QuestionAsked e: Ask(e, entry.At); break;
            case QuestionExpired e: Expire(e, entry.At); break;
            case QuestionClosed e: CloseQuestion(e, entry.At); break;
            case RoundStarted e: NextRound(e, entry.At); break;
            case ForecastMissed e: Forecast = e; break;
            case RunEnded e: End(e, entry.At); break;
            default: ApplyOfPeople(entry); break;
        }
        if (entry.By is null)
            _lastOfDriver = entry.At;
    }

    DateTimeOffset _drivenSince, _lastOfDriver;

    void Begin(RunStarted e, DateTimeOffset at)
    {
        Started = e;
        StartedAt = at;
        Inputs = (JsonObject)e.Inputs.DeepClone();
        PlanHash = e.PlanHash;
        Pinned = e.Pinned;
        (GitCommit, GitAuthor) = (e.GitCommit, e.GitAuthor);
    }

    void TakeLease(LeaseTaken e, JournalEntry entry)
    {
        var lastSign = e.DrivenBefore is { } driven ? LastSign(driven, entry.At) : entry.At;
        _drivenSince = entry.At;
        Driver = e.Driver;
        SecretsAsked.Clear();
        Epoch = entry.Epoch;
        HandoverAsked = false;
        PauseAsked = false;
        ResumeAsked = false;
        SuspendedBecause = null;
        DoubtWhatRan(lastSign);
        // A parked gate is asked anew when somebody goes on with the run.
        foreach (var step in Steps.Values.Where(s => s is { Status: StepStatus.Waiting, Question: not null } && Questions[s.Question].Status == QuestionStatus.Expired))
            step.Status = StepStatus.Pending;
        if (Ended is null)
            Status = RunStatus.Running;
        CloseSpans(SpanKind.Suspended, entry.At);
        if (lastSign < entry.At)
            Spans.Add(new Span("", SpanKind.Suspended, Round, 0, lastSign, entry.At));
    }

    void DoubtWhatRan(DateTimeOffset since)
    {
        foreach (var step in Steps.Values.Where(s => s.Status == StepStatus.Running))
        {
            step.Status = StepStatus.InDoubt;
            EndAttempt(step, since, "in-doubt");
        }
    }

    /// <summary>For who looks at a run whose driver is gone: it does not run, although nothing says so in its record until somebody goes on.</summary>
    /// <param name="driven">For how long it had held the lease when its last heartbeat came.</param>
    public void LoseDriver(TimeSpan driven)
    {
        var lastSign = LastSign(driven, DateTimeOffset.MaxValue);
        DoubtWhatRan(lastSign);
        Suspend(DriverIsGone, lastSign);
    }

    /// <summary>When a driver that was lost had last entered something or given a heartbeat: from then on nobody knows that it worked.</summary>
    DateTimeOffset LastSign(TimeSpan driven, DateTimeOffset now)
    {
        var beat = _drivenSince + driven;
        var last = beat > _lastOfDriver ? beat : _lastOfDriver;
        return last < now ? last : now;
    }

    void Suspend(string reason, DateTimeOffset at)
    {
        PauseAsked = false;
        SuspendedBecause = reason;
        Status = OpenQuestions.Any() ? RunStatus.Waiting : RunStatus.Suspended;
        Spans.Add(new Span("", SpanKind.Suspended, Round, 0, at, null));
    }

    void StartStep(StepStarted e, DateTimeOffset at)
    {
        var step = At(e.Path);
        CloseSpans(e.Path, at);
        step.Status = StepStatus.Running;
        step.Uses = e.Uses;
        step.With = e.With;
        step.Effects = e.Effects;
        step.StartedAt ??= at;
        step.TryingSince ??= at;
        step.EndedAt = null;
        step.RetryAt = null;
        step.Probe = null;
        step.ChangedWith = null;
        step.Attempts.Add(new Attempt(e.Attempt, Round, at) { Driver = Driver });
        Spans.Add(new Span(e.Path, SpanKind.Machine, Round, e.Attempt, at, null));
    }

    void Succeed(StepSucceeded e, DateTimeOffset at)
    {
        var step = At(e.Path);
        step.Status = StepStatus.Succeeded;
        step.Outputs = e.Outputs;
        step.Files = e.Files;
        step.Warning = e.Warning;
        step.Source = e.Source;
        step.StartedAt ??= at;
        step.EndedAt = at;
        step.Failure = null;
        EndAttempt(step, at, e.Source ?? "succeeded");
    }

    void Fail(StepFailed e, DateTimeOffset at)
    {
        var step = At(e.Path);
        step.Status = e.RetryAt is null ? StepStatus.Failed : StepStatus.Retrying;
        step.RetryAt = e.RetryAt;
        step.Failure = e.Failure;
        step.Message = e.Message;
        step.Hint = e.Hint;
        step.Gate = e.Gate;
        step.Stopped = e.Stopped;
        step.FailedTries++;
        step.EndedAt = at;
        EndAttempt(step, at, "failed", e);
        if (e.RetryAt is { } until)
            Spans.Add(new Span(e.Path, SpanKind.Retry, Round, e.Attempt, at, until));
    }

    void Skip(StepSkipped e, DateTimeOffset at)
    {
        var step = At(e.Path);
        step.Status = StepStatus.Skipped;
        step.SkipReason = e.Reason;
        step.EndedAt = at;
        CloseSpans(e.Path, at);
    }

    void Interrupt(StepInterrupted e, DateTimeOffset at)
    {
        var step = At(e.Path);
        step.Status = StepStatus.InDoubt;
        step.Message = e.Reason;
        EndAttempt(step, at, "interrupted");
    }

    void Probed(StepProbed e)
    {
        var step = At(e.Path);
        step.Probe = e.Verdict;
        step.Message = e.Why;
        if (e.Verdict == ProbeVerdict.NotDone)
            (step.Status, step.TryingSince) = (StepStatus.Pending, null);
    }

    void Reset(StepReset e, DateTimeOffset at)
    {
        var step = At(e.Path);
        step.Status = StepStatus.Pending;
        step.RetryAt = null;
        step.Probe = null;
        step.FailedTries = 0;
        step.TryingSince = null;
        step.Failure = null;
        step.Gate = null;
        step.ChangedWith = e.With;
        if (step.Question is { } id && Questions[id].Status == QuestionStatus.Open)
            EndQuestion(Questions[id], QuestionStatus.Closed, at, e.Why);
    }

    void WaitUntil(WaitStarted e, DateTimeOffset at)
    {
        var step = At(e.Path);
        step.Status = StepStatus.Waiting;
        step.Uses = "wait";
        step.StartedAt ??= at;
        step.WaitUntil = e.Until;
        Spans.Add(new Span(e.Path, SpanKind.WaitingForTime, Round, 0, at, null));
    }

    void NextRound(RoundStarted e, DateTimeOffset at)
    {
        Round = e.Round;
        if (e.Inputs.Count > 0)
        {
            InputsOfRound = e.Round;
            Inputs = (JsonObject)Inputs.DeepClone();
            foreach (var (name, value) in e.Inputs)
                Inputs[name] = value?.DeepClone();
            // Who answered before the question was asked did not know these inputs.
            Early.Clear();
        }
        CloseSpans(at);
        foreach (var path in e.Reset)
            ResetBelow(path);
        foreach (var block in e.Around)
        {
            Entered.Remove(block);
            if (Steps.Remove(block, out var overdue))
                Earlier.Add(overdue);
        }
        foreach (var question in OpenQuestions.ToList())
        {
            EndQuestion(question, QuestionStatus.Closed, at, "the run went back");
            // A gate of another branch is still there, and is asked anew.
            if (Step(question.Asked.Path) is { Status: StepStatus.Waiting } step)
                step.Status = StepStatus.Pending;
        }
        CutPauses(at);
        Ended = null;
        EndedAt = null;
        Closed = false;
        Status = RunStatus.Running;
        Cancel = null;
    }

    /// <summary>The step of this path, and all below it if it is a block.</summary>
    void ResetBelow(string path)
    {
        bool Within(string p) => p == path || p.StartsWith(path + "/", StringComparison.Ordinal) || p.StartsWith(path + "[", StringComparison.Ordinal);
        foreach (var key in Steps.Keys.Where(Within).ToList())
        {
            Earlier.Add(Steps[key]);
            Steps.Remove(key);
        }
        foreach (var key in Lists.Keys.Where(Within).ToList())
            Lists.Remove(key);
        foreach (var key in Entered.Keys.Where(Within).ToList())
            Entered.Remove(key);
        foreach (var key in Early.Keys.Where(Within).ToList())
            Early.Remove(key);
        Overrides.RemoveAll(o => Within(o.Path));
    }

    void End(RunEnded e, DateTimeOffset at)
    {
        Ended = e;
        EndedAt = at;
        Status = e.Outcome switch
        {
            Outcome.Succeeded => RunStatus.Succeeded,
            Outcome.Cancelled => RunStatus.Cancelled,
            Outcome.Rejected => RunStatus.Rejected,
            _ => RunStatus.Failed,
        };
        foreach (var step in Steps.Values.Where(s => s.Status is StepStatus.Running or StepStatus.Waiting or StepStatus.Retrying or StepStatus.InDoubt))
        {
            step.Status = StepStatus.Cancelled;
            EndAttempt(step, at, "cancelled");
        }
        foreach (var question in OpenQuestions.ToList())
            EndQuestion(question, QuestionStatus.Closed, at, "the run ended");
        CloseSpans(at);
        CutPauses(at);
    }

    /// <summary>A pause before another attempt is entered with its planned end, which does not come any more.</summary>
    void CutPauses(DateTimeOffset at)
    {
        for (var i = 0; i < Spans.Count; i++)
            if (Spans[i] is { Kind: SpanKind.Retry } span && span.End > at)
                Spans[i] = span with { End = at };
    }

    StepState At(string path)
    {
        if (!Steps.TryGetValue(path, out var step))
            Steps[path] = step = new StepState(path);
        return step;
    }

    void EndAttempt(StepState step, DateTimeOffset at, string result, StepFailed? failed = null)
    {
        if (step.Attempts.Count > 0 && step.Attempts[^1].End is null)
            step.Attempts[^1] = step.Attempts[^1] with
            {
                End = at,
                Result = result,
                Failure = failed?.Failure,
                Message = failed?.Message,
                Hint = failed?.Hint,
            };
        CloseSpans(step.Path, at);
    }

    // Open spans are few (running steps), so they are kept apart from the many closed ones.
    readonly HashSet<int> _open = [];
    int _seen;

    IEnumerable<int> OpenSpans()
    {
        for (; _seen < Spans.Count; _seen++)
            if (Spans[_seen].End is null)
                _open.Add(_seen);
        return [.. _open];
    }

    void CloseSpans(DateTimeOffset at, Func<Span, bool> which)
    {
        foreach (var i in OpenSpans().Where(i => which(Spans[i])))
        {
            var span = Spans[i] = Spans[i] with { End = at };
            if (span.Kind == SpanKind.Machine && Step(span.Path) is { } step)
                step.Machine += at - span.Start;
            _open.Remove(i);
        }
    }

    void CloseSpans(DateTimeOffset at) => CloseSpans(at, _ => true);
    void CloseSpans(string path, DateTimeOffset at) => CloseSpans(at, s => s.Path == path);
    void CloseSpans(SpanKind kind, DateTimeOffset at) => CloseSpans(at, s => s.Kind == kind);
}
