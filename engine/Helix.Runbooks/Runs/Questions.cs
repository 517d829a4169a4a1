using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Asks people, and turns their answers and the deadlines into what happens next.</summary>
sealed class Questions(Drive drive)
{
    static readonly TimeSpan Deadline = TimeSpan.FromHours(4);

    /// <summary>A step failed for good or stays in doubt: what shall be done?</summary>
    public void Ask(string path, StepItem item, QuestionKind kind)
    {
        var (state, id) = drive.Record.Read(s => (s.Step(path)!, EngineSteps.NewId(s, path)));
        List<string> choices = kind == QuestionKind.InDoubt ? ["done", "retry", "go-back", "skip", "abort"] : ["retry", "go-back", "skip", "done", "abort"];
        if (state.Gate is not null)
            choices.Insert(0, "override");
        var message = kind == QuestionKind.InDoubt
            ? $"Step '{path}' was interrupted, and what it did is not known: {Sentence.Ended(state.Message ?? "")} What shall be done?"
            : $"Step '{path}' failed ({Words(state.Failure)}): {Sentence.Ended(state.Message ?? "")} What shall be done?";
        drive.Record.Append(EngineSteps.Bound(new QuestionAsked
        {
            Question = id,
            Path = path,
            Kind = kind,
            Message = message,
            Shown = new JsonObject
            {
                ["step"] = item.Uses,
                ["with"] = state.NextWith,
                ["hint"] = state.Hint,
                ["down"] = new JsonArray([.. drive.Record.Read(s => s.Residue.Values.Where(r => r.Kind == ResidueKind.Stopped).Select(r => r.What).ToList()).Select(w => JsonValue.Create(w))]),
                ["gate"] = state.Gate,
            },
            ShownHash = "",
            Choices = choices,
            SelfApproval = true,
            ExpiresAt = kind == QuestionKind.FailedStep ? drive.Time.GetUtcNow() + Deadline : null,
            OnExpiry = "abort",
        }));
    }

    /// <summary>Acts on open questions whose answers decide them or whose time is over. True when something was recorded.</summary>
    /// <param name="isStill">Asks what runs of these paths to stop; true when nothing of it runs any more.</param>
    public bool Settle(Func<IReadOnlyList<string>, bool> isStill)
    {
        var groups = drive.Plan.Environment.Groups;
        var open = drive.Record.Read(s => s.OpenQuestions.Select(q => (Question: q, Verdict: Approvals.Tally(q, groups))).ToList());
        var moved = false;
        foreach (var (question, verdict) in open)
        {
            // Going back for one question closes the others.
            if (question.Status != QuestionStatus.Open)
                continue;
            if (verdict != QuestionStatus.Open)
                moved |= Act(question, verdict, isStill);
            else if (question.Asked.ExpiresAt <= drive.Time.GetUtcNow() && question.Escalated.Count == 0)
                moved |= Expire(question);
        }
        return moved;
    }

    bool Act(Question question, QuestionStatus verdict, Func<IReadOnlyList<string>, bool> isStill)
    {
        var events = question.Asked.Kind switch
        {
            QuestionKind.Approval or QuestionKind.Manual => verdict == QuestionStatus.Approved ? Granted(question) : Denied(question),
            _ => Chosen(question, question.Answers[0]),
        };
        if (events.OfType<RoundStarted>().SingleOrDefault() is { } round)
        {
            // Who cancels after the answer has the last word: a new round knows of no cancel.
            if (drive.Record.Read(s => s.Cancel) is { } cancel && cancel.At >= question.Answers[^1].At)
                events = [new QuestionClosed(question.Id, "rejected"), GivenUp(question.Asked, $"the run was cancelled: {cancel.Reason}")];
            // What an attempt of this round still does must not count in the next.
            else if (!isStill(round.Reset))
                return false;
        }
        drive.Record.Append(events);
        return true;
    }

    List<RunEvent> Granted(Question question)
    {
        var inputs = new JsonObject();
        foreach (var (name, value) in question.Answers.SelectMany(a => a.Decision.Inputs))
            inputs[name] = Approvals.InItsType(question.Asked.Inputs, name, value);
        var outputs = new DecisionOutputs
        {
            Decisions = [.. question.Answers.Select(Line)],
            Inputs = inputs,
            Waited = new Duration(TimeSpan.FromSeconds(Math.Round((drive.Time.GetUtcNow() - question.At).TotalSeconds))),
        };
        return [new QuestionClosed(question.Id, "approved"), new StepSucceeded(question.Asked.Path, StepJson.ToJson(outputs)) { Source = "decision" }];
    }

