using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Reports;

/// <summary>A plan for people: on a screen, on paper with check boxes, or as JSON.</summary>
public static class PlanPage
{
    /// <summary>What steps say that they would touch, when nobody asked them.</summary>
    public static IReadOnlyDictionary<string, StepPlan> NotAsked { get; } = new Dictionary<string, StepPlan>();

    public static string Text(Plan plan, IReadOnlyDictionary<string, StepPlan> described)
    {
        var text = new StringBuilder();
        text.Append($"{plan.Runbook.Title}\n{plan.Runbook.Name} on {plan.Environment.Name}{Protection(plan)}, {Mode(plan)}\n");
        if (Objectives(plan.Runbook.Objectives) is { Length: > 0 } objectives)
            text.Append(objectives).Append('\n');
        if (plan.Runbook.Needs.Count > 0)
            text.Append($"needs a machine with {NodeLabels.Words(plan.Runbook.Needs)}\n");
        foreach (var (name, value) in plan.Inputs)
            text.Append($"  {name} = {Plain(value)}\n");
        text.Append('\n');
        foreach (var (step, begins) in plan.Walk())
            text.AppendJoin("", begins.Select(b => $"     {new string(' ', 2 * b.Depth)}{b.Words}:\n")).Append($"{Number(step),4} {Heading(step)}{new string(' ', 2 * step.Depth)}{step.Path}  {step.Item.Uses}  {Effects(step)}{Gate(step)}{When(step)}\n{Said(step, described, new string(' ', 7 + 2 * step.Depth))}");
        text.Append('\n');
        foreach (var held in plan.Locks)
            text.Append($"locks {held.Target} ({held.Identity}){(held.Shared ? ", shared" : "")}\n");
        foreach (var problem in plan.Problems)
            text.Append(problem).Append('\n');
        return text.Append($"plan {plan.Hash}").ToString();
    }

    /// <summary>For the day without a screen: every step with its options, a box to tick and room for the time.</summary>
    public static string Markdown(Plan plan, IReadOnlyDictionary<string, StepPlan> described)
    {
        var text = new StringBuilder();
        text.Append($"# {plan.Runbook.Title}\n\n`{plan.Runbook.Name}` on **{plan.Environment.Name}**{Protection(plan)}, {Mode(plan)}. Plan `{plan.Hash}`.\n\n");
        if (plan.Runbook.Description.Length > 0)
            text.Append(plan.Runbook.Description.Trim()).Append("\n\n");
        if (Objectives(plan.Runbook.Objectives) is { Length: > 0 } objectives)
            text.Append($"**Objectives:** {objectives}\n\n");
        if (plan.Runbook.Symptoms.Count > 0)
            text.Append("**Symptoms:**\n\n").AppendJoin("", plan.Runbook.Symptoms.Select(s => $"- {s}\n")).Append('\n');
        if (plan.Inputs.Count > 0)
            text.Append("**Inputs:**\n\n").AppendJoin("", plan.Inputs.Select(i => $"- {i.Key}: `{Plain(i.Value)}`\n")).Append('\n');
        text.Append("Started at: ________________  by: ________________\n");
        var section = (Part?)null;
        foreach (var (step, begins) in plan.Walk())
        {
            if (section != step.Section)
                text.Append($"\n## {(step.Section == Part.Steps ? "Steps" : step.Section == Part.Rescue ? "If it gives up" : "At the end, always")}\n\n");
            section = step.Section;
            text.AppendJoin("", begins.Select(b => $"{new string(' ', 2 * b.Depth)}- {b.Words}:\n"));
            AppendStep(text, step, described);
        }
        foreach (var problem in plan.Problems)
            text.Append($"\n> {problem.ToString().Replace("\n", "\n> ", StringComparison.Ordinal)}\n");
        return text.ToString().TrimEnd();
    }

