using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>The values that expressions may name.</summary>
public sealed record ExpressionScope
{
    public JsonObject Inputs { get; init; } = [];
    public JsonObject Vars { get; init; } = [];

    /// <summary>Step id → its outputs beside <c>status</c>, <c>started</c>, <c>succeeded</c>. Outside a forEach each output of its steps is a list. A step without an output lacks the name.</summary>
    public JsonObject Steps { get; init; } = [];
    public JsonObject Run { get; init; } = [];

    /// <summary>Target name → its public fields.</summary>
    public JsonObject Targets { get; init; } = [];

    /// <summary>The elements of the forEach blocks around, by name.</summary>
    public IReadOnlyDictionary<string, JsonNode?> Loop { get; init; } = new Dictionary<string, JsonNode?>();

    internal bool Knows(string name) => name is "inputs" or "vars" or "steps" or "run" or "targets" || Loop.ContainsKey(name);

    internal JsonNode? this[string name] => Loop.TryGetValue(name, out var element) ? element : name switch
    {
        "inputs" => Inputs,
        "vars" => Vars,
        "steps" => Steps,
        "run" => Run,
        _ => Targets,
    };
}

/// <summary>Templates → values, at run time. Strict: an unknown name, nothing, and what is no number are errors with their place.</summary>
public static class TemplateEvaluator
{
    /// <summary>One plain path, with or without <c>??</c>, keeps its type; everything else gives text.</summary>
    /// <exception cref="RunbookException">It has no value.</exception>
    public static JsonNode Evaluate(Template template, ExpressionScope scope)
    {
        if (!Template.Has(template.Text))
            return JsonValue.Create(template.Text)!;
        var parsed = Parsed(template);
        return Guarded(template, () => parsed.Path is { } path ? Value(path, scope).DeepClone() : JsonValue.Create(Text(parsed, scope))!);
    }

    /// <summary>True or false, and nothing else: text counts only when it is exactly one of the two (TPL-03).</summary>
    public static bool EvaluateCondition(Template template, ExpressionScope scope)
    {
        if (!Template.Has(template.Text))
            return Truth(template, JsonValue.Create(template.Text));
        var parsed = Parsed(template);
        return Truth(template, Guarded(template, () => parsed.Whole is { } whole ? Value(whole, scope) : JsonValue.Create(Text(parsed, scope))!));
    }

    /// <summary>The list of a forEach: an expression that gives one, or a list as written.</summary>
    public static JsonArray EvaluateList(Template template, ExpressionScope scope)
    {
        if (Written(template) is { } written)
            return Resolve(written, scope, null, _ => template.Position).AsArray();
        var parsed = Parsed(template);
        var value = Guarded(template, () => parsed.Whole is { } whole ? Value(whole, scope) : JsonValue.Create(template.Text)!);
        return value.DeepClone() as JsonArray ?? throw Wrong(template, $"is {Values.Kind(value)}, and forEach needs a list.");
    }

    /// <summary>A list that stands in the text element by element, whatever these are; null: an expression gives it.</summary>
    public static JsonArray? Written(Template template) => template.Text.StartsWith('[') ? JsonNode.Parse(template.Text) as JsonArray : null;

    /// <summary>Options with every expression replaced. With the type of the options, a number or boolean lands as text where text is due.</summary>
    public static JsonObject Resolve(JsonObject with, ExpressionScope scope, Type? optionsType, Func<string, Position> placeOf) =>
        Resolve(with, scope, optionsType is null ? null : ShapeOf.Type(optionsType), placeOf).AsObject();

    /// <summary>The options of an item with every expression replaced.</summary>
    public static JsonObject Resolve(StepItem item, ExpressionScope scope, Type optionsType) =>
        Resolve(item.With, scope, optionsType, path => item.Places.GetValueOrDefault(path, item.Position));

    static JsonNode Resolve(JsonNode value, ExpressionScope scope, Shape? shape, Func<string, Position> placeOf, string path = "")
    {
        switch (value)
        {
            case JsonObject map:
                return new JsonObject(map.Select(m => KeyValuePair.Create(m.Key, m.Value is null ? null : (JsonNode?)Resolve(m.Value, scope, Inner(shape, m.Key), placeOf, path.Length == 0 ? m.Key : $"{path}.{m.Key}"))));
            case JsonArray list:
                return new JsonArray([.. list.Select((item, i) => item is null ? null : Resolve(item, scope, (shape as ListShape)?.Element, placeOf, $"{path}[{i}]"))]);
            default:
                if (Values.Text(value) is not { } text || !Template.Has(text))
                    return value.DeepClone();
                var template = new Template(text, placeOf(path));
                // Where true or false or a number is due, a comparison or a sum gives it: text could not be meant.
                var result = shape is BooleanShape or NumberShape && Parsed(template).Whole is { } whole
                    ? Guarded(template, () => Value(whole, scope).DeepClone())
                    : Evaluate(template, scope);
                return shape is TextShape or EnumShape && result is JsonValue ? JsonValue.Create(Values.Render(result))! : result;
        }
    }

    static Shape? Inner(Shape? shape, string name) => shape switch
    {
        RecordShape record => record.Members.GetValueOrDefault(name)?.Shape,
        MapShape map => map.Value,
        _ => null,
    };

    static ParsedTemplate Parsed(Template template)
    {
        var parsed = ParsedTemplate.Of(template.Text);
        return parsed.Fault is { } fault ? throw new RunbookException($"{template.Position}: {fault.Message}", fault.Hint) : parsed;
    }

    static JsonNode Value(Expr expr, ExpressionScope scope) => new Evaluation(name => scope[name], scope.Knows).Value(expr);

    static string Text(ParsedTemplate parsed, ExpressionScope scope)
    {
        var text = new StringBuilder();
        foreach (var part in parsed.Parts)
        {
            text.Append(part.Text ?? Values.Render(Value(part.Expression!, scope)));
            if (text.Length > Functions.MostText)
                throw new EvaluationFault(null, "The text is longer than 1 MiB.");
        }
        return text.ToString();
    }

    static JsonNode Guarded(Template template, Func<JsonNode> compute)
    {
        try
        {
            return compute();
        }
        catch (EvaluationFault fault)
        {
            throw new RunbookException($"{template.Position}: in \"{Shorten(template.Text)}\": {fault.Message}", fault.Hint);
        }
    }

    static bool Truth(Template template, JsonNode? value) =>
        Values.Boolean(value) ?? (Values.Text(value) switch
        {
            "true" => true,
            "false" => false,
            _ => throw Wrong(template, $"is {(Values.Text(value) is { } text ? $"'{Shorten(text)}'" : Values.Kind(value))}, and must be true or false."),
        });

    static RunbookException Wrong(Template template, string what) => new($"{template.Position}: \"{Shorten(template.Text)}\" {what}");

    static string Shorten(string text) => text.Length > 80 ? text[..80] + "…" : text;
}
