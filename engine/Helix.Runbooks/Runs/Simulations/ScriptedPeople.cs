using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs.Simulations;

/// <summary>Answers what a run asks, as the scenario says; where it says nothing, somebody who may approves, does, or gives up a failed step.</summary>
sealed class ScriptedPeople(Engine engine, string run, Scenario scenario, Playback playback, SkippingClock clock)
{
    public static readonly Person Operator = Named("operator");

    /// <summary>False: nothing is asked.</summary>
    public bool Answer()
    {
        var state = engine.State(run);
        if (state.OpenQuestions.FirstOrDefault() is not { } question)
            return false;
        var decision = playback.Decision(question.Asked.Path) ?? Usual(question);
        switch (decision.Choice)
        {
            case ScriptedDecision.Expire:
                LetPass(question, decision);
                break;
            case ScriptedDecision.Cancel:
                engine.Cancel(run, decision.By is { } by ? Named(by) : Operator, decision.Reason ?? "the script cancels the run");
                break;
            default:
                Decide(state, question, decision);
                break;
        }
        return true;
    }

    ScriptedDecision Usual(Question question) => new(
        question.Asked.Kind switch { QuestionKind.Approval => "approve", QuestionKind.Manual => "done", _ => "abort" }, scenario.Position);

    void LetPass(Question question, ScriptedDecision decision)
    {
        if (question.Asked.ExpiresAt is not { } at || question.Escalated.Count > 0)
            throw new StuckException(decision.Position, $"'{question.Asked.Path}' asks without a time limit, so the question cannot expire");
        clock.Skip(at - clock.GetUtcNow());
    }

    void Decide(RunState state, Question question, ScriptedDecision scripted)
    {
        var decided = new Decided
        {
            Question = question.Id,
            Choice = scripted.Choice,
            Reason = scripted.Reason ?? "the script says so",
            Evidence = "the script says so",
            Inputs = Filled(question.Asked, scripted),
            To = scripted.To,
            Outputs = scripted.Outputs,
        };
        var by = scripted.By is { } name ? Named(name) : Whoever(state, question, decided, scripted.Position);
        if (question.Answers.Any(a => a.By.Account == by.Account))
            throw new StuckException(scripted.Position, $"{by.Account} has answered '{question.Asked.Path}' already, and more people are needed");
        var result = engine.Decide(run, by, decided);
        if (!result.Accepted)
            throw new StuckException(scripted.Position, $"the answer '{scripted.Choice}' of {by.Account} to '{question.Asked.Path}' is refused: {result.Message}");
    }

    /// <summary>The first who may and has not yet; members of groups that are still missing before others.</summary>
    Person Whoever(RunState state, Question question, Decided decided, Position position)
    {
        var groups = scenario.Plan.Environment.Groups;
        var answered = question.Answers.Select(a => a.By.Account).ToHashSet();
        var missing = question.Asked.OneFromEach.Select(g => Approvals.Names([g], groups)).Where(g => !g.Overlaps(answered)).SelectMany(g => g);
        IEnumerable<string> all = question.Asked.Approvers.Count == 0 ? ["somebody"] : Approvals.Names([.. question.Asked.Approvers, .. question.Escalated], groups).Order(StringComparer.Ordinal);
        string? why = null;
        foreach (var account in missing.Concat(all).Where(a => !answered.Contains(a)))
            if ((why = Approvals.Refusal(question.Asked, question.Escalated, state, Named(account), decided, groups)) is null)
                return Named(account);
        throw new StuckException(position, $"nobody is left who may answer '{decided.Choice}' to '{question.Asked.Path}'{(why is null ? "" : ": " + why)}");
    }

    /// <summary>The form as the script fills it, and what else it demands.</summary>
    static JsonObject Filled(QuestionAsked asked, ScriptedDecision scripted)
    {
        var inputs = (JsonObject)scripted.Inputs.DeepClone();
        if (scripted.Choice is "approve" or "done")
            foreach (var (name, field) in asked.Inputs)
                if (field!["required"]?.GetValue<bool>() == true && !inputs.ContainsKey(name))
                    inputs[name] = OutputStandIn.Least(InputShapes.Of(
                        Enum.Parse<InputType>(field["type"]?.GetValue<string>() ?? "string", ignoreCase: true),
                        [.. (field["choices"] as JsonArray ?? []).Select(c => c!.ToString())]), name);
        return inputs;
    }

    static Person Named(string account) => new(account, IdentityStrength.Oidc, "simulation");
}
