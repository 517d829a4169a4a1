using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>A text with an expression, found while values are read: checked when all that it may name is known.</summary>
sealed record TemplateUse(ScalarNode Node, Shape Shape, Member? Member, string Path);

/// <summary>Node + shape → JSON, with a problem for each thing that does not fit. What does not fit is left out.</summary>
sealed class ValueReader(ProblemList problems, bool templates)
{
    public List<TemplateUse> Templates { get; } = [];

    /// <summary>Place of each value by its path below the node read first.</summary>
    public Dictionary<string, Position> Places { get; } = [];

    /// <summary>Values of options that name a target or a file, for the checks that need the environment.</summary>
    public List<(ScalarNode Node, Member Member)> TargetNames { get; } = [];

    public JsonObject Record(MapNode map, RecordShape shape, string path, string what, params IReadOnlyList<string> ignored)
    {
        var result = new JsonObject();
        foreach (var (key, value) in map.Entries)
        {
            if (ignored.Contains(key.Text))
                continue;
            if (!shape.Members.TryGetValue(key.Text, out var member))
            {
                ReportUnknown(key, shape, what, ignored);
                continue;
            }
            if (Read(value, member.Shape, member, Join(path, key.Text)) is { } read)
                result[key.Text] = read;
        }
        foreach (var member in shape.Members.Values)
            if (member.Required && map[member.Name] is null)
                problems.Error("missing", map.Position, $"{what} lacks '{member.Name}'.", MissingHint(member));
        return result;
    }

    public JsonNode? Read(Node node, Shape shape, Member? member, string path)
    {
        Places[path] = node.Position;
        if (node is BrokenNode || shape is BlockShape)
            return null;
        if (node is ScalarNode scalar && IsNothing(scalar, shape))
            return Missing(scalar, path, shape);
        if (node is ScalarNode text && Template.Has(text.Text) && templates)
            return ReadTemplate(text, shape, member, path);
        var value = ReadLiteral(node, shape, member, path);
        if (value is not null && member is not null)
            CheckRules(node, member, value, path);
        return value;
    }

    JsonNode? ReadLiteral(Node node, Shape shape, Member? member, string path) => shape switch
    {
        RecordShape { ShortFor: { } name } record when node is ScalarNode scalar =>
            Read(scalar, record.Members[name].Shape, record.Members[name], path) is { } value ? new JsonObject { [name] = value } : null,
        RecordShape record => node is MapNode map ? Record(map, record, path, Thing(path)) : Wrong(node, path, shape),
        MapShape of => node is MapNode map ? ReadMap(map, of, member, path) : Wrong(node, path, shape),
        ListShape of => node is ListNode list ? ReadList(list, of, member, path) : Wrong(node, path, shape, WrapHint(node)),
        AnyShape => ReadAny(node, path),
        SecretShape => ReadSecret(node, path),
        _ => node is ScalarNode scalar ? ReadScalar(scalar, shape, member, path) : Wrong(node, path, shape),
    };

    JsonObject ReadMap(MapNode map, MapShape of, Member? member, string path)
    {
        var result = new JsonObject();
        foreach (var (key, value) in map.Entries)
            if (Read(value, of.Value, Inner(member), Join(path, key.Text)) is { } read)
                result[key.Text] = read;
        return result;
    }

    JsonArray ReadList(ListNode list, ListShape of, Member? member, string path)
    {
        var result = new JsonArray();
        for (var i = 0; i < list.Items.Count; i++)
            if (Read(list.Items[i], of.Element, Inner(member), $"{path}[{i}]") is { } read)
                result.Add(read);
        return result;
    }

    /// <summary>What a list or map option says of its elements too; its length rules are its own.</summary>
    static Member? Inner(Member? member) => member is null ? null
        : member with { Rules = null, Pattern = null, Minimum = null, Maximum = null, MinLength = null, MaxLength = null };

    JsonNode? ReadAny(Node node, string path)
    {
        switch (node)
        {
            case ScalarNode scalar:
                return CoreValue.Of(scalar);
            case ListNode list:
                return ReadList(list, new ListShape(Shape.Any), null, path);
            case MapNode map:
                return ReadMap(map, new MapShape(Shape.Any), null, path);
            default:
                return null;
        }
    }

    JsonNode? ReadScalar(ScalarNode scalar, Shape shape, Member? member, string path)
    {
        if (ScalarValue.Of(scalar, shape, out var fault, out var hint) is { } value)
        {
            if (member?.TargetKinds is not null)
                TargetNames.Add((scalar, member));
            return value;
        }
        problems.Error("wrong-type", scalar.Position, $"{Thing(path)} {fault}", hint);
        return null;
    }