    public static string Json(Plan plan, IReadOnlyDictionary<string, StepPlan> described) => new JsonObject
    {
        ["runbook"] = plan.Runbook.Name,
        ["title"] = plan.Runbook.Title,
        ["environment"] = plan.Environment.Name,
        ["protected"] = plan.Environment.Protected,
        ["mode"] = Mode(plan),
        ["hash"] = plan.Hash,
        ["destroys"] = plan.Destroys,
        ["inputs"] = plan.Inputs.DeepClone(),
        ["steps"] = new JsonArray([.. plan.Steps.Select(s => ToJson(s, described.GetValueOrDefault(s.Path)))]),
        ["locks"] = new JsonArray([.. plan.Locks.Select(l => new JsonObject { ["identity"] = l.Identity, ["target"] = l.Target, ["shared"] = l.Shared })]),
        ["problems"] = new JsonArray([.. plan.Problems.Select(p => new JsonObject
        {
            ["place"] = p.Position.ToString(),
            ["severity"] = p.Severity == Severity.Error ? "error" : "warning",
            ["rule"] = p.Rule,
            ["message"] = p.Message,
            ["hint"] = p.Hint,
        })]),
        ["pinned"] = new JsonObject(plan.Pinned.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value.Sha256))),
    }.ToJsonString(ReportJson.Indented);

    static JsonObject ToJson(PlannedStep step, StepPlan? described) => new()
    {
        ["path"] = step.Path,
        ["uses"] = step.Item.Uses,
        ["name"] = step.Item.Name,
        ["part"] = step.Part.ToString().ToLowerInvariant(),
        ["when"] = step.Item.When?.Text,
        ["effect"] = step.Effect.ToString().ToLowerInvariant(),
        ["effects"] = new JsonArray([.. step.Effects.Select(e => new JsonObject { ["target"] = e.Target, ["effect"] = e.Effect.ToString().ToLowerInvariant(), ["what"] = e.What })]),
        ["gate"] = step.Gate,
        ["with"] = step.With.DeepClone(),
        ["would"] = new JsonArray([.. (described?.Lines ?? []).Select(l => JsonValue.Create(l))]),
        ["warnings"] = new JsonArray([.. (described?.Warnings ?? []).Select(l => JsonValue.Create(l))]),
        ["within"] = new JsonArray([.. step.Within.Select(w => JsonValue.Create(w))]),
    };

    static void AppendStep(StringBuilder text, PlannedStep step, IReadOnlyDictionary<string, StepPlan> described)
    {
        var indent = new string(' ', 2 * step.Depth);
        text.Append($"{indent}- [ ] **{step.Path}** ({step.Item.Uses}){(step.Item.Name is { } name ? ": " + name : "")}. {Words.Sentence(Effects(step))}.{Gate(step)}{When(step)}\n");
        foreach (var (option, value) in step.With)
            text.Append($"{indent}  - {option}: {(value is JsonValue v && v.TryGetValue<string>(out var s) && s.Contains('\n') ? Folded(s, indent) : $"`{Plain(value)}`")}\n");
        text.Append(Said(step, described, indent + "  - "));
        text.Append($"{indent}  - done at: ____________  result: ________________________\n");
    }

    static string Said(PlannedStep step, IReadOnlyDictionary<string, StepPlan> described, string indent) => described.TryGetValue(step.Path, out var said)
        ? string.Concat(said.Lines.Concat(said.Warnings.Select(w => "warning: " + w)).Select(l => $"{indent}{l}\n"))
        : "";

    static string Folded(string text, string indent) => "\n" + string.Join("\n", text.TrimEnd().Split('\n').Select(l => $"{indent}    > {l}"));

    static string Number(PlannedStep step) => (step.Order + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
    static string Heading(PlannedStep step) => step.Section == Part.Steps ? "" : step.Section == Part.Rescue ? "[rescue] " : "[finally] ";
    static string Protection(Plan plan) => plan.Environment.Protected ? " (protected)" : "";
    static string Mode(Plan plan) => plan.Mode.ToString().ToLowerInvariant();
    static string Gate(PlannedStep step) => step.Gate is { } gate ? $"  after approval {gate}" : "";
    static string When(PlannedStep step) => step.Item.When is { } when ? $"  when {when.Text}" : "";

    public static string Effects(PlannedStep step) => step.Effects.Count == 0
        ? step.Item.Uses switch
        {
            EngineItems.Approval => $"asks {Named(step.With["approvers"])}",
            EngineItems.Manual => $"asks {Named(step.With["assignees"])}",
            EngineItems.Wait => "waits",
            _ => "no effect",
        }
        : string.Join(", ", step.Effects.Select(e => $"{e.Effect.ToString().ToLowerInvariant()} {e.Target ?? "local files"}{(e.What is { } what ? $" ({what})" : "")}"));

    static string Named(JsonNode? people) => people is JsonArray { Count: > 0 } list ? string.Join(", ", list.Select(Plain)) : "anybody";

    static string Objectives(Objectives o)
    {
        (string, TimeSpan?)[] all = [("RTO", o.Rto), ("RPO", o.Rpo), ("MTTR", o.Mttr)];
        return string.Join(", ", all.Where(x => x.Item2 is not null).Select(x => $"{x.Item1} {Words.Objective(x.Item2!.Value)}"));
    }

    static string Plain(JsonNode? value) => value is JsonValue v && v.TryGetValue<string>(out var text) ? text : value?.ToJsonString(StepJson.Options) ?? "null";
}
