using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

public sealed partial class Engine
{
    readonly HashSet<string> _forced = [];

    /// <summary>Answers a question (or, early, an approval by its path). Checks who may, how strong the identity is, the time and the form; a refusal is recorded.</summary>
    public DecisionResult Decide(string run, Person by, Decided decision)
    {
        var before = State(run);
        var plan = PlanOf(before);
        var (strong, why) = SignedAnswers.Check(before, plan, by, decision);
        var message = "";
        var accepted = false;
        Store.Append(run, strong, entries =>
        {
            var state = RunState.Of(run, entries);
            var refusal = why ?? Refusal(state, plan, strong, decision, out message);
            accepted = refusal is null;
            message = refusal is { Length: > 0 } ? refusal : message;
            if (refusal == "")
                return [];
            return refusal is null ? [decision] : [new DecisionRefused(decision.Question, decision.Choice, refusal)];
        });
        return new DecisionResult(accepted || message.StartsWith(Again, StringComparison.Ordinal), message, State(run));
    }

    const string Again = "already answered";

    /// <summary>Null: it counts. Empty: it was given already. Else why it is refused.</summary>
    string? Refusal(RunState state, Plan plan, Person by, Decided decision, out string message)
    {
        message = "recorded";
        if (state.Ended is not null)
            return $"run {state.Run} has ended ({state.Ended.Outcome.ToString().ToLowerInvariant()})";
        var question = state.Questions.GetValueOrDefault(decision.Question)
            ?? state.OpenQuestions.FirstOrDefault(q => q.Asked.Path == decision.Question);
        if (question is null)
            return EarlyRefusal(state, plan, by, decision);
        if (question.Answers.Any(a => People.AreOne(a.By, by) && a.Decision.Choice == decision.Choice))
        {
            message = $"{Again} by {by.Account}";
            return "";
        }
        if (question.Status == QuestionStatus.Expired)
            return Expired(state, question);
        if (question.Status != QuestionStatus.Open)
            return $"the question is {question.Status.ToString().ToLowerInvariant()} ({question.EndReason})";
        if (question.Asked.ExpiresAt <= Time.GetUtcNow() && question.Escalated.Count == 0)
            return $"it came too late: the time was over at {question.Asked.ExpiresAt:u}";
        if (decision.ShownHash is { } shown && shown != question.Asked.ShownHash)
            return "it answers another text than the one that is asked";
        return Approvals.Refusal(question.Asked, question.Escalated, state, by, decision, plan.Environment.Groups)
            ?? AnswerContent.Fault(Catalog, plan, state, question.Asked, decision);
    }

    /// <summary>A gate that can be answered before it is reached, as it will be asked then; null: it cannot be, or there is none of this path.</summary>
    public QuestionAsked? EarlyQuestion(RunState state, string path) => state.Ended is null ? Early(state, PlanOf(state), path).Asked : null;

    /// <summary>An approval may be given before its gate is reached, if all that it shows stands in the runbook.</summary>
    static (QuestionAsked? Asked, string? Why) Early(RunState state, Plan plan, string path)
    {
        if (plan.Find(path) is not { Item.Uses: EngineItems.Approval } step || path.Contains("[]", StringComparison.Ordinal))
            return (null, $"there is no open question '{path}'");
        if (WhyOver(state, path) is { } over)
            return (null, over);
        return Template.Has(step.Item.With.ToJsonString(StepJson.Options))
            ? (null, "what this gate shows is known only when it is reached, so it cannot be answered before")
            : (EngineSteps.Asked(path, (ApprovalOptions)StepJson.Bind(step.Item.With, typeof(ApprovalOptions)), new PlanIndex(plan.Runbook)), null);
    }

    string? EarlyRefusal(RunState state, Plan plan, Person by, Decided decision)
    {
        var (asked, why) = Early(state, plan, decision.Question);
        return asked is null ? why : Approvals.Refusal(asked, [], state, by, decision, plan.Environment.Groups) ?? AnswerContent.Fault(Catalog, plan, state, asked, decision);
    }

