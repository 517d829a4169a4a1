using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What an answer brings along: where to go back to, changed options, outputs said by hand, proof. It is looked at before it is recorded, since a driver could do nothing with one that does not fit. Pure.</summary>
public static class AnswerContent
{
    /// <summary>Null when all of it can be used; else why it is refused.</summary>
    public static string? Fault(StepCatalog catalog, Plan plan, RunState state, QuestionAsked asked, Decided decision) => decision.Choice switch
    {
        "go-back" => CannotGoBack(plan, state, asked.Path, decision.To ?? asked.Path, decision.Inputs),
        "reject" when decision.Inputs.Count > 0 => asked.OnReject == "abort"
            ? $"rejecting '{asked.Path}' takes no inputs here: nothing is done again with them"
            : CannotGoBack(plan, state, asked.Path, asked.OnReject, decision.Inputs),
        "retry" when decision.With is { Count: > 0 } with => WrongOption(catalog, plan, state, asked.Path, with),
        "done" when asked.Kind == QuestionKind.Manual => MissingProof(asked, decision),
        "done" => WrongOutput(catalog, plan, asked.Path, decision.Outputs ?? []),
        _ => null,
    };

    /// <summary>Null: the run can go back from this step to that one with these inputs.</summary>
    public static string? CannotGoBack(Plan plan, RunState state, string from, string to, JsonObject inputs)
    {
        if (state.Round >= plan.Runbook.MaxRounds)
            return $"the runbook allows {plan.Runbook.MaxRounds} rounds, and this is number {state.Round}";
        try
        {
            InputBinder.BindSome(plan.Runbook, inputs);
            return Rounds.IsWithin(from, Rounds.Reset(plan.Runbook, to)) ? null : $"going back to '{to}' would not do '{from}' again: it does not come before it";
        }
        catch (RunbookException e)
        {
            return Fragment($"{e.Message} {e.Hint}");
        }
    }

    /// <summary>Outputs that whoever says that a step is done must say too, since later steps read them: name, and what it must be.</summary>
    public static IReadOnlyList<(string Name, string Form)> Needed(StepCatalog catalog, Plan plan, string path) =>
        plan.Find(path) is not { } step || OutputShapes.Of(step.Item, catalog.Steps.GetValueOrDefault(step.Item.Uses)).Members is not { } outputs ? []
            : [.. UsedLater(plan, step).Where(outputs.ContainsKey).Select(n => (n, outputs[n].Shape.Words))];

    static string? WrongOption(StepCatalog catalog, Plan plan, RunState state, string path, JsonObject changed)
    {
        if (plan.Find(path) is not { } step || !catalog.Steps.TryGetValue(step.Item.Uses, out var type))
            return null;
        var options = ShapeOf.Record(type.OptionsType).Members;
        foreach (var (name, value) in changed)
        {
            if (!options.TryGetValue(name, out var option))
                return $"{type.Name} has no option '{name}'. {Fragment(Suggestion.Hint(name, options.Keys, "There are"))}";
            if (!Fits(option.Shape, value))
                return $"the option '{name}' of {type.Name} must be {option.Shape.Words}";
        }
        return null;
    }

    static string? MissingProof(QuestionAsked asked, Decided decision) =>
        asked.EvidenceRequired && string.IsNullOrWhiteSpace(decision.Evidence)
            ? "the answer needs proof in words or a link: --evidence '…'"
            : null;

    static string? WrongOutput(StepCatalog catalog, Plan plan, string path, JsonObject said)
    {
        if (plan.Find(path) is not { } step)
            return null;
        var outputs = OutputShapes.Of(step.Item, catalog.Steps.GetValueOrDefault(step.Item.Uses));
        foreach (var (name, value) in said)
        {
            if (!outputs.Members.TryGetValue(name, out var output))
            {
                if (!outputs.Open)
                    return $"the step '{path}' puts out no '{name}'. {Fragment(Suggestion.Hint(name, outputs.Members.Keys, "There are"))}";
            }
            else if (value is not null && !Fits(output.Shape, value))
                return $"the output '{name}' of '{path}' must be {output.Shape.Words}";
        }
        return Needed(catalog, plan, path).Select(n => n.Name).FirstOrDefault(n => !said.ContainsKey(n)) is { } missing
            ? $"later steps use steps.{step.Item.Id}.{missing}: say what it is, --output {missing}=… (null where there is none)"
            : null;
    }

    /// <summary>Outputs that later steps of the same runbook read without saying what holds when there is none.</summary>
    static IEnumerable<string> UsedLater(Plan plan, PlannedStep step)
    {
        var index = new PlanIndex(plan.Runbook);
        var frame = index.Find(step.Path)?.Frame;
        var use = new Regex($@"\bsteps\.{Regex.Escape(step.Item.Id)}\.(\w+)(?!\w|\s*(\?\?|\.\w))", RegexOptions.None, TimeSpan.FromSeconds(1));
        return plan.Steps.Where(s => s.Order > step.Order && s.Part == Part.Steps && index.Find(s.Path)?.Frame == frame)
            .SelectMany(s => use.Matches(s.Item.With.ToJsonString(StepJson.Options) + s.Item.When?.Text))
            .Select(m => m.Groups[1].Value).Distinct();
    }

    static bool Fits(Shape shape, JsonNode? value) => (shape, value) switch
    {
        (NumberShape { Whole: true }, JsonValue v) => v.GetValueKind() == System.Text.Json.JsonValueKind.Number && long.TryParse(v.ToJsonString(), out _),
        (NumberShape, JsonValue v) => v.GetValueKind() == System.Text.Json.JsonValueKind.Number,
        (BooleanShape, JsonValue v) => v.TryGetValue<bool>(out _),
        (EnumShape e, JsonValue v) => v.TryGetValue<string>(out var text) && e.Values.Contains(text),
        (FormShape f, JsonValue v) => v.TryGetValue<string>(out var text) && f.Fits(text),
        (TextShape or SecretShape, JsonValue v) => v.TryGetValue<string>(out _),
        (ListShape l, JsonArray list) => list.All(e => Fits(l.Element, e)),
        (MapShape m, JsonObject map) => map.All(e => Fits(m.Value, e.Value)),
        (RecordShape { ShortFor: null } or BlockShape, JsonObject) or (RecordShape { ShortFor: not null } or AnyShape, _) => true,
        _ => false,
    };

    /// <summary>A refusal stands inside a sentence.</summary>
    static string Fragment(string text) => text.Trim().TrimEnd('.');
}
