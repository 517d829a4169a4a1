using System.Text;
using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>Help for a step type, an option, a field, a kind of target or a function, from the types themselves.</summary>
public static class Explain
{
    /// <param name="name">As <c>redis.save</c>, <c>approval.onExpiry</c>, <c>objectives.rto</c>, <c>expressions</c>.</param>
    /// <exception cref="RunbookException">Nothing has that name.</exception>
    public static string Of(StepCatalog catalog, string name)
    {
        if (name is "expressions" or "functions")
            return OfExpressions();
        if (Functions.All.TryGetValue(name, out var function))
            return $"{function.Name}: {function.Summary}\n\n  {{{{ {function.Usage} }}}}\n";
        foreach (var topic in Topics(catalog).Where(t => t.Name.Length > 0 && (name == t.Name || name.StartsWith(t.Name + ".", StringComparison.Ordinal))).OrderByDescending(t => t.Name.Length))
            if (name == topic.Name)
                return OfTopic(topic);
            else if (Find(topic.Options, name[(topic.Name.Length + 1)..].Split('.')) is { } option)
                return OfMember(name, option);
        foreach (var (_, fields) in Fields)
            if (Find(ShapeOf.Record(fields), name.Split('.')) is { } field)
                return OfMember(name, field);
        throw new RunbookException($"There is nothing named '{name}' to explain.",
            Options(catalog, name) is { Count: > 0 } options ? $"It is an option of several: {string.Join(", ", options.Take(5).Select(o => $"`helix explain {o}`"))}."
            : Suggestion.Nearest(name, Known(catalog)) is { } near ? $"Did you mean '{near}'?" : "`helix explain` lists what there is.");
    }

    static List<string> Options(StepCatalog catalog, string name) =>
        [.. Topics(catalog).Where(t => t.Options.Members.ContainsKey(name)).Select(t => $"{t.Name}.{name}").Order(StringComparer.Ordinal)];

    /// <summary>The fields of a document and of what stands in it, with the words that explain each.</summary>
    public static IReadOnlyList<(string Of, string Name, string Summary)> FieldsOfDocuments =>
    [
        .. from fields in Fields
           from member in ShapeOf.Record(fields.Type).Members.Values
           select (fields.Of, member.Name, member.Description ?? ""),
    ];

    /// <summary>All names that stand for themselves, for completion.</summary>
    public static IReadOnlyList<string> Known(StepCatalog catalog) =>
        [.. Topics(catalog).Select(t => t.Name), .. Fields.SelectMany(f => ShapeOf.Record(f.Type).Members.Keys).Distinct().Order(StringComparer.Ordinal), "expressions"];

    static readonly (string Of, Type Type)[] Fields =
    [
        ("field of a runbook", typeof(RunbookFields)), ("field of a step", typeof(StepFields)), ("field of a parallel", typeof(ParallelFields)),
        ("field of a loop", typeof(ForEachFields)), ("field of an environment", typeof(EnvironmentFields)), ("field of an input", typeof(InputFields)),
    ];

    sealed record Topic(string Name, string Summary, RecordShape Options, RecordShape? Outputs, bool IsTarget, string? Note = null, bool StatesEffect = false);

    static IEnumerable<Topic> Topics(StepCatalog catalog) =>
        catalog.Steps.Values.Select(s => new Topic(s.Name, s.About.Summary, ShapeOf.Record(s.OptionsType), s.DeclaresOutputs ? null : ShapeOf.Record(s.OutputsType), false, NoteOn(s), s.About.StatesEffect))
            .Concat(EngineItems.All.Select(e => new Topic(e.Key, e.Value.Summary, ShapeOf.Record(e.Value.Options), ShapeOf.Record(e.Value.Outputs), false)))
            .Append(new Topic(EngineItems.Runbook, "Another runbook as one step.", ShapeOf.Record(typeof(RunbookStepOptions)), null, false))
            .Concat(catalog.TargetKinds.Values.Select(k => new Topic(k.Name, k.About.Summary + " (a kind of target)", ShapeOf.Record(k.Type), null, true)));

    static string? NoteOn(StepType type) =>
        string.Join("\n", new[]
        {
            type.About.StatesEffect ? "The step states its effect: `effect: reads`, interrupts, changes or destroys." : null,
            type.DeclaresOutputs ? "The runbook declares the outputs: `outputs: { name: { type: number, from: \"json:$.count\" } }`." : null,
            type.About.Repeatable ? null : "Never tried again by itself.",
            type.About.FailureIsWarning ? "A failure is a warning unless `ifFails` says otherwise." : null,
        }.OfType<string>());

    static Member? Find(RecordShape shape, ReadOnlySpan<string> path)
    {
        if (!shape.Members.TryGetValue(path[0], out var member))
            return null;
        if (path.Length == 1)
            return member;
        return Inside(member.Shape) is { } inner ? Find(inner, path[1..]) : null;
    }

