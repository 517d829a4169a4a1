using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What the expressions of an item can see: built from the state for just the names that a text mentions, so that its cost does not grow with the run.</summary>
sealed partial class ScopeBuilder(Plan plan, PlanIndex index, StepCatalog catalog)
{
    readonly JsonObject _vars = PlanFacts.Vars(plan.Environment);
    readonly JsonObject _targets = PlanFacts.Targets(plan.Environment);

    public bool Condition(RunState state, string path, Template when) => TemplateEvaluator.EvaluateCondition(when, Scope(state, path, when.Text));

    public JsonArray List(RunState state, string path, Template list) => TemplateEvaluator.EvaluateList(list, Scope(state, path, list.Text));

    /// <summary>The options with every template replaced by its value.</summary>
    public JsonObject Resolve(RunState state, string path, StepItem item) =>
        TemplateEvaluator.Resolve(item, Scope(state, path, item.With.ToJsonString(StepJson.Options)), OptionsOf(item));

    Type OptionsOf(StepItem item) => EngineItems.All.TryGetValue(item.Uses, out var own) ? own.Options : catalog.Steps[item.Uses].OptionsType;

    /// <summary>The inputs that a sub-runbook is entered with.</summary>
    public JsonObject ResolveInputs(RunState state, string path, RunbookItem sub)
    {
        var given = TemplateEvaluator.Resolve(sub.Inputs, Scope(state, path, sub.Inputs.ToJsonString(StepJson.Options)), null, _ => sub.Position);
        foreach (var (name, input) in sub.Runbook.Inputs)
            if (!given.ContainsKey(name) && input.Default is { } value)
                given[name] = value.DeepClone();
        return given;
    }

    public JsonObject Outputs(RunState state, Runbook runbook, string prefix)
    {
        var outputs = new JsonObject();
        foreach (var (name, template) in runbook.Outputs)
            outputs[name] = TemplateEvaluator.Evaluate(template, ScopeIn(state, prefix, runbook, template.Text));
        return outputs;
    }

    ExpressionScope Scope(RunState state, string path, string text)
    {
        var place = index.Find(path) ?? throw new InvalidOperationException($"No item at {path}.");
        return new ExpressionScope
        {
            Inputs = InputsOf(state, place.Frame, path),
            Vars = _vars,
            Targets = _targets,
            Run = RunFacts(state),
            Steps = StepsIn(state, place.Frame, path, text),
            Loop = place.Loops.Select(l => (l, At: Concrete(l.Pattern + "[]", path)))
                .ToDictionary(l => l.l.Item.As, l => Element(state, l.At)),
        };
    }

    ExpressionScope ScopeIn(RunState state, string prefix, Runbook runbook, string text)
    {
        var frame = index.All.Select(p => p.Frame).FirstOrDefault(f => ReferenceEquals(f.Runbook, runbook) && f.Prefix == StepPath.Pattern(prefix))
            ?? new Frame(runbook, "", null);
        return new ExpressionScope
        {
            Inputs = InputsOf(state, frame, prefix),
            Vars = _vars,
            Targets = _targets,
            Run = RunFacts(state),
            Steps = StepsIn(state, frame, prefix, text),
        };
    }

    static JsonObject InputsOf(RunState state, Frame frame, string path) =>
        frame.Item is null ? state.Inputs : state.Entered.GetValueOrDefault(Concrete(frame.Item.Pattern, path)).Inputs ?? [];

    static JsonNode? Element(RunState state, string at)
    {
        var open = at.LastIndexOf('[');
        return state.Lists.TryGetValue(at[..open], out var list) ? list[int.Parse(at[(open + 1)..^1])] : null;
    }

    JsonObject StepsIn(RunState state, Frame frame, string path, string text)
    {
        var steps = new JsonObject();
        foreach (var id in Mentioned().Matches(text).Select(m => m.Groups[1].Value).Distinct())
            if (frame.Ids.TryGetValue(id, out var pattern))
                steps[id] = Facts(state, Concrete(pattern, path), pattern);
        return steps;
    }

    JsonObject Facts(RunState state, string path, string pattern)
    {
        var hole = path.IndexOf("[]", StringComparison.Ordinal);
        if (hole >= 0)
            return Collected(state, path, hole, pattern);
        return index.Find(pattern)!.Item is RunbookItem sub ? OfSub(state, sub, path) : OfStep(state.Step(path));
    }

