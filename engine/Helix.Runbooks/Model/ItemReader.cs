using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>Lists of steps → items. What later checks need is kept in <see cref="RunbookNotes"/>.</summary>
sealed class ItemReader(StepCatalog catalog, ProblemList problems, RunbookNotes notes, SubRunbooks subs, DefaultsFields? defaults)
{
    static readonly string[] Kinds = ["uses", "parallel", "forEach", "steps"];
    static readonly string[] Blocks = ["steps", "parallel", "rescue", "finally"];

    /// <param name="cleanup">The list is a rescue or finally: its errors never stop the rest, so defaults of the runbook for failures do not apply.</param>
    public IReadOnlyList<Item> ReadItems(Node? node, bool cleanup = false)
    {
        if (node is null or BrokenNode)
            return [];
        if (node is not ListNode list)
        {
            problems.Error("wrong-type", node.Position, "This must be a list of steps.", "Begin each step with a hyphen: - id: …");
            return [];
        }
        return [.. list.Items.Select(item => ReadItem(item, cleanup)).OfType<Item>()];
    }

    Item? ReadItem(Node node, bool cleanup)
    {
        if (node is BrokenNode)
            return null;
        if (node is not MapNode map)
        {
            problems.Error("wrong-type", node.Position, "A step must be a map.", "Write it as - { id: …, uses: …, with: { … } }");
            return null;
        }
        if (Understood(map, cleanup) is { } item)
            return item;
        if (map["id"] is ScalarNode id)
            notes.Broken.Add(id.Text);
        return null;
    }

    Item? Understood(MapNode map, bool cleanup)
    {
        var kinds = Kinds.Where(k => map[k] is not null).ToList();
        if (kinds is ["forEach", "steps"])
            return ReadForEach(map, cleanup);
        if (kinds.Count == 1)
            return kinds[0] switch
            {
                "uses" => ReadUses(map, cleanup),
                "parallel" => ReadParallel(map, cleanup),
                "forEach" => ReadForEach(map, cleanup),
                _ => ReadGroup(map, cleanup),
            };
        problems.Error("item-kind", map.Position,
            kinds.Count == 0 ? "This is no step: it has none of uses, parallel, forEach and steps." : $"This is several things at once: {string.Join(" and ", kinds)}.",
            kinds.Count == 0 ? map.Entries.Select(e => e.Key.Text).Where(k => Suggestion.Nearest(k, Kinds) is not null).Select(k => $"Did you mean '{Suggestion.Nearest(k, Kinds)}' for '{k}'?").FirstOrDefault() : "Put one into the steps of the other.");
        return null;
    }

    Item? ReadUses(MapNode map, bool cleanup)
    {
        if (map["uses"] is not ScalarNode uses)
        {
            problems.Error("wrong-type", map["uses"]!.Position, "'uses' must be the name of a step type.");
            return null;
        }
        if (uses.Text == EngineItems.Runbook)
            return ReadRunbook(map);
        return ReadStep(map, uses, cleanup);
    }

    StepItem ReadStep(MapNode map, ScalarNode uses, bool cleanup)
    {
        var read = ReadFields(map, ShapeOf.Record(typeof(StepFields)), "The step", "with");
        var fields = Bind<StepFields>(read);
        var type = catalog.Steps.GetValueOrDefault(uses.Text);
        var engine = EngineItems.All.GetValueOrDefault(uses.Text);
        var optionsType = type?.OptionsType ?? engine?.Options;
        var values = new ValueReader(problems, templates: true);
        JsonObject with = [];
        var errors = problems.Errors;
        if (optionsType is null)
            ReportUnknownType(uses);
        else
            with = ReadOptions(map, uses, optionsType, values);
        var sound = problems.Errors == errors;
        if (type is null && optionsType is not null && map["retry"] is { } retry)
            problems.Error("retry", retry.Position, $"'{uses.Text}' waits and is never tried again, so it has no retry.", "Leave it out.");
        CheckEffect(map, uses, type, fields.Effect);
        var id = notes.IdOf(map, fields.Id, "step", needed: true, problems);
        notes.Add(id, new ItemNotes(map, read) { Options = values, OptionsShape = optionsType is null ? null : ShapeOf.Record(optionsType), Type = type, Sound = sound });
        return new StepItem
        {
            Id = id,
            Name = fields.Name,
            Position = map.Position,
            When = When(map),
            Uses = uses.Text,
            With = with,
            Effect = fields.Effect,
            Timeout = Timeouts(fields.Timeout, type is null ? null : defaults?.Timeout),
            Retry = Retry(fields.Retry ?? (type is null ? null : defaults?.Retry)),
            IfFails = fields.IfFails ?? (cleanup || type?.About.FailureIsWarning == true ? null : defaults?.IfFails),
            Places = values.Places,
        };
    }

