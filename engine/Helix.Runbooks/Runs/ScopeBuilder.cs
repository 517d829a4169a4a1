using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What the expressions of an item can see: built from the state for just the names that a text mentions, so that its cost does not grow with the run.</summary>
sealed partial class ScopeBuilder(Plan plan, PlanIndex index, StepCatalog catalog)
{
    readonly JsonObject _vars = new(plan.Environment.Vars.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)v.Value.DeepClone())));
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
        var item = index.Find(pattern)!.Item;
        var step = state.Step(path);
        var facts = item is RunbookItem sub && IsDone(state, path) ? Outputs(state, sub.Runbook, path + "/") : (JsonObject?)step?.Outputs?.DeepClone() ?? [];
        facts["status"] = (step?.Status ?? StepStatus.Pending).ToString().ToLowerInvariant();
        facts["started"] = step?.Started ?? state.Entered.ContainsKey(path);
        facts["succeeded"] = step?.Status == StepStatus.Succeeded || (item is RunbookItem && IsDone(state, path));
        facts["failure"] = step is { Status: StepStatus.Failed, Failure: { } failure } ? JsonSerializer.SerializeToNode(failure, StepJson.Options) : "none";
        return facts;
    }

    /// <summary>A sub-runbook is no step of the journal: it succeeded when none of its steps is open, or failed without being allowed to.</summary>
    bool IsDone(RunState state, string path) =>
        state.Entered.ContainsKey(path)
        && state.Steps.Values.Where(s => s.Path.StartsWith(path + "/", StringComparison.Ordinal))
            .All(s => s.Status is StepStatus.Succeeded or StepStatus.Skipped || (s.Status == StepStatus.Failed && MayFail(s.Path)));

    bool MayFail(string path) => index.Find(path) is { } place
        && (place.Part != Part.Steps
            || place.Item.IfFails == IfFails.Continue
            || (place.Item is StepItem { IfFails: null } step && catalog.Steps.GetValueOrDefault(step.Uses)?.About.FailureIsWarning == true)
            || Items.All(place.Frame.Runbook.Steps).OfType<BlockItem>().Any(b => b.IfFails == IfFails.Continue && Items.All([b]).Contains(place.Item, ReferenceEqualityComparer.Instance)));

    /// <summary>Seen from outside a loop, an output is the list of its values in the order of the elements.</summary>
    JsonObject Collected(RunState state, string path, int hole, string pattern)
    {
        var all = new JsonObject();
        var count = state.Lists.GetValueOrDefault(path[..hole])?.Count ?? 0;
        var (started, succeeded) = (false, count > 0);
        for (var i = 0; i < count; i++)
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
