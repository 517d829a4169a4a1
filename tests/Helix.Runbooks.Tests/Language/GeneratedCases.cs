using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Language;

/// <summary>A document made from option types, one option a line, with one thing wrong; and the line where that is.</summary>
public sealed record GeneratedCase(string What, string Yaml, bool IsEnvironment, string Rule, int Line)
{
    public override string ToString() => What;
}

/// <summary>Goes through every option of every step type and kind of target.</summary>
static class GeneratedCases
{
    public static StepCatalog Catalog { get; } = new(typeof(Helix.Steps.Targets.Runtime).Assembly, typeof(Sample).Assembly);

    public static IEnumerable<(string What, bool IsEnvironment, RecordShape Shape, string Head, bool Effect)> Subjects() =>
    [
        .. Catalog.Steps.Values.Select(s => (s.Name, false, ShapeOf.Record(s.OptionsType), s.Name, s.About.StatesEffect)),
        .. EngineItems.All.Select(e => (e.Key, false, ShapeOf.Record(e.Value.Options), e.Key, false)),
        .. Catalog.TargetKinds.Values.Select(k => ("target " + k.Name, true, ShapeOf.Record(k.Type), k.Name, false)),
    ];

    public static IEnumerable<GeneratedCase> All()
    {
        foreach (var (what, isEnvironment, shape, head, effect) in Subjects())
            foreach (var made in Of(what, isEnvironment, shape, head, effect))
                yield return made;
    }

    static IEnumerable<GeneratedCase> Of(string what, bool isEnvironment, RecordShape shape, string head, bool effect)
    {
        var valid = shape.Members.Values.Where(m => m.Required).Select(m => (m.Name, Value: Valid(m))).ToList();
        GeneratedCase Make(string how, IEnumerable<(string Name, string Value)> options, string rule, string at)
        {
            var lines = options.ToList();
            var text = isEnvironment ? EnvironmentText(head, lines) : RunbookText(head, effect, lines);
            var line = Array.FindIndex(text.Split('\n'), l => l.TrimStart().StartsWith(at + ":", StringComparison.Ordinal) && l.StartsWith("        ", StringComparison.Ordinal)) + 1;
            return new GeneratedCase($"{what}: {how}", text, isEnvironment, rule, line);
        }
        yield return Make("valid", valid, "", "none");
        yield return Make("unknown option", valid.Append(("no_such_option", "1")), "unknown-key", "no_such_option");
        foreach (var member in shape.Members.Values)
        {
            var others = valid.Where(v => v.Name != member.Name).ToList();
            if (member.Required)
                yield return Make($"without {member.Name}", others, "missing", "none");
            if (Wrong(member.Shape) is { } wrong)
                yield return Make($"{member.Name} of a wrong type", others.Append((member.Name, wrong)), "", member.Name);
            if (member.Minimum is { } least && member.Shape is NumberShape)
                yield return Make($"{member.Name} too small", others.Append((member.Name, JsonSerializer.Serialize(least - 1))), "range", member.Name);
            if (member.Maximum is { } most && member.Shape is NumberShape)
                yield return Make($"{member.Name} too large", others.Append((member.Name, JsonSerializer.Serialize(most + 1))), "range", member.Name);
            yield return Make($"{member.Name} misspelt", others.Append((member.Name + "x", member.Required ? valid.First(v => v.Name == member.Name).Value : Valid(member))), "unknown-key", member.Name + "x");
            if (member.Shape is not AnyShape)
                yield return Make($"{member.Name} without a value", others.Append((member.Name, "")), "no-value", member.Name);
        }
    }

    static string RunbookText(string uses, bool effect, List<(string Name, string Value)> options) =>
        $"apiVersion: helix.runbooks/v1\nname: sample\ntitle: A sample\nsteps:\n  - id: a\n    uses: {uses}\n{(effect ? "    effect: reads\n" : "")}    with:{(options.Count == 0 ? " {}" : "")}\n"
        + string.Concat(options.Select(o => $"        {o.Name}: {o.Value}\n"));

    static string EnvironmentText(string kind, List<(string Name, string Value)> options) =>
        $"apiVersion: helix.runbooks/v1\nname: sample\ntargets:\n    it:\n        kind: {kind}\n" + string.Concat(options.Select(o => $"        {o.Name}: {o.Value}\n"));

    /// <summary>The example of the option, or the least value of its type.</summary>
    public static string Valid(Member member) => member.Example is { } example && !example.Contains('\n') ? Quoted(example) : Least(member, member.Shape);

    /// <summary>Examples are YAML; one that begins with a brace needs the quotes that it would need in a file.</summary>
    static string Quoted(string example) => example.StartsWith("{{", StringComparison.Ordinal) ? JsonSerializer.Serialize(example) : example;

    static string Least(Member? member, Shape shape) => shape switch
    {
        NumberShape => JsonSerializer.Serialize(member?.Minimum ?? 1),
        BooleanShape => "true",
        EnumShape choice => choice.Values[0],
        FormShape form => $"\"{form.Sample}\"",
        SecretShape => "env:X",
        ListShape list => $"[{Least(null, list.Element)}]",
        MapShape map => $"{{ a: {Least(null, map.Value)} }}",
        RecordShape { ShortFor: { } name } record => Least(record.Members[name], record.Members[name].Shape),
        RecordShape record => $"{{ {string.Join(", ", record.Members.Values.Where(m => m.Required).Select(m => $"{m.Name}: {Valid(m)}"))} }}",
        _ => "\"x\"",
    };

    static string? Wrong(Shape shape) => shape switch
    {
        NumberShape or BooleanShape => "\"no\"",
        EnumShape => "no-such-value",
        FormShape { Pattern: not null } => "\"not of this form\"",
        SecretShape => "hunter2",
        TextShape => "{ a: b }",
        ListShape => "{ a: b }",
        MapShape => "[x]",
        RecordShape => "[x]",
        _ => null,
    };

    public static (bool Good, IReadOnlyList<Problem> Problems) Read(GeneratedCase made)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(made.Yaml);
        if (made.IsEnvironment)
        {
            var environment = new EnvironmentReader(Catalog).Read("/somewhere/sample.yaml", bytes);
            return (!environment.HasErrors, environment.Problems);
        }
        var runbook = new RunbookReader(Catalog).Read("sample.yaml", bytes, _ => null);
        return (!runbook.HasErrors, runbook.Problems);
    }

    public static JsonNode? Json(string yaml) =>
        new YamlText("sample.yaml", new ProblemList()).Read(System.Text.Encoding.UTF8.GetBytes(yaml)) is { } root ? ShapeSchema.ToJson(root) : null;
}
