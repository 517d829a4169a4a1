using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;

namespace Helix.Runbooks.Model.Expressions;

/// <summary>A pure function: what it takes, what it gives.</summary>
sealed record Function(string Name, string Summary, IReadOnlyList<Parameter> Parameters, Shape Gives, Func<Arguments, JsonNode?> Does)
{
    public int Least => Parameters.TakeWhile(p => !p.Optional).Count();
    public string Usage => $"{Parameters[0].Name} | {Name}{string.Concat(Parameters.Skip(1).Select(p => p.Optional ? $" [{p.Name}]" : $" {p.Name}"))}";
}

sealed record Parameter(string Name, Shape Shape, bool Optional = false);

/// <summary>The functions of expressions: those of Scriban that have neither clock nor chance nor effect.</summary>
static class Functions
{
    /// <summary>No result is longer: an expression cannot eat the memory.</summary>
    public const int MostText = 1 << 20;

    static readonly Parameter Text = new("text", Shape.Text);
    static readonly Parameter List = new("list", new ListShape(Shape.Any));
    static readonly Parameter Number = new("number", Shape.Number);

    public static IReadOnlyDictionary<string, Function> All { get; } = Make().ToDictionary(f => f.Name, StringComparer.Ordinal);

    static IEnumerable<Function> Make() => [.. OfText(), .. OfLists(), .. OfNumbers()];