    JsonNode? ReadSecret(Node node, string path)
    {
        if (node is ScalarNode scalar)
            return ReadReference(scalar, path);
        if (node is not ListNode { Items.Count: > 0 } list)
            return Wrong(node, path, Shape.Secret, "Write env:NAME, file:/path or vault:target/path#field.");
        var result = new JsonArray();
        for (var i = 0; i < list.Items.Count; i++)
            if (list.Items[i] is ScalarNode item && ReadReference(item, $"{path}[{i}]") is { } reference)
                result.Add(reference);
            else if (list.Items[i] is not (ScalarNode or BrokenNode))
                Wrong(list.Items[i], $"{path}[{i}]", Shape.Secret);
        return result.Count == list.Items.Count ? result : null;
    }

    JsonValue? ReadReference(ScalarNode scalar, string path)
    {
        Places[path] = scalar.Position;
        if (scalar is { IsPlain: true, HasComment: true })
            problems.Warning("cut-at-comment", scalar.Position, $"{Thing(path)} ends before ' #': the rest of the line is a comment.", "Write quotes around the value if it goes on.");
        if (Secret.Fault(scalar.Text) is { } fault)
        {
            problems.Error("secret-literal", scalar.Position, $"{Thing(path)} is no reference. {fault}", "Put the value into the environment, a file or Vault, and refer to it.");
            return null;
        }
        return JsonValue.Create(scalar.Text);
    }

    JsonValue? ReadTemplate(ScalarNode text, Shape shape, Member? member, string path)
    {
        if (member?.InsteadOfTemplate is { } instead)
        {
            problems.Error("no-template", text.PlaceOf(text.Text.IndexOf("{{", StringComparison.Ordinal)), $"{Thing(path)} takes no expressions.", instead);
            return null;
        }
        Templates.Add(new TemplateUse(text, shape, member, path));
        return JsonValue.Create(text.Text);
    }

    void CheckRules(Node node, Member member, JsonNode value, string path)
    {
        if (member.Pattern is Names.IdPattern or Names.KebabPattern)
        {
            var text = value.ToString();
            var id = member.Pattern == Names.IdPattern;
            if (!(id ? Names.IsId(text) : Names.IsKebab(text)))
                problems.Error("name", node.Position, $"'{text}' cannot be {(id ? "an id" : "a name")}.", id ? Names.IdHint(text) : Names.KebabHint(text));
            return;
        }
        if (member.Rules is null)
            return;
        foreach (var fault in member.Rules.Faults(path, StandIn.For(value, member.Shape, member)))
            problems.Error("range", node.Position, fault.Replace("The field ", "", StringComparison.Ordinal), member.Description);
    }

    void ReportUnknown(ScalarNode key, RecordShape shape, string what, IReadOnlyList<string> ignored)
    {
        if (!shape.Open && !problems.IsFull)
            problems.Error("unknown-key", key.Position, $"{what} has no '{key.Text}'.", UnknownHint(key.Text, shape, ignored));
    }

    static string UnknownHint(string key, RecordShape shape, IReadOnlyList<string> ignored)
    {
        var known = shape.Members.Keys.Concat(ignored).Distinct().ToList();
        return known.Contains("with") && Suggestion.Nearest(key, known) is null
            ? $"Options of the step type stand below `with:`. Fields: {string.Join(", ", known)}."
            : Suggestion.Hint(key, known, "There are");
    }

    static bool IsNothing(ScalarNode scalar, Shape shape) => shape is not AnyShape && CoreValue.KindOf(scalar) == CoreKind.Null;

    JsonNode? Missing(ScalarNode scalar, string path, Shape shape)
    {
        problems.Error("no-value", scalar.Position, $"{Thing(path)} has no value; it must be {shape.Words}.", "Leave it out, or write a value (\"\" for empty text).");
        return null;
    }

    JsonNode? Wrong(Node node, string path, Shape shape, string? hint = null)
    {
        var found = node switch { MapNode => "a map", ListNode => "a list", _ => "a single value" };
        problems.Error("wrong-type", node.Position, $"{Thing(path)} must be {shape.Words}, and this is {found}.", hint);
        return null;
    }

    static string? WrapHint(Node node) => node is not ScalarNode { Text.Length: < 60 } scalar ? null
        : scalar.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 1 } words && !Template.Has(scalar.Text) ? $"Write [{string.Join(", ", words)}] for a list of {words.Length}, [\"{scalar.Text}\"] for a list of one."
        : $"Write [{scalar.Text}] for a list of one.";

    static string MissingHint(Member member) =>
        $"Add `{member.Name}: {member.Example ?? "…"}`{(member.Description is null ? "" : $" — {member.Description}")}";

    static string Thing(string path) => path.Length == 0 ? "This" : $"'{path}'";
    static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
