using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Expressions;
using Helix.Runbooks.Model.Schedules;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Triggers;

/// <summary>YAML text → valid triggers: with the runbooks and environments that they name, all problems at once.</summary>
public sealed class TriggerReader(StepCatalog catalog)
{
    public ReadResult<TriggerBook> ReadFile(string path) =>
        FileBytes.Read(path, out var why) is { } bytes ? Read(path, bytes) : FileBytes.Unreadable<TriggerBook>(path, why);

    public ReadResult<TriggerBook> Read(string path, byte[] text)
    {
        var problems = new ProblemList();
        var book = new TriggerFile(new NamedFiles(catalog, problems, path), problems, path).Read(text);
        return new ReadResult<TriggerBook>(problems.HasErrors ? null : book, problems.Sorted(path));
    }
}

/// <summary>One file → its hooks and triggers.</summary>
sealed class TriggerFile(NamedFiles files, ProblemList problems, string path)
{
    static readonly TimeSpan Window = TimeSpan.FromMinutes(5), SameFor = TimeSpan.FromHours(24), MinimumDelay = TimeSpan.FromMinutes(15), ExpiresAfter = TimeSpan.FromHours(4);

    public TriggerBook? Read(byte[] bytes)
    {
        var root = new YamlText(path, problems).Read(bytes);
        if (root is not MapNode map)
        {
            if (root is not (null or BrokenNode))
                problems.Error("wrong-type", root.Position, "A file of triggers is a map of fields.", "Begin with `apiVersion: helix.runbooks/v1`.");
            return null;
        }
        var fields = new ValueReader(problems, templates: false).Record(map, ShapeOf.Record(typeof(TriggersFields)), "", "The file of triggers").Deserialize<TriggersFields>(StepJson.Options)!;
        if (fields.Name is { } name && name != Path.GetFileNameWithoutExtension(path))
            problems.Error("name", map["name"]!.Position, $"The name '{name}' differs from that of the file, '{Path.GetFileNameWithoutExtension(path)}'.", "Let both be equal.");
        var hooks = Entries(map["hooks"], fields.Hooks).Select(e => ReadHook(e.Key, e.Map, e.Fields)).OfType<Hook>().ToDictionary(h => h.Name);
        var triggers = Entries(map["triggers"], fields.Triggers).Select(e => ReadTrigger(e.Key, e.Map, e.Fields, hooks, fields.Environment, map["environment"])).OfType<Trigger>().ToList();
        return new TriggerBook { Path = path, Hooks = hooks, Triggers = triggers };
    }

    static IEnumerable<(ScalarNode Key, MapNode Map, T Fields)> Entries<T>(Node? node, IReadOnlyDictionary<string, T>? fields) where T : class =>
        from entry in (node as MapNode)?.Entries ?? []
        where entry.Value is MapNode && fields?.GetValueOrDefault(entry.Key.Text) is not null
        select (entry.Key, (MapNode)entry.Value, fields![entry.Key.Text]);

    Hook? ReadHook(ScalarNode name, MapNode map, HookFields fields)
    {
        if (!Names.IsKebab(name.Text))
            problems.Error("name", name.Position, $"'{name.Text}' cannot be the name of a hook.", Names.KebabHint(name.Text));
        if (fields.From is HookSource.Signed && fields.Secret is null && map["secret"] is null)
            problems.Error("missing", map.Position, $"The hook '{name.Text}' lacks 'secret'.", "Add `secret: env:NAME` or `secret: file:/path`.");
        if (fields.From is HookSource.Alertmanager && (map["secret"] ?? map["window"]) is { } useless)
            problems.Error("no-effect", useless.Position, "Alertmanager cannot sign.", "It sends a token that an account made for this hook (page of the account): take this away.");
        if (fields.Secret is { } secret && secret.References.Any(r => r.StartsWith("vault:", StringComparison.Ordinal)))
            problems.Error("secret", map["secret"]!.Position, "Vault cannot be asked for this: hooks must work while it is down.", "Write env:NAME or file:/path.");
        return fields.From is null ? null : new Hook { Name = name.Text, From = fields.From.Value, Secret = fields.Secret, Window = fields.Window?.Value ?? Window };
    }

