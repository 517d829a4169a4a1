using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Driving;

/// <summary>Gives an answer from the command line and, when asked, goes on with the run.</summary>
sealed class Answering(Session session)
{
    public async Task<int> Give(TypedAnswer typed)
    {
        var state = session.Engine.State(typed.Run);
        var question = Find(state, typed);
        if ((question ?? Early(state, typed)) is { } shown)
            session.Terminal.Say(session.Terminal.Talk(QuestionPage.Text(typed.Run, shown)) + "\n");
        var decided = Decision(typed, question);
        if (typed.KeyFile is { } key)
            decided = decided with { Signature = SshSignature.Sign(key, typed.Run, decided) };
        var result = session.Engine.Decide(typed.Run, session.Operator, decided);
        session.Terminal.Say(result.Accepted ? result.Message : Sentence.Ended(Words.Sentence(result.Message)));
        if (!result.Accepted)
        {
            if (question is null && result.State.Ended is null)
                session.Terminal.Say($"Hint: `helix show {typed.Run}` lists what is asked now{(result.State.Status == RunStatus.Suspended ? $"; the run is suspended: `helix resume {typed.Run}` looks at what is in doubt, and asks where that does not tell" : "")}.");
            if (question is { Status: QuestionStatus.Open } && result.State.Ended is null)
                session.Terminal.Say($"Hint: asked is {QuestionPage.WhomByRules(question)}; the refusal stands in the record.");
            Result(typed, decided, result);
            return ExitCodes.Wrong;
        }
        var undriven = result.State.Ended is null && session.Store.ReadLease(typed.Run) is null or { IsFree: true };
        if (typed.Resume && undriven)
            return await new RunLoop(session).Run(typed.Run, session.Terminal.Interactive);
        Result(typed, decided, result);
        if (undriven)
            session.Terminal.Say($"Nobody drives the run: `helix resume {typed.Run}` goes on.");
        return 0;
    }

    /// <summary>By id, by the path of its step, or the only one that is open; null for an answer before its gate.</summary>
    static Question? Find(RunState state, TypedAnswer typed)
    {
        var open = state.OpenQuestions.ToList();
        if (typed.Question is { } named)
            return open.FirstOrDefault(q => q.Id == named) ?? open.FirstOrDefault(q => q.Asked.Path == named) ?? state.Questions.GetValueOrDefault(named);
        return open.Count == 1 ? open[0] : throw new RunbookException(
            open.Count == 0 ? $"Run {typed.Run} asks nothing now." : $"Run {typed.Run} asks {open.Count} questions.",
            open.Count == 0 ? "An answer before its gate names the step: `helix approve RUN STEP`." : "Name one: " + string.Join(", ", open.Select(q => q.Id)) + ".");
    }

    /// <summary>The gate that is still to come, as it will be asked.</summary>
    Question? Early(RunState state, TypedAnswer typed) =>
        session.Engine.EarlyQuestion(state, typed.Question!) is { } asked ? new Question(asked, session.Time.GetUtcNow()) : null;

    static Decided Decision(TypedAnswer typed, Question? question) => new()
    {
        Question = question?.Id ?? typed.Question!,
        Choice = typed.Choice,
        Reason = typed.Reason,
        Evidence = typed.Evidence,
        Inputs = typed.Inputs,
        ShownHash = question?.Asked.ShownHash,
        To = typed.To,
        With = typed.With,
        Outputs = typed.Outputs,
        BreakGlass = typed.BreakGlass,
    };

    void Result(TypedAnswer typed, Decided decided, DecisionResult result) => session.Terminal.Give(new JsonObject
    {
        ["run"] = typed.Run,
        ["question"] = decided.Question,
        ["choice"] = decided.Choice,
        ["accepted"] = result.Accepted,
        ["message"] = result.Message,
        ["status"] = result.State.Status.ToString().ToLowerInvariant(),
        ["head"] = result.State.Head,
    }, () => "");
}