    static IEnumerable<Function> OfText() =>
    [
        ToText("string.append", "Adds text at the end.", [Text, new("more", Shape.Text)], a => a.Text(0) + a.Text(1)),
        ToText("string.prepend", "Adds text at the beginning.", [Text, new("more", Shape.Text)], a => a.Text(1) + a.Text(0)),
        ToText("string.capitalize", "First letter large.", [Text], a => a.Text(0) is { Length: > 0 } t ? char.ToUpperInvariant(t[0]) + t[1..] : ""),
        ToText("string.downcase", "All letters small.", [Text], a => a.Text(0).ToLowerInvariant()),
        ToText("string.upcase", "All letters large.", [Text], a => a.Text(0).ToUpperInvariant()),
        ToText("string.strip", "Without white space at both ends.", [Text], a => a.Text(0).Trim()),
        ToText("string.lstrip", "Without white space at the beginning.", [Text], a => a.Text(0).TrimStart()),
        ToText("string.rstrip", "Without white space at the end.", [Text], a => a.Text(0).TrimEnd()),
        ToText("string.replace", "Each occurrence replaced.", [Text, new("old", Shape.Text), new("new", Shape.Text)], a => Replaced(a, a.Text(2))),
        ToText("string.remove", "Each occurrence removed.", [Text, new("old", Shape.Text)], a => Replaced(a, "")),
        ToText("string.slice", "A part: from an index, of a length.", [Text, new("start", Shape.Integer), new("length", Shape.Integer, true)], Slice),
        ToText("string.truncate", "At most so long, cut with ….", [Text, new("length", Shape.Integer)], a => a.Text(0) is var t && a.Whole(1) is var n && t.Length > n ? t[..Math.Max(0, n - 1)] + "…" : t),
        ToText("string.pad_left", "Blanks before it, to a width.", [Text, new("width", Shape.Integer)], a => a.Text(0).PadLeft(Width(a))),
        ToText("string.pad_right", "Blanks after it, to a width.", [Text, new("width", Shape.Integer)], a => a.Text(0).PadRight(Width(a))),
        new("string.size", "How many characters.", [Text], Shape.Integer, a => a.Text(0).Length),
        new("string.contains", "Whether other text is in it.", [Text, new("part", Shape.Text)], Shape.Boolean, a => a.Text(0).Contains(a.Text(1), StringComparison.Ordinal)),
        new("string.starts_with", "Whether it begins so.", [Text, new("part", Shape.Text)], Shape.Boolean, a => a.Text(0).StartsWith(a.Text(1), StringComparison.Ordinal)),
        new("string.ends_with", "Whether it ends so.", [Text, new("part", Shape.Text)], Shape.Boolean, a => a.Text(0).EndsWith(a.Text(1), StringComparison.Ordinal)),
        new("string.split", "A list of the parts between separators.", [Text, new("separator", Shape.Text)], new ListShape(Shape.Text), a => ToList(a.Text(0).Split(NotEmpty(a, 1)).Select(t => (JsonNode?)t))),
        new("string.to_int", "The whole number that it is.", [Text], Shape.Integer, a => long.TryParse(a.Text(0), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : throw a.Fault($"'{a.Text(0)}' is no whole number.")),
        new("string.to_float", "The number that it is.", [Text], Shape.Number, a => double.TryParse(a.Text(0), NumberStyles.Float, CultureInfo.InvariantCulture, out var n) ? n : throw a.Fault($"'{a.Text(0)}' is no number.")),
    ];

    static IEnumerable<Function> OfLists() =>
    [
        new("array.size", "How many elements.", [List], Shape.Integer, a => a.List(0).Count),
        new("array.first", "The first element.", [List], Shape.Any, a => a.List(0).Count > 0 ? a.List(0)[0]?.DeepClone() : null),
        new("array.last", "The last element.", [List], Shape.Any, a => a.List(0).Count > 0 ? a.List(0)[^1]?.DeepClone() : null),
        ToText("array.join", "Text of the elements with a separator between.", [List, new("separator", Shape.Text)], a => string.Join(a.Text(1), a.List(0).Select(Values.Render))),
        new("array.contains", "Whether the value is an element.", [List, new("value", Shape.Any)], Shape.Boolean, a => a.List(0).Any(i => JsonNode.DeepEquals(i, a[1]))),
        new("array.concat", "Both lists, one after the other.", [List, new("more", new ListShape(Shape.Any))], new ListShape(Shape.Any), a => ToList(a.List(0).Concat(a.List(1)))),
        new("array.reverse", "From the last to the first.", [List], new ListShape(Shape.Any), a => ToList(a.List(0).Reverse())),
        new("array.sort", "In order.", [List], new ListShape(Shape.Any), a => ToList(a.List(0).Order(Comparer<JsonNode?>.Create((x, y) => Values.Compare(x, y) ?? throw a.Fault("The elements cannot be put in order: they differ in type."))))),
        new("array.uniq", "Each value once.", [List], new ListShape(Shape.Any), a => ToList(a.List(0).DistinctBy(i => i?.ToJsonString()))),
        new("array.limit", "The first elements only.", [List, new("count", Shape.Integer)], new ListShape(Shape.Any), a => ToList(a.List(0).Take(a.Whole(1)))),
        new("array.offset", "Without the first elements.", [List, new("count", Shape.Integer)], new ListShape(Shape.Any), a => ToList(a.List(0).Skip(a.Whole(1)))),
        new("array.map", "A member of each element.", [List, new("member", Shape.Text)], new ListShape(Shape.Any), a => ToList(a.List(0).Select(i => (i as JsonObject)?[a.Text(1)] ?? throw a.Fault($"An element has no '{a.Text(1)}'.")))),
    ];

    static IEnumerable<Function> OfNumbers() =>
    [
        new("math.abs", "Without its sign.", [Number], Shape.Number, a => a.Number(0) is var n && a.IsWhole(0) ? (JsonNode)(long)Math.Abs(n) : Math.Abs(n)),
        new("math.ceil", "The next whole number above.", [Number], Shape.Integer, a => a.ToWhole(Math.Ceiling(a.Number(0)))),
        new("math.floor", "The next whole number below.", [Number], Shape.Integer, a => a.ToWhole(Math.Floor(a.Number(0)))),
        new("math.round", "Rounded, to so many places.", [Number, new("places", Shape.Integer, true)], Shape.Number, a => Math.Round(a.Number(0), a.Count > 1 ? Math.Clamp(a.Whole(1), 0, 15) : 0, MidpointRounding.AwayFromZero)),
    ];

    static Function ToText(string name, string summary, IReadOnlyList<Parameter> parameters, Func<Arguments, string> does) =>
        new(name, summary, parameters, Shape.Text, a => does(a) is { Length: <= MostText } text ? text : throw a.Fault("The text is longer than 1 MiB."));

    static JsonArray ToList(IEnumerable<JsonNode?> items) => new([.. items.Select(i => i?.DeepClone())]);

    static string Slice(Arguments a)
    {
        var text = a.Text(0);
        var start = Math.Clamp(a.Whole(1) < 0 ? text.Length + a.Whole(1) : a.Whole(1), 0, text.Length);
        return text.Substring(start, Math.Clamp(a.Count > 2 ? a.Whole(2) : text.Length, 0, text.Length - start));
    }

    static string Replaced(Arguments a, string with)
    {
        var (text, old) = (a.Text(0), NotEmpty(a, 1));
        var growth = Math.Max(0, with.Length - old.Length);
        return text.Length + (long)text.Length / old.Length * growth > 4L * MostText ? throw a.Fault("The text is longer than 1 MiB.") : text.Replace(old, with, StringComparison.Ordinal);
    }

    static string NotEmpty(Arguments a, int index) => a.Text(index) is { Length: > 0 } text ? text : throw a.Fault("The text to look for is empty.");
    static int Width(Arguments a) => a.Whole(1) is >= 0 and <= 1000 and var width ? width : throw a.Fault("A width is from 0 to 1000.");
}