    /// <summary>Null: the gate is still to come.</summary>
    static string? WhyOver(RunState state, string path) => state.Step(path) switch
    {
        null or { Status: StepStatus.Pending } => null,
        { Status: StepStatus.Succeeded } => "the gate was passed already",
        { Status: StepStatus.Skipped } skipped => $"the gate was skipped: {skipped.SkipReason}",
        { Question: { } id } when state.Questions[id] is { Status: QuestionStatus.Expired } expired => Expired(state, expired),
        { Message: { } why } => $"the gate is closed: {why}",
        _ => "the gate is closed",
    };

    /// <summary>When its time was over, and where it can be answered after all.</summary>
    static string Expired(RunState state, Question question)
    {
        var over = $"it expired at {question.Asked.ExpiresAt:u}, before enough answers had come";
        if (state.OpenQuestions.FirstOrDefault(q => q.Asked.Path == question.Asked.Path) is { } anew)
            return $"{over}; it is asked anew as '{anew.Id}'";
        return state.Step(question.Asked.Path) is { Status: StepStatus.Waiting } step && step.Question == question.Id
            ? $"{over}; it is asked anew when somebody goes on with the run: helix resume {state.Run}"
            : over;
    }

    public void Pause(string run, Person by, string? reason) => AsPerson(run, by, new PauseRequested(reason));

    /// <summary>Asks whoever may drive the run to go on with it.</summary>
    public void Resume(string run, Person by) => AsPerson(run, by, new ResumeRequested());

    /// <summary>Asks the run to end: a driver that is alive does it; else the next <see cref="Drive"/> runs rescue and finally.</summary>
    public void Cancel(string run, Person by, string reason) => AsPerson(run, by, new CancelRequested(reason));
    public void Handover(string run, Person by, string? reason) => AsPerson(run, by, new HandoverRequested(reason));

    /// <summary>The next <see cref="Drive"/> takes the lease by force, and ends what its driver has started on this host.</summary>
    public void TakeOver(string run, Person by, string reason)
    {
        AsPerson(run, by, new TakenOver(reason));
        _forced.Add(run);
    }

    public void Note(string run, Person by, string text) => AsPerson(run, by, new NoteAdded(text), evenEnded: true);

    public void Attach(string run, Person by, string file)
    {
        var bytes = File.Exists(file) ? File.ReadAllBytes(file) : throw new RunbookException($"There is no file {file}.");
        AsPerson(run, by, new FileAttached(Path.GetFileName(file), bytes.Length, Store.Keep(bytes)), evenEnded: true);
    }

    /// <summary>Acknowledges the residue of a run that ended.</summary>
    public void Close(string run, Person by, string reason)
    {
        if (State(run).Ended is null)
            throw new RunbookException($"Run {run} has not ended.", $"`helix cancel {run} --reason …` ends it.");
        AsPerson(run, by, new RunClosed(reason), evenEnded: true);
    }

    /// <summary>Agrees to an answer by break-glass: somebody else of those who were asked does, also after the end.</summary>
    /// <exception cref="RunbookException">There is none, or this person may not.</exception>
    public void Ratify(string run, Person by, string? question, string reason)
    {
        var state = State(run);
        var open = state.Unratified;
        var name = question ?? (open.Count == 1 ? open.Keys.Single() : null);
        if (name is null || !open.TryGetValue(name, out var answer))
            throw new RunbookException($"Run {run} has no answer by break-glass to ratify{(name is null ? "" : $" for '{name}'")}.", open.Count > 0 ? "Name one: " + string.Join(", ", open.Keys) + "." : null);
        if (WhyNotRatify(state, PlanOf(state), name)(by) is { } why)
            throw new RunbookException(why, "Somebody else of those who were asked does.");
        AsPerson(run, by, new BreakGlassRatified(name, reason), evenEnded: true);
    }

    /// <summary>Null: the person may ratify the answer by break-glass to this question. A page asks when the state is another already.</summary>
    public static Func<Person, string?> WhyNotRatify(RunState state, Plan plan, string question)
    {
        var answer = state.Unratified[question];
        var asked = state.Questions.Values.LastOrDefault(q => q.Id == question || q.Asked.Path == question)?.Asked;
        return by => WhyNotRatify(plan, answer, asked, by);
    }