    JsonObject ReadOptions(MapNode map, ScalarNode uses, Type optionsType, ValueReader values)
    {
        var shape = ShapeOf.Record(optionsType);
        if (map["with"] is MapNode with)
            return values.Record(with, shape, "", uses.Text);
        if (map["with"] is { } other and not BrokenNode)
            problems.Error("wrong-type", other.Position, "'with' must be a map of options.", "Write with: { option: value }");
        else
            values.Record(new MapNode(map.Position, []), shape, "", uses.Text);
        return [];
    }

    void ReportUnknownType(ScalarNode uses)
    {
        var known = catalog.Steps.Keys.Concat(EngineItems.All.Keys).Append(EngineItems.Runbook).ToList();
        var system = known.Where(k => k.Split('.')[0] == uses.Text.Split('.')[0]).ToList();
        problems.Error("unknown-step-type", uses.Position, $"There is no step type '{uses.Text}'.",
            Suggestion.Nearest(uses.Text, known) is { } near ? $"Did you mean '{near}'?"
            : Suggestion.Hint(uses.Text, system.Count > 0 ? system : [.. known.Select(k => k.Split('.')[0]).Distinct()], system.Count > 0 ? "There are" : "Systems"));
    }

    void CheckEffect(MapNode map, ScalarNode uses, StepType? type, Effect? effect)
    {
        if (type is { About.StatesEffect: true } && effect is null && map["effect"] is null)
            problems.Error("effect", map.Position, $"'{uses.Text}' cannot know what it does: the step must say.", "Add `effect: reads`, interrupts, changes or destroys.");
        else if (map["effect"] is { } stated && type is not { About.StatesEffect: true } && (type is not null || EngineItems.All.ContainsKey(uses.Text)))
            problems.Error("effect", stated.Position, $"'{uses.Text}' knows its effect from its options; it cannot be stated.", "Leave it out.");
    }

    ParallelItem ReadParallel(MapNode map, bool cleanup)
    {
        var read = ReadFields(map, ShapeOf.Record(typeof(ParallelFields)), "The parallel", Blocks);
        var fields = Bind<ParallelFields>(read);
        var id = notes.IdOf(map, fields.Id, "parallel", needed: false, problems);
        notes.Add(id, new ItemNotes(map, read));
        return new ParallelItem
        {
            Id = id,
            Name = fields.Name,
            Position = map.Position,
            When = When(map),
            Timeout = Timeouts(fields.Timeout, null),
            IfFails = fields.IfFails,
            FailFast = fields.FailFast ?? true,
            Branches = ReadBranches(map["parallel"]!, cleanup),
            Rescue = ReadItems(map["rescue"], cleanup: true),
            Finally = ReadItems(map["finally"], cleanup: true),
        };
    }

    IReadOnlyList<IReadOnlyList<Item>> ReadBranches(Node node, bool cleanup)
    {
        if (node is ListNode list)
            return [.. list.Items.Select(branch => ReadItems(branch is MapNode map ? Alone(map) : branch, cleanup))];
        if (node is not BrokenNode)
            problems.Error("wrong-type", node.Position, "'parallel' must be a list of branches, each a list of steps.", "Write - - { id: …, uses: … } for a branch of one step.");
        return [];
    }

    ListNode Alone(MapNode map)
    {
        problems.Error("branch", map.Position, "A branch of a parallel is a list of steps, and this is one step.", "Begin it with two hyphens: - - id: …");
        return new ListNode(map.Position, [map]);
    }

    GroupItem ReadGroup(MapNode map, bool cleanup)
    {
        var read = ReadFields(map, ShapeOf.Record(typeof(GroupFields)), "The group", Blocks);
        var fields = Bind<GroupFields>(read);
        var id = notes.IdOf(map, fields.Id, "group", needed: false, problems);
        notes.Add(id, new ItemNotes(map, read));
        return new GroupItem
        {
            Id = id,
            Name = fields.Name,
            Position = map.Position,
            When = When(map),
            Timeout = Timeouts(fields.Timeout, null),
            IfFails = fields.IfFails,
            Steps = ReadItems(map["steps"], cleanup),
            Rescue = ReadItems(map["rescue"], cleanup: true),
            Finally = ReadItems(map["finally"], cleanup: true),
        };
    }

