using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

sealed record FieldsRead(JsonObject Json, ValueReader Values);

/// <summary>What the text of an item said, for the checks that come after reading.</summary>
sealed record ItemNotes(MapNode Node, FieldsRead Fields)
{
    /// <summary>How the options of a step were read.</summary>
    public ValueReader? Options { get; init; }
    public RecordShape? OptionsShape { get; init; }
    public StepType? Type { get; init; }

    /// <summary>No error was found in the options.</summary>
    public bool Sound { get; init; }

    /// <summary>The list of a forEach that holds no expression as a whole.</summary>
    public JsonNode? LiteralList { get; init; }
}

/// <summary>The ids of one runbook and what was noted for each.</summary>
sealed class RunbookNotes
{
    readonly Dictionary<string, ItemNotes> _byId = [];
    readonly Dictionary<string, Position> _given = [];
    readonly Dictionary<string, int> _made = [];

    /// <summary>Ids of items that are not understood: nothing more is said about them.</summary>
    public HashSet<string> Broken { get; } = [];

    public IReadOnlySet<string> Ids => _given.Keys.Concat(_byId.Keys).Concat(Broken).ToHashSet();

    public ItemNotes this[string id] => _byId[id];

    public void Add(string id, ItemNotes notes) => _byId[id] = notes;

    /// <summary>The id that the text gives, or one made from the kind and a number.</summary>
    public string IdOf(MapNode map, string? given, string kind, bool needed, ProblemList problems)
    {
        if (given is not null && Names.IsId(given))
        {
            var place = map["id"]!.Position;
            if (_given.TryAdd(given, place))
                return given;
            problems.Error("duplicate-id", place, $"The id '{given}' is taken by the step in line {_given[given].Line}.", "Ids are unique in the whole runbook.");
        }
        else if (needed && given is null && map["id"] is null)
            problems.Error("missing-id", map.Position, "The step has no id.", "Add `id: …`: messages, expressions and the record name the step by it.");
        return Make(kind);
    }

    string Make(string kind)
    {
        for (; ; )
        {
            var id = $"{kind}_{_made[kind] = _made.GetValueOrDefault(kind) + 1}";
            if (!_given.ContainsKey(id) && !_byId.ContainsKey(id))
                return id;
        }
    }
}
