using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>One file → one runbook, in three passes: the tree, the values, and what hangs together.</summary>
sealed class RunbookFile(Reading reading, string path, byte[] bytes, SubRunbooks subs)
{
    readonly ProblemList _problems = reading.Problems;
    readonly ValueReader _values = new(reading.Problems, templates: true);
    readonly RunbookNotes _notes = new();

    /// <returns>Null when there is nothing to check further; else a runbook, which counts only when no error was reported.</returns>
    public Runbook? Read()
    {
        var root = new YamlText(path, _problems).Read(bytes);
        if (root is not MapNode map)
        {
            if (root is not (null or BrokenNode))
                _problems.Error("wrong-type", root.Position, "A runbook is a map of fields.", "Begin with `apiVersion: helix.runbooks/v1`.");
            return null;
        }
        var json = _values.Record(map, ShapeOf.Record(typeof(RunbookFields)), "", "The runbook");
        RefuseTemplates();
        Names.CheckFile(_problems, path, map, "runbook");
        var runbook = Build(map, json);
        new RunbookChecks(reading, runbook, map, _notes, _values, subs.IsSub).Check();
        return runbook;
    }

    /// <summary>Only outputs are computed; the head of a runbook is read before anything has a value.</summary>
    void RefuseTemplates()
    {
        foreach (var use in _values.Templates.Where(u => !u.Path.StartsWith("outputs.", StringComparison.Ordinal)))
            _problems.Error("no-template", use.Node.Position, $"'{use.Path}' takes no expressions.", "Expressions are for `with`, `when`, `forEach` and `outputs`.");
    }

    Runbook Build(MapNode map, JsonObject json)
    {
        var fields = Bind(json);
        var items = new ItemReader(reading.Catalog, _problems, _notes, subs, fields.Defaults);
        var steps = items.ReadItems(map["steps"]);
        if (map["steps"] is ListNode { Items.Count: 0 } none)
            _problems.Error("no-steps", none.Position, "The runbook has no steps.");
        return new Runbook
        {
            Name = fields.Name ?? "",
            Title = fields.Title ?? "",
            Description = fields.Description ?? "",
            Owner = fields.Owner,
            Symptoms = fields.Symptoms ?? [],
            Objectives = Objectives(fields.Objectives),
            Inputs = Inputs(fields.Inputs),
            Needs = Needs(map, fields.Needs, steps),
            Steps = steps,
            Rescue = items.ReadItems(map["rescue"], cleanup: true),
            Finally = items.ReadItems(map["finally"], cleanup: true),
            Outputs = Outputs(map),
            MaxRounds = fields.MaxRounds ?? 3,
            RequireProof = fields.RequireProof ?? false,
            Source = SourceFile.Of(path, bytes),
        };
    }

    /// <summary>A machine that drives a run drives its sub-runbooks too.</summary>
    Dictionary<string, string> Needs(MapNode map, IReadOnlyDictionary<string, string>? own, IReadOnlyList<Item> steps)
    {
        var needs = new Dictionary<string, string>(own ?? new Dictionary<string, string>());
        foreach (var sub in Items.All(steps).OfType<RunbookItem>())
            foreach (var (name, value) in sub.Runbook.Needs)
                if (!needs.TryAdd(name, value) && needs[name] != value)
                    _problems.Error("needs", (map["needs"] ?? map).Position, $"A machine with {name}={needs[name]} and {name}={value} (for {sub.File}) cannot be.", "One machine drives the whole run.");
        return needs;
    }

    RunbookFields Bind(JsonObject json)
    {
        var literal = json.DeepClone().AsObject();
        foreach (var use in _values.Templates)
            literal.Remove(use.Path.Split('.', '[')[0]);
        literal.Remove("outputs");
        return (RunbookFields)StepJson.Read(literal, typeof(RunbookFields));
    }

    static Objectives Objectives(ObjectivesFields? fields) => new()
    {
        Rto = fields?.Rto?.Value,
        Rpo = fields?.Rpo?.Value,
        Mttr = fields?.Mttr?.Value,
        RecoveredAt = fields?.RecoveredAt,
        FailedAt = fields?.FailedAt,
    };

    static Dictionary<string, Input> Inputs(IReadOnlyDictionary<string, InputFields>? fields)
    {
        var inputs = new Dictionary<string, Input>();
        foreach (var (name, input) in fields ?? new Dictionary<string, InputFields>())
            if (input.Type is not null)
                inputs.Add(name, Input(input));
        return inputs;
    }

    static Input Input(InputFields fields) => new()
    {
        Type = fields.Type!.Value,
        Description = fields.Description,
        Required = fields.Required ?? false,
        Default = fields.Default?.DeepClone(),
        Choices = fields.Choices ?? [],
        Pattern = fields.Pattern,
        Minimum = fields.Minimum,
        Maximum = fields.Maximum,
        Target = fields.Target,
        Prefix = fields.Prefix,
    };

    static Dictionary<string, Template> Outputs(MapNode map) =>
        map["outputs"] is not MapNode outputs ? [] :
        outputs.Entries.Where(e => e.Value is ScalarNode).ToDictionary(e => e.Key.Text, e => new Template(((ScalarNode)e.Value).Text, e.Value.Position));
}