    ForEachItem ReadForEach(MapNode map, bool cleanup)
    {
        var read = ReadFields(map, ShapeOf.Record(typeof(ForEachFields)), "The forEach", Blocks);
        var list = read.Json["forEach"];
        var literal = list is JsonArray;
        read.Json.Remove("forEach");
        var fields = Bind<ForEachFields>(read);
        var id = notes.IdOf(map, fields.Id, "for_each", needed: false, problems);
        notes.Add(id, new ItemNotes(map, read) { LiteralList = literal ? list : null });
        return new ForEachItem
        {
            Id = id,
            Name = fields.Name,
            Position = map.Position,
            When = When(map),
            Timeout = Timeouts(fields.Timeout, null),
            IfFails = fields.IfFails,
            List = new Template(literal ? list!.ToJsonString(StepJson.Options) : list?.ToString() ?? "", map["forEach"]!.Position),
            As = fields.As ?? "item",
            MaxParallel = fields.MaxParallel ?? 1,
            AtMost = fields.AtMost,
            FailFast = fields.FailFast ?? true,
            Steps = ReadItems(map["steps"], cleanup),
            Rescue = ReadItems(map["rescue"], cleanup: true),
            Finally = ReadItems(map["finally"], cleanup: true),
        };
    }

    RunbookItem ReadRunbook(MapNode map)
    {
        var read = ReadFields(map, ShapeOf.Record(typeof(RunbookStepFields)), "The step", "rescue", "finally", "with");
        var fields = Bind<RunbookStepFields>(read);
        var id = notes.IdOf(map, fields.Id, "runbook", needed: true, problems);
        notes.Add(id, new ItemNotes(map, read));
        var (file, runbook, inputs) = ReadSub(map, read.Values);
        return new RunbookItem
        {
            Id = id,
            Name = fields.Name,
            Position = map.Position,
            When = When(map),
            Timeout = Timeouts(fields.Timeout, null),
            IfFails = fields.IfFails,
            File = file,
            Runbook = runbook,
            Inputs = inputs,
            Rescue = ReadItems(map["rescue"], cleanup: true),
            Finally = ReadItems(map["finally"], cleanup: true),
        };
    }

    (string File, Runbook Runbook, JsonObject Inputs) ReadSub(MapNode map, ValueReader values)
    {
        // Stands in for one with errors; the errors keep it from ever being used.
        var broken = new Runbook { Name = "", Title = "", Source = SourceFile.Of("", []) };
        if (map["with"] is not MapNode with)
        {
            if (map["with"] is { } other)
                values.Read(other, ShapeOf.Record(typeof(RunbookStepOptions)), null, "with");
            return ("", broken, []);
        }
        var options = values.Record(with, ShapeOf.Record(typeof(RunbookStepOptions)), "with", "'with'", "inputs");
        if (options["file"]?.GetValue<string>() is not { } file || subs.Read(file, with["file"]!.Position) is not { } sub)
            return ("", broken, []);
        var given = with["inputs"] ?? new MapNode(with.Position, []);
        var inputs = given is MapNode listed
            ? values.Record(listed, InputShapes.Of(sub), "with.inputs", $"The runbook '{file}'")
            : values.Read(given, new MapShape(Shape.Any), null, "with.inputs") as JsonObject;
        return (file, sub, inputs ?? []);
    }

    FieldsRead ReadFields(MapNode map, RecordShape shape, string what, params string[] blocks)
    {
        var values = new ValueReader(problems, templates: true);
        var json = values.Record(map, shape, "", what, [.. blocks.Where(shape.Members.ContainsKey)]);
        return new FieldsRead(json, values);
    }

    /// <summary>Fields that hold an expression are read from the text; they are no value yet.</summary>
    static T Bind<T>(FieldsRead read)
    {
        var literal = read.Json.DeepClone().AsObject();
        foreach (var use in read.Values.Templates)
            literal.Remove(use.Path.Split('.', '[')[0]);
        literal.Remove("with");
        return (T)StepJson.Read(literal, typeof(T));
    }

    static Template? When(MapNode map) => map["when"] is ScalarNode when ? new Template(when.Text, when.Position) : null;

    static Timeouts Timeouts(TimeoutFields? given, TimeoutFields? usual) => new()
    {
        Attempt = given?.Attempt?.Value ?? usual?.Attempt?.Value,
        Total = given?.Total?.Value ?? usual?.Total?.Value,
        NoProgress = given?.NoProgress?.Value ?? usual?.NoProgress?.Value,
    };

    static Retry? Retry(RetryFields? fields)
    {
        if (fields is null)
            return null;
        var usual = new Retry();
        return new Retry
        {
            Attempts = fields.Attempts ?? 3,
            Delay = fields.Delay?.Value ?? usual.Delay,
            Backoff = fields.Backoff ?? usual.Backoff,
            MaxDelay = fields.MaxDelay?.Value ?? usual.MaxDelay,
            Jitter = fields.Jitter ?? usual.Jitter,
            OnAny = fields.On == RetryOn.Any,
        };
    }
}