    static JsonObject OfStep(StepState? step) =>
        Told((JsonObject?)step?.Outputs?.DeepClone() ?? [], step?.Status ?? StepStatus.Pending, step?.Started == true, step?.Failure);

    /// <summary>A sub-runbook is no step of the journal: what became of it is what became of its steps.</summary>
    JsonObject OfSub(RunState state, RunbookItem sub, string path)
    {
        var sequencer = new Sequencer(plan.Runbook, catalog);
        var status = sequencer.StatusOf(state, sub, path);
        var failure = status == StepStatus.Failed ? sequencer.FailureOf(state, path, p => index.Find(p) is { Part: Part.Steps }) : (FailureClass?)null;
        return Told(status == StepStatus.Succeeded ? Outputs(state, sub.Runbook, path + "/") : [], status, state.Entered.ContainsKey(path), failure);
    }

    /// <summary>The outputs with what is known of every step (<see cref="StepReference.Always"/>).</summary>
    static JsonObject Told(JsonObject outputs, StepStatus status, bool started, FailureClass? failure)
    {
        outputs["status"] = status.ToString().ToLowerInvariant();
        outputs["started"] = started;
        outputs["succeeded"] = status == StepStatus.Succeeded;
        outputs["failure"] = status == StepStatus.Failed && failure is { } why ? JsonSerializer.SerializeToNode(why, StepJson.Options) : "none";
        return outputs;
    }

    /// <summary>Seen from outside a loop, an output is the list of its values in the order of the elements.</summary>
    JsonObject Collected(RunState state, string path, int hole, string pattern)
    {
        var all = new JsonObject();
        var list = state.Lists.GetValueOrDefault(path[..hole]);
        // A loop without elements has run: each output is a list, and an empty one.
        foreach (var name in list is { Count: 0 } ? Names(pattern) : [])
            all[name] = new JsonArray();
        var (started, succeeded) = (false, list is not null);
        for (var i = 0; i < list?.Count; i++)
        {
            var one = Facts(state, $"{path[..hole]}[{i}]{path[(hole + 2)..]}", pattern);
            started |= one["started"]!.GetValue<bool>();
            succeeded &= one["succeeded"]!.GetValue<bool>();
            foreach (var (name, value) in one)
                ((JsonArray)(all[name] ??= new JsonArray())).Add(value?.DeepClone());
        }
        all["started"] = started;
        all["succeeded"] = succeeded;
        return all;
    }

    IEnumerable<string> Names(string pattern) => StepReference.Always.Keys.Concat(index.Find(pattern)!.Item switch
    {
        RunbookItem sub => sub.Runbook.Outputs.Keys,
        StepItem step => OutputShapes.Of(step, catalog.Steps.GetValueOrDefault(step.Uses)).Members.Keys,
        _ => [],
    });

    /// <summary>Fills the indexes of a pattern from a path, as far as both stand in the same loops.</summary>
    internal static string Concrete(string pattern, string path)
    {
        var (p, q) = (0, 0);
        var text = new System.Text.StringBuilder();
        var same = true;
        while (p < pattern.Length)
        {
            if (same && q < path.Length && pattern[p] == '[' && path[q] == '[')
            {
                var end = path.IndexOf(']', q);
                text.Append(path, q, end - q + 1);
                (p, q) = (p + 2, end + 1);
                continue;
            }
            same &= q < path.Length && pattern[p] == path[q];
            text.Append(pattern[p]);
            (p, q) = (p + 1, q + 1);
        }
        return text.ToString();
    }

    static JsonObject RunFacts(RunState state) => new()
    {
        ["id"] = state.Run,
        ["mode"] = state.Started.Mode,
        ["startedAt"] = Text(state.StartedAt),
        ["occurredAt"] = Text(state.Started.OccurredAt ?? state.Started.DeclaredAt),
        ["declaredAt"] = Text(state.Started.DeclaredAt),
        ["operator"] = state.Started.Operator.Account,
        ["environment"] = state.Started.Environment,
        ["work"] = state.Started.Work,
        ["safe"] = state.Started.Safe,
        ["timestamp"] = state.StartedAt.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'"),
    };

    static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'");

    [GeneratedRegex(@"\bsteps\s*\.\s*([a-z][a-z0-9_]*)")]
    private static partial Regex Mentioned();
}