    static RecordShape? Inside(Shape shape) => shape switch
    {
        RecordShape record => record,
        ListShape list => Inside(list.Element),
        MapShape map => Inside(map.Value),
        _ => null,
    };

    static string OfTopic(Topic topic)
    {
        var text = new StringBuilder($"{topic.Name}: {topic.Summary}\n");
        if (!string.IsNullOrEmpty(topic.Note))
            text.Append('\n').Append(topic.Note).Append('\n');
        if (topic.Options.Members.Count > 0)
            text.Append("\nOptions\n").Append(List(topic.Options));
        if (topic.Outputs is { Members.Count: > 0 } outputs)
            text.Append("\nOutputs\n").Append(string.Concat(outputs.Members.Values.Select(o => $"  {o.Name} ({Type(o.Shape)})\n")));
        return text.Append("\nExample\n").Append(Example(topic)).ToString();
    }

    static string List(RecordShape shape)
    {
        var text = new StringBuilder();
        foreach (var option in shape.Members.Values.OrderByDescending(m => m.Required))
        {
            text.Append($"  {option.Name} ({Type(option.Shape)}{Terms(option)})\n");
            if (option.Description is { } description)
                text.Append($"      {description}\n");
        }
        return text.ToString();
    }

    static string Terms(Member member) => string.Concat(
        member.Required ? ", required" : "",
        member.Default is { } value && value.ToJsonString() is not ("[]" or "{}" or "false") ? $", default {value.ToJsonString(StepJson.Options)}" : "",
        member.Minimum is { } least ? $", from {least}" : "",
        member.Maximum is { } most ? $" to {most}" : "",
        member.TargetKinds is { Count: > 0 } kinds ? $", names a target of kind {string.Join(" or ", kinds)}" : member.TargetKinds is not null ? ", names a target" : "",
        member.Fixed || member.TargetKinds is not null ? ", may use inputs and vars only" : "",
        member.NoTemplate ? ", takes no expressions" : "");

    static string Type(Shape shape) => shape switch
    {
        ListShape list => $"list of {Type(list.Element)}",
        MapShape map => $"map of names to {Type(map.Value)}",
        RecordShape record => $"map: {string.Join(", ", record.Members.Keys)}",
        AnyShape => "any value",
        _ => shape.Words,
    };

    static string OfMember(string name, Member member)
    {
        var text = new StringBuilder($"{name} ({Type(member.Shape)}{Terms(member)})\n");
        if (member.Description is { } description)
            text.Append($"\n{description}\n");
        if (member.Example is { } example)
            text.Append($"\nExample: {member.Name}: {example}\n");
        if (Inside(member.Shape) is { Members.Count: > 0 } inner)
            text.Append("\nFields\n").Append(List(inner));
        return text.ToString();
    }

    static string Example(Topic topic)
    {
        var required = topic.Options.Members.Values.Where(m => m.Required || m.Shown).Select(m => $"{m.Name}: {m.Example ?? Sample(m)}").ToList();
        return topic.IsTarget
            ? $"  my_{topic.Name.Replace('-', '_')}: {{ kind: {topic.Name}{string.Concat(required.Select(r => ", " + r))} }}\n"
            : $"  - id: my_step\n    uses: {topic.Name}\n{(topic.StatesEffect ? "    effect: reads\n" : "")}" + (required.Count == 0 ? "" : "    with:\n" + string.Concat(required.Select(r => $"      {r}\n")));
    }

    /// <summary>Stands in an example where the option says none.</summary>
    static string Sample(Member member) => member.TargetKinds is not null ? "my_target" : member.Shape switch
    {
        NumberShape => "1",
        BooleanShape => "true",
        EnumShape choice => choice.Values[0],
        FormShape form => form.Sample,
        SecretShape => "\"env:NAME\"",
        ListShape list => $"[{Sample(new Member("", list.Element))}]",
        MapShape map => $"{{ name: {Sample(new Member("", map.Value))} }}",
        _ => "my_text",
    };

    static string OfExpressions()
    {
        var text = new StringBuilder("Expressions stand between {{ and }}. Variables: inputs, vars, steps.ID.OUTPUT, run, targets.NAME.FIELD, the element of a forEach.\n");
        text.Append("Operators: ?? || && == != < <= > >= + - * / // % ! and condition ? a : b. A value goes through a function with |.\n\nrun\n");
        foreach (var variable in ((RecordShape)Visible.Run).Members.Values)
            text.Append($"  run.{variable.Name} ({variable.Shape.Words})\n      {variable.Description}\n");
        text.Append("\nsteps\n");
        text.Append("  steps.ID.OUTPUT\n      What an earlier step put out; `helix explain STEP` lists the outputs. Give another for the case that there is none: steps.ID.OUTPUT ?? \"…\".\n");
        foreach (var (name, shape) in StepReference.Always)
            text.Append($"  steps.ID.{name} ({shape.Words})\n");
        text.Append("\nFunctions\n");
        foreach (var function in Functions.All.Values)
            text.Append($"  {function.Usage}\n      {function.Summary}\n");
        return text.ToString();
    }
}
