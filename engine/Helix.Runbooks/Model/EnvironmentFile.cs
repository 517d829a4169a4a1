using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>One file → one environment.</summary>
/// <param name="isNamed">It is found by the name of its file.</param>
sealed class EnvironmentFile(StepCatalog catalog, ProblemList problems, string path, byte[] bytes, bool isNamed)
{
    readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
    readonly Dictionary<string, string> _kinds = [];
    readonly List<(ScalarNode Node, Member Member)> _named = [];

    public Environment? Read()
    {
        var root = new YamlText(path, problems).Read(bytes);
        if (root is not MapNode map)
        {
            if (root is not (null or BrokenNode))
                problems.Error("wrong-type", root.Position, "An environment is a map of fields.", "Begin with `apiVersion: helix.runbooks/v1`.");
            return null;
        }
        var values = new ValueReader(problems, templates: false);
        var json = values.Record(map, ShapeOf.Record(typeof(EnvironmentFields)), "", "The environment");
        if (isNamed)
            Names.CheckFile(problems, path, map, "environment");
        CheckNames(map["vars"], "a var");
        CheckNames((map["people"] as MapNode)?["groups"], "a group");
        var fields = (EnvironmentFields)StepJson.Read(json, typeof(EnvironmentFields));
        CheckGroups(map["messages"], fields.People?.Groups?.Keys ?? []);
        var targets = ReadTargets(map["targets"]);
        foreach (var (node, member) in _named.Concat(values.TargetNames))
            TargetNames.Check(problems, node, member, _kinds);
        if (!problems.HasErrors)
            CheckAddresses(map["targets"] as MapNode, targets);
        return new Environment
        {
            Name = fields.Name ?? "",
            Protected = fields.Protected ?? false,
            Vars = fields.Vars ?? new Dictionary<string, JsonNode>(),
            Targets = targets,
            Groups = fields.People?.Groups ?? new Dictionary<string, IReadOnlyList<string>>(),
            Channels = [.. (fields.Messages ?? []).Where(c => c.To is not null).Select(c => new Channel(c.To!, c.About ?? Enum.GetValues<Occasion>(), c.For ?? [], c.Test ?? false))],
            AllowedSigners = fields.AllowedSigners,
            BaseDirectory = _folder,
            Source = SourceFile.Of(path, bytes),
        };
    }

    void CheckNames(Node? node, string what)
    {
        foreach (var (key, _) in (node as MapNode)?.Entries ?? [])
            if (!Names.IsId(key.Text))
                problems.Error("name", key.Position, $"'{key.Text}' cannot be the name of {what}.", Names.IdHint(key.Text));
    }

    /// <summary>A channel for a group that nobody is in would never be used.</summary>
    void CheckGroups(Node? messages, IEnumerable<string> groups)
    {
        const string group = "group:";
        foreach (var name in ((messages as ListNode)?.Items ?? []).OfType<MapNode>().SelectMany(c => (c["for"] as ListNode)?.Items ?? []).OfType<ScalarNode>())
            if (name.Text.StartsWith(group, StringComparison.Ordinal) && !groups.Contains(name.Text[group.Length..]))
                problems.Error("unknown-group", name.Position, $"There is no group '{name.Text[group.Length..]}' in the environment.", Suggestion.Hint(name.Text[group.Length..], groups, "Groups there"));
    }

    EnvironmentTargets ReadTargets(Node? node)
    {
        var targets = new EnvironmentTargets();
        if (node is not MapNode map)
        {
            if (node is not (null or BrokenNode))
                problems.Error("wrong-type", node.Position, "'targets' must be a map: name to kind and options.");
            return targets;
        }
        CheckNames(map, "a target");
        var read = map.Entries.Select(e => ReadTarget(e.Key, e.Value)).ToList();
        if (!problems.HasErrors)
            foreach (var target in read.OfType<Target>())
                targets.Add(target with { Siblings = targets });
        return targets;
    }

    /// <summary>What has no address cannot be locked, so that no runbook could use it.</summary>
    void CheckAddresses(MapNode? map, EnvironmentTargets targets)
    {
        foreach (var (name, node) in map?.Entries ?? [])
            try
            {
                _ = targets.All.GetValueOrDefault(name.Text)?.Address;
            }
            catch (RunbookException e)
            {
                problems.Error("options", node.Position, e.Message, e.Hint);
            }
    }

    Target? ReadTarget(ScalarNode name, Node node)
    {
        if (node is not MapNode map)
        {
            if (node is not BrokenNode)
                problems.Error("wrong-type", node.Position, $"The target '{name.Text}' must be a map.", "Write { kind: …, … }");
            return null;
        }
        if (map["kind"] is not ScalarNode kind)
        {
            problems.Error("missing", map.Position, $"The target '{name.Text}' lacks 'kind'.", $"Kinds: {string.Join(", ", catalog.TargetKinds.Keys)}.");
            return null;
        }
        if (!catalog.TargetKinds.TryGetValue(kind.Text, out var known))
        {
            problems.Error("unknown-kind", kind.Position, $"There is no kind of target '{kind.Text}'.", Suggestion.Hint(kind.Text, catalog.TargetKinds.Keys, "Kinds"));
            return null;
        }
        _kinds[name.Text] = kind.Text;
        var values = new ValueReader(problems, templates: false);
        var errors = problems.Count;
        var shape = ShapeOf.Record(known.Type);
        var json = values.Record(map, shape, "", $"A target of kind {kind.Text}", "kind");
        _named.AddRange(values.TargetNames);
        problems.AddAll(new Rules.RemovedProcedure().Check(json, p => values.Places.GetValueOrDefault(p, map.Position)));
        return problems.Count > errors && problems.HasErrors ? null : Bind(name, map, known, FilePaths.MakeAbsolute(json, shape, _folder));
    }

    Target? Bind(ScalarNode name, MapNode map, TargetKind kind, JsonObject json)
    {
        try
        {
            return (Target)StepJson.Bind(json, kind.Type) with { Name = name.Text };
        }
        catch (RunbookException e)
        {
            problems.Error("options", map.Position, $"The target '{name.Text}': {e.Message}", e.Hint);
            return null;
        }
    }
}