    static string? WhyNotRatify(Plan plan, Answer answer, QuestionAsked? asked, Person by)
    {
        if (People.Compare(answer.By, by) is not Sameness.Two and var same)
            return same == Sameness.One ? $"{by.Account} broke the glass, and cannot ratify it." : $"{by.Account} may be the person who broke the glass as {answer.By.Account}: nobody who knows both says that they are two.";
        return asked is null || Approvals.IsAsked(asked, [], by, plan.Environment.Groups) ? null : $"{by.Account} is not among those who were asked ({string.Join(", ", asked.Approvers)}).";
    }

    /// <summary>What a reopen would keep, run again, and need approval for. Changes nothing.</summary>
    public ReopenPreview PreviewReopen(string run, string to)
    {
        var state = State(run);
        var plan = PlanOf(state);
        var reset = Rounds.Reset(plan.Runbook, to);
        bool IsReset(string path) => Rounds.IsWithin(path, reset);
        var again = plan.Steps.Where(s => s.Part == Part.Steps && IsReset(s.Path)).ToList();
        return new ReopenPreview(
            [.. state.Steps.Values.Where(s => s.Status == StepStatus.Succeeded && !IsReset(s.Path)).Select(s => s.Path)],
            [.. again.Select(s => s.Path)],
            [.. again.Where(s => s.Item.Uses == EngineItems.Approval || s.Effect == Effect.Destroys).Select(s => s.Path)],
            [.. state.Steps.Values.SelectMany(s => s.Files).Where(f => !File.Exists(f.Path)).Select(f => f.Path)]);
    }

    /// <summary>Goes back to a step of a run that ended; the next <see cref="Drive"/> goes on from there.</summary>
    public void Reopen(string run, Person by, string to, string reason, JsonObject inputs)
    {
        var state = State(run);
        var plan = PlanOf(state);
        if (state.Ended is null)
            throw new RunbookException($"Run {run} has not ended.", "Answer its question with `go-back`, or cancel it first.");
        if (state.Round >= plan.Runbook.MaxRounds)
            throw new RunbookException($"Run {run} is in round {state.Round}, and the runbook allows {plan.Runbook.MaxRounds}.", "Raise `maxRounds` for the next incident; this one needs a run of its own.");
        var round = Rounds.Next(plan.Runbook, state.Round + 1, to, $"{by.Account} reopened it: {reason}", inputs);
        // The lease first: who fails or dies after it finds the run as it was, and may reopen it again.
        var lease = LeaseToReopen(run);
        try
        {
            TakeLocks(run, plan);
            AsPerson(run, by, new RunReopened(to, reason, round.Inputs), evenEnded: true);
            Store.Append(lease, round);
        }
        finally
        {
            Release(lease);
        }
    }

    /// <summary>The last driver, or who reopened it before, may have died without giving it back.</summary>
    Lease LeaseToReopen(string run) => Store.TryTake(run, DriverIdentity.Current, "reopen") switch
    {
        ({ } taken, _) => taken,
        (_, var held) when IsSurelyGone(held.Driver) => TakeFrom(run, "reopen", held),
        _ => throw new HeldException($"Run {run} is driven by another process."),
    };

    /// <summary>The typed name of a protected environment, once per plan.</summary>
    public void ConfirmDestruction(string run, Person by, string typedName)
    {
        var state = State(run);
        if (typedName != state.Started.Environment)
            throw new RunbookException($"'{typedName}' is not the name of the environment of run {run}.", $"Type {state.Started.Environment} if that is what shall be changed.");
        AsPerson(run, by, new DestructionConfirmed(typedName, state.PlanHash));
    }

    void AsPerson(string run, Person by, RunEvent what, bool evenEnded = false) =>
        Store.Append(run, by, entries => !evenEnded && RunState.Of(run, entries).Ended is { } ended
            ? throw new RunbookException($"Run {run} has ended ({ended.Outcome.ToString().ToLowerInvariant()}).")
            : [what]);
}
