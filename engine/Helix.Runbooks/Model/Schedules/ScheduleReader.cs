using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Schedules;

/// <summary>YAML text → valid schedules: with the runbooks and environments that they name, all problems at once.</summary>
public sealed class ScheduleReader(StepCatalog catalog, TimeProvider time)
{
    public ReadResult<ScheduleBook> ReadFile(string path) =>
        FileBytes.Read(path, out var why) is { } bytes ? Read(path, bytes) : FileBytes.Unreadable<ScheduleBook>(path, why);

    public ReadResult<ScheduleBook> Read(string path, byte[] text)
    {
        var problems = new ProblemList();
        var book = new ScheduleFile(new NamedFiles(catalog, problems, path), problems, path, time.GetUtcNow()).Read(text);
        return new ReadResult<ScheduleBook>(problems.HasErrors ? null : book, problems.Sorted(path));
    }
}

/// <summary>One file → its schedules.</summary>
sealed class ScheduleFile(NamedFiles files, ProblemList problems, string path, DateTimeOffset now)
{
    readonly ValueReader _values = new(problems, templates: false);

    public ScheduleBook? Read(byte[] bytes)
    {
        var root = new YamlText(path, problems).Read(bytes);
        if (root is not MapNode map)
        {
            if (root is not (null or BrokenNode))
                problems.Error("wrong-type", root.Position, "A file of schedules is a map of fields.", "Begin with `apiVersion: helix.runbooks/v1`.");
            return null;
        }
        var json = _values.Record(map, ShapeOf.Record(typeof(SchedulesFields)), "", "The file of schedules");
        var fields = json.Deserialize<SchedulesFields>(StepJson.Options)!;
        CheckName(map, fields);
        var zone = Zone(map["timeZone"], fields.TimeZone);
        var schedules = (map["schedules"] as MapNode)?.Entries.Select(e => (e.Key, Map: e.Value as MapNode, Fields: fields.Schedules?.GetValueOrDefault(e.Key.Text)))
            .Where(e => e is { Map: not null, Fields: not null })
            .Select(e => Schedule(e.Key, e.Map!, e.Fields!, fields.Environment, map["environment"], zone)).OfType<Schedule>().ToList() ?? [];
        new ScheduleChecks(problems, now).Check(schedules);
        return new ScheduleBook { Name = fields.Name ?? "", Path = path, Schedules = schedules, Freezes = Freezes(map, fields, zone) };
    }

    List<FreezeWindow> Freezes(MapNode map, SchedulesFields fields, TimeZoneInfo? zone)
    {
        var names = (map["schedules"] as MapNode)?.Entries.Select(e => e.Key.Text).ToList() ?? [];
        var freezes = new List<FreezeWindow>();
        foreach (var (name, node) in (map["freezes"] as MapNode)?.Entries ?? [])
        {
            if (!Names.IsId(name.Text))
                problems.Error("name", name.Position, $"'{name.Text}' cannot be the name of a freeze.", Names.IdHint(name.Text));
            if (node is MapNode window && fields.Freezes?.GetValueOrDefault(name.Text) is { } given && new FreezeReader(problems).Read(name, window, given, zone, names) is { } freeze)
                freezes.Add(freeze);
        }
        return freezes;
    }

    Schedule? Schedule(ScalarNode name, MapNode map, ScheduleFields fields, string? usual, Node? usualAt, TimeZoneInfo? usualZone)
    {
        if (!Names.IsId(name.Text))
            problems.Error("name", name.Position, $"'{name.Text}' cannot be the name of a schedule.", Names.IdHint(name.Text));
        if (usual is null && fields.Environment is null)
            problems.Error("missing", map.Position, $"The schedule '{name.Text}' lacks 'environment'.", "Name one here, or at the top for all.");
        var environment = (fields.Environment ?? usual) is { } file ? files.Environment(file, map["environment"] ?? usualAt ?? map) : null;
        var runbook = fields.Runbook is { } book ? files.Runbook(book, environment, map["runbook"]!) : null;
        var zone = fields.TimeZone is { } own ? Zone(map["timeZone"], own) : usualZone;
        var rhythm = RhythmOf(map, fields, zone);
        var inputs = runbook is null ? null : Inputs(map, runbook);
        if (environment is null || runbook is null || rhythm is null || inputs is null)
            return null;
        return new Schedule
        {
            Name = name.Text,
            Runbook = runbook,
            Environment = environment,
            Inputs = inputs,
            Rhythm = rhythm,
            Overlap = fields.Overlap ?? OverlapPolicy.Skip,
            Missed = fields.Missed ?? MissedPolicy.RunOnce,
            Jitter = fields.Jitter?.Value ?? TimeSpan.Zero,
            OnChange = [.. (fields.OnChange ?? []).Select(f => Path.GetFullPath(f, Path.GetDirectoryName(Path.GetFullPath(path))!))],
            FreshFor = fields.FreshFor?.Value ?? 2 * rhythm.LongestPause(now),
            Mode = fields.Mode ?? ScheduledMode.Live,
            Enabled = fields.Enabled ?? true,
            Position = name.Position,
        };
    }

    Rhythm? RhythmOf(MapNode map, ScheduleFields fields, TimeZoneInfo? zone)
    {
        if (fields.Cron is null)
            return null;
        if (CronDialect.Read(fields.Cron, out var fault, out var hint) is not { } cron)
        {
            problems.Error("cron", map["cron"]!.Position, fault, hint);
            return null;
        }
        return zone is null || fields.Dst is null ? null : new Rhythm(fields.Cron, cron, zone, fields.Dst.Value);
    }

    JsonObject? Inputs(MapNode map, Runbook runbook)
    {
        var errors = problems.Errors;
        var node = map["inputs"] ?? new MapNode(map.Position, []);
        if (node is not MapNode given)
        {
            problems.Error("wrong-type", node.Position, "'inputs' must be a map: name to value.");
            return null;
        }
        var inputs = _values.Record(given, InputShapes.Of(runbook), "", $"The runbook '{runbook.Name}'");
        return problems.Errors > errors ? null : inputs;
    }

    TimeZoneInfo? Zone(Node? node, string? name)
    {
        if (name is null || node is null)
            return null;
        if (TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone))
            return zone;
        problems.Error("time-zone", node.Position, $"There is no time zone '{name}' on this machine.", "Write its IANA name, as Europe/Berlin, America/New_York or UTC; the package tzdata holds them.");
        return null;
    }

    void CheckName(MapNode map, SchedulesFields fields)
    {
        var file = Path.GetFileNameWithoutExtension(path);
        if (fields.Name is { } name && name != file)
            problems.Error("name", map["name"]!.Position, $"The name '{name}' differs from that of the file, '{file}'.", "Let both be equal.");
    }
}
