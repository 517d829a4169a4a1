namespace Helix.Runbooks.Journal;

public sealed partial class RunState
{
    /// <summary>Time of a step in which it waits for people is theirs, not the machine's.</summary>
    void AskSecret(SecretAsked e, DateTimeOffset at)
    {
        SecretsAsked[e.Ask] = e;
        CloseSpans(e.Path, at);
        Spans.Add(new Span(e.Path, SpanKind.WaitingForPeople, Round, 0, at, null));
    }

    void GiveSecret(SecretGiven e, DateTimeOffset at)
    {
        if (SecretsAsked.GetValueOrDefault(e.Ask) is { } asked)
            Remarks.Add(new Remark(at, e.Giver, "note", $"gave '{asked.Name}' for {asked.Path}"));
        EndSecret(e.Ask, at);
    }

    void EndSecret(string ask, DateTimeOffset at)
    {
        if (!SecretsAsked.Remove(ask, out var asked))
            return;
        CloseSpans(asked.Path, at);
        if (StatusOf(asked.Path) == StepStatus.Running)
            Spans.Add(new Span(asked.Path, SpanKind.Machine, Round, At(asked.Path).Attempts.Count, at, null));
    }

    void ApplyOfPeople(JournalEntry entry)
    {
        var by = entry.By;
        switch (entry.Event)
        {
            case Decided e: Decide(e, entry); break;
            case DecisionRefused e: Remark(entry, "refused", $"{e.Choice} of {e.Question} was refused: {e.Why}"); break;
            case PauseRequested: PauseAsked = true; break;
            case ResumeRequested: ResumeAsked = true; break;
            case HandoverRequested: HandoverAsked = true; break;
            case CancelRequested e: Cancel = (by!, entry.At, e.Reason); break;
            case TakenOver e: Remark(entry, "takeover", e.Reason); break;
            case RunReopened e: Remark(entry, "reopened", $"to {e.To}: {e.Reason}"); break;
            case RunbookReplaced e:
                PlanHash = e.PlanHash;
                Pinned = e.Pinned;
                (GitCommit, GitAuthor) = (e.GitCommit, e.GitAuthor);
                // Who answered before the question was asked did not know this plan.
                Early.Clear();
                Remark(entry, "runbook replaced", e.Diff);
                break;
            case DestructionConfirmed e: Confirmed.Add(e); break;
            case GateOverridden e:
                Overrides.Add(e);
                Remark(entry, "gate overridden", $"{e.Gate} of {e.Path}: {e.Reason}");
                break;
            case NoteAdded e: Remark(entry, "note", e.Text); break;
            case FileAttached e: Remark(entry, "attachment", $"{e.Name} ({e.Size} bytes, sha256 {e.Sha256})"); break;
            case LockBroken e: Remark(entry, "lock broken", $"{e.Identity}: {e.Reason}"); break;
            case RunMoved e:
                MovedTo = e.Store;
                Remark(entry, "moved", $"the run went on in {e.Store}");
                break;
            case BreakGlassRatified e:
                Unratified.Remove(e.Question);
                Remark(entry, "break-glass ratified", $"{e.Question}: {e.Reason}");
                break;
            case RunClosed e:
                Closed = true;
                Remark(entry, "closed", e.Reason);
                break;
        }
    }

    void Ask(QuestionAsked e, DateTimeOffset at)
    {
        var question = new Question(e, at, Round);
        Questions[e.Question] = question;
        var step = At(e.Path);
        step.Question = e.Question;
        if (e.Kind is QuestionKind.Approval or QuestionKind.Manual)
        {
            step.Status = StepStatus.Waiting;
            step.Uses = e.Kind == QuestionKind.Approval ? "approval" : "manual";
            step.StartedAt ??= at;
        }
        if (Early.Remove(e.Path, out var early))
            question.Answers.AddRange(early);
        Spans.Add(new Span(e.Path, SpanKind.WaitingForPeople, Round, 0, at, null));
    }

    void Decide(Decided e, JournalEntry entry)
    {
        var answer = new Answer(entry.By!, entry.At, e);
        if (e.BreakGlass)
            Unratified[e.Question] = answer;
        // Who answers by the path may come before its question or after: the record says which.
        if ((Questions.GetValueOrDefault(e.Question) ?? OpenQuestions.FirstOrDefault(q => q.Asked.Path == e.Question)) is { } question)
        {
            // The last word of a person counts: who approved may still reject while the question is open.
            if (question.Status == QuestionStatus.Open)
                question.Answers.RemoveAll(a => People.AreOne(a.By, answer.By));
            question.Answers.Add(answer);
            return;
        }
        if (!Early.TryGetValue(e.Question, out var list))
            Early[e.Question] = list = [];
        list.RemoveAll(a => People.AreOne(a.By, answer.By));
        list.Add(answer);
    }

    void Expire(QuestionExpired e, DateTimeOffset at)
    {
        var question = Questions[e.Question];
        if (e.Consequence == "escalate" && question.Asked.EscalateTo is { } to)
            question.Escalated.Add(to);
        else
            EndQuestion(question, QuestionStatus.Expired, at, e.Consequence);
    }

    void CloseQuestion(QuestionClosed e, DateTimeOffset at) =>
        EndQuestion(Questions[e.Question], e.Reason switch
        {
            "approved" or "done" => QuestionStatus.Approved,
            "rejected" => QuestionStatus.Rejected,
            _ => QuestionStatus.Closed,
        }, at, e.Reason);

    void EndQuestion(Question question, QuestionStatus status, DateTimeOffset at, string reason)
    {
        question.Status = status;
        question.EndedAt = at;
        question.EndReason = reason;
        CloseSpans(at, s => s.Path == question.Asked.Path && s.Kind == SpanKind.WaitingForPeople);
    }

    void Remark(JournalEntry entry, string kind, string text) => Remarks.Add(new Remark(entry.At, entry.By, kind, text));
}