    Trigger? ReadTrigger(ScalarNode name, MapNode map, TriggerFields fields, Dictionary<string, Hook> hooks, string? usual, Node? usualAt)
    {
        if (!Names.IsId(name.Text))
            problems.Error("name", name.Position, $"'{name.Text}' cannot be the name of a trigger.", Names.IdHint(name.Text));
        if (usual is null && fields.Environment is null)
            problems.Error("missing", map.Position, $"The trigger '{name.Text}' lacks 'environment'.", "Name one here, or at the top for all.");
        var environment = (fields.Environment ?? usual) is { } file ? files.Environment(file, map["environment"] ?? usualAt ?? map) : null;
        var runbook = fields.Runbook is { } book ? files.Runbook(book, environment, map["runbook"]!) : null;
        if (fields.Hook is not { } named)
            return null;
        if (!hooks.TryGetValue(named, out var hook))
        {
            problems.Error("unknown-hook", map["hook"]!.Position, $"There is no hook '{named}'.", Suggestion.Hint(named, hooks.Keys, "Hooks"));
            return null;
        }
        CheckKind(map, fields, hook);
        var inputs = runbook is null ? null : Inputs(map, runbook, hook);
        if (fields.Mode == TriggeredMode.Drill && environment is { Protected: true })
            problems.Error("drill", name.Position, $"'{name.Text}' is a drill in the protected environment '{environment.Name}'.", "Drills are refused there; name another environment.");
        return environment is null || runbook is null || inputs is not var (values, places) ? null : Of(name, map, fields, environment, runbook, values, places);
    }

    static Trigger Of(ScalarNode name, MapNode map, TriggerFields fields, Environment environment, Runbook runbook, JsonObject inputs, IReadOnlyDictionary<string, Position> places) => new()
    {
        Name = name.Text,
        Hook = fields.Hook!,
        Match = fields.Match ?? new Dictionary<string, string>(),
        When = fields.When is { } when ? new Template(when, map["when"]!.Position) : null,
        Runbook = runbook,
        Environment = environment,
        Inputs = inputs,
        Same = fields.Same is { } same ? new Template(same, map["same"]!.Position) : null,
        SameFor = fields.SameFor?.Value ?? SameFor,
        MinimumDelay = fields.MinimumDelay?.Value ?? MinimumDelay,
        AtOnce = fields.AtOnce ?? AtOnce.Changes,
        ExpiresAfter = fields.ExpiresAfter?.Value ?? ExpiresAfter,
        Mode = fields.Mode ?? TriggeredMode.Live,
        Enabled = fields.Enabled ?? true,
        Position = name.Position,
        Places = places,
    };

    void CheckKind(MapNode map, TriggerFields fields, Hook hook)
    {
        var (checks, flow) = (TriggerScope.Checks(problems), TriggerScope.Flow(hook.From));
        if (map["when"] is ScalarNode when)
            checks.CheckCondition(when, flow);
        if (map["same"] is ScalarNode same)
            checks.Check(new TemplateUse(same, Shape.Text, null, "same"), flow);
        if (hook.From == HookSource.Alertmanager)
        {
            if ((map["same"] ?? map["sameFor"]) is { } useless)
                problems.Error("no-effect", useless.Position, "Which alerts are the same is told by Alertmanager.", "Take this away.");
            if (fields.Match is not { Count: > 0 } && fields.When is null)
                problems.Warning("every-alert", map.Position, "Every alert that comes fires this trigger.", "Name labels: match: { alertname: … }.");
        }
        else if (map["match"] is { } match)
            problems.Error("no-effect", match.Position, "The body of a signed hook has no labels.", "Write a condition: when: \"{{ body.… == '…' }}\".");
    }

    (JsonObject Values, IReadOnlyDictionary<string, Position> Places)? Inputs(MapNode map, Runbook runbook, Hook hook)
    {
        var errors = problems.Errors;
        if ((map["inputs"] ?? new MapNode(map.Position, [])) is not MapNode given)
        {
            problems.Error("wrong-type", map["inputs"]!.Position, "'inputs' must be a map: name to value.");
            return null;
        }
        var values = new ValueReader(problems, templates: true);
        var inputs = values.Record(given, InputShapes.Of(runbook), "", $"The runbook '{runbook.Name}'");
        foreach (var use in values.Templates)
            if (use.Shape is SecretShape)
                problems.Error("secret", use.Node.Position, $"'{use.Path}' is a secret, and who sends an alert must not choose which.", "Write a reference: env:NAME or file:/path.");
            else
                // What an alert holds is text; whether it fits the input is seen when it comes.
                TriggerScope.Checks(problems).Check(use with { Shape = Shape.Any }, TriggerScope.Flow(hook.From));
        return problems.Errors > errors ? null : (inputs, values.Places);
    }
}