    List<RunEvent> Denied(Question question)
    {
        var answer = question.Answers.First(a => a.Decision.Choice is "reject" or "failed");
        var (path, to) = (question.Asked.Path, question.Asked.OnReject);
        RunEvent next = to == "abort" ? Ended(Line(answer))
            : CannotGoBack(path, to, answer.Decision) is { } no ? Ended($"{Sentence.Ended(Line(answer))} Going back is not possible: {no}.")
            : Back(to, Line(answer), answer.Decision.Inputs);
        return [new QuestionClosed(question.Id, "rejected"), next];

        StepFailed Ended(string why) => new(path, 0, FailureClass.Cancelled, why, null, null);
    }

    List<RunEvent> Chosen(Question question, Answer answer)
    {
        var path = question.Asked.Path;
        var decision = answer.Decision;
        var closed = new QuestionClosed(question.Id, decision.Choice == "abort" ? "rejected" : "done");
        var state = drive.Record.Read(s => s.Step(path)!);
        return decision.Choice switch
        {
            "retry" => [closed, new StepReset(path, Line(answer), decision.With)],
            "override" => [closed, new GateOverridden(path, state.Gate ?? "", Line(answer)) { Refused = state.Message }, new StepReset(path, Line(answer), state.ChangedWith)],
            "skip" => [closed, new StepSkipped(path, Line(answer))],
            "done" => [closed, new StepSucceeded(path, decision.Outputs ?? []) { Source = "by hand", Warning = Line(answer) + (decision.Evidence is { } e ? $" Evidence: {e}" : "") }],
            "go-back" => CannotGoBack(path, decision.To ?? path, decision) is { } no
                ? [closed, new StepFailed(path, 0, state.Failure ?? FailureClass.Conflict, $"{state.Message} Going back is not possible: {no}.", null, null)]
                : [closed, Back(decision.To ?? path, Line(answer), decision.Inputs)],
            // Whoever gives up a step in doubt has not seen it fail.
            _ => [closed, GivenUp(question.Asked, Line(answer))],
        };
    }

    /// <summary>What was known of a failure stays known when nobody goes on with the step.</summary>
    StepFailed GivenUp(QuestionAsked asked, string why)
    {
        var step = drive.Record.Read(s => s.Step(asked.Path));
        return new StepFailed(asked.Path, 0, step?.Failure ?? FailureClass.Cancelled, $"{step?.Message} {why}".Trim(), step?.Hint, null) { Stopped = step?.Stopped == true || asked.Kind == QuestionKind.InDoubt };
    }

    bool Expire(Question question)
    {
        var asked = question.Asked;
        List<RunEvent> events = [new QuestionExpired(question.Id, asked.OnExpiry)];
        if (asked.OnExpiry is "reject" or "abort")
            events.Add(GivenUp(asked, $"nobody answered before {asked.ExpiresAt:u}"));
        drive.Record.Append(events);
        return true;
    }

    /// <summary>Null when it is possible. Answers were checked when they were given; a record of an older version may hold others.</summary>
    string? CannotGoBack(string from, string to, Decided decision) =>
        drive.Record.Read(s => AnswerContent.CannotGoBack(drive.Plan, s, from, to, decision.Inputs));

    /// <summary>Inputs that were typed as text count in their types, as at the start of the run.</summary>
    RoundStarted Back(string to, string reason, JsonObject inputs) =>
        Rounds.Next(drive.Plan.Runbook, drive.Record.Read(s => s.Round) + 1, to, reason, inputs);

    static string Line(Answer answer)
    {
        var word = answer.Decision.Choice switch
        {
            "approve" => "approved",
            "reject" => "rejected",
            "skip" => "skipped",
            "abort" => "ended the run",
            "retry" => "asked for another try",
            "go-back" => "went back",
            "override" => "overrode the gate",
            "failed" => "said that it failed",
            _ => "said that it is done",
        };
        var glass = answer.Decision.BreakGlass ? " by break-glass" : "";
        return $"{answer.By.Account} {word}{glass}{(answer.Decision.Reason is { Length: > 0 } r ? $": {r}" : "")}";
    }

    static string Words(FailureClass? failure) => failure switch
    {
        FailureClass.InvalidData => "invalid data",
        FailureClass.TimedOut => "timed out",
        null => "unknown",
        { } f => f.ToString().ToLowerInvariant(),
    };
}
