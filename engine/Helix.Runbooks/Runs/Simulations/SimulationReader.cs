using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Shapes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Runbooks.Runs.Simulations;

/// <summary>YAML text → simulation. As strict as the reader of runbooks: a result for a step or an output that is not there is an error.</summary>
public sealed class SimulationReader(StepCatalog catalog)
{
    public ReadResult<Simulation> ReadFile(string path) =>
        FileBytes.Read(path, out var why) is { } bytes ? Read(path, bytes) : FileBytes.Unreadable<Simulation>(path, why);

    public ReadResult<Simulation> Read(string path, byte[] text)
    {
        var problems = new ProblemList();
        var simulation = new SimulationFile(catalog, problems, path).Read(text);
        return new ReadResult<Simulation>(problems.HasErrors ? null : simulation, problems.Sorted(path));
    }
}

/// <summary>One file → one simulation.</summary>
sealed class SimulationFile(StepCatalog catalog, ProblemList problems, string path)
{
    readonly ValueReader _values = new(problems, templates: false);

    public Simulation? Read(byte[] bytes)
    {
        var root = new YamlText(path, problems).Read(bytes);
        if (root is not MapNode map)
        {
            if (root is not (null or BrokenNode))
                problems.Error("wrong-type", root.Position, "A simulation is a map of fields.", "Begin with `apiVersion: helix.runbooks/v1`.");
            return null;
        }
        var fields = _values.Record(map, ShapeOf.Record(typeof(SimulationFields)), "", "The simulation").Deserialize<SimulationFields>(StepJson.Options)!;
        if (Environment(map, fields.Environment) is not { } environment || Runbook(map, fields.Runbook, environment) is not { } runbook)
            return null;
        return new Simulation { Path = path, Runbook = runbook, Environment = environment, Scenarios = Scenarios(map["scenarios"], runbook, environment) };
    }

    Model.Environment? Environment(MapNode map, string? file) =>
        file is null ? null : Named(map["environment"]!, "environment", new EnvironmentReader(catalog).ReadFile(Beside(file)));

    Runbook? Runbook(MapNode map, string? file, Model.Environment environment) =>
        file is null ? null : Named(map["runbook"]!, "runbook", new RunbookReader(catalog).ReadFile(Beside(file), environment));

    /// <summary>Relative to this file, and as near to how this file was named as can be: positions are shown to people.</summary>
    string Beside(string file) => Path.GetRelativePath(".", Path.GetFullPath(file, Path.GetDirectoryName(Path.GetFullPath(path))!)) is var near
        && !near.StartsWith("../..", StringComparison.Ordinal) ? near : Path.GetFullPath(near);

    T? Named<T>(Node node, string what, ReadResult<T> read) where T : class
    {
        if (read.HasErrors)
            problems.Error("named-file", node.Position, $"The {what} that is named here has errors.", "They are listed below.");
        problems.AddAll(read.Problems.Where(p => p.Severity == Severity.Error));
        return read.Value;
    }

    List<Scenario> Scenarios(Node? node, Runbook runbook, Model.Environment environment)
    {
        if (node is not ListNode list)
        {
            if (node is not (null or BrokenNode))
                problems.Error("wrong-type", node.Position, "'scenarios' must be a list.", "Begin each with a hyphen: - name: …");
            return [];
        }
        var scenarios = list.Items.Select(n => ReadScenario(n, runbook, environment)).OfType<Scenario>().ToList();
        foreach (var twice in scenarios.GroupBy(s => s.Name).Where(g => g.Count() > 1))
            problems.Error("duplicate-name", twice.Last().Position, $"Two scenarios are named '{twice.Key}'.", "A name tells what the story is about.");
        return scenarios;
    }

    Scenario? ReadScenario(Node node, Runbook runbook, Model.Environment environment)
    {
        if (node is not MapNode map)
        {
            if (node is not BrokenNode)
                problems.Error("wrong-type", node.Position, "A scenario must be a map.", "Write - name: …");
            return null;
        }
        var errors = problems.Errors;
        var fields = _values.Record(map, ShapeOf.Record(typeof(ScenarioFields)), "", "The scenario").Deserialize<ScenarioFields>(StepJson.Options)!;
        var inputs = Map(map["inputs"] ?? new MapNode(map.Position, []), InputShapes.Of(runbook), "inputs", $"The runbook '{runbook.Name}'");
        var results = new ResultsReader(catalog, problems, new PlanIndex(runbook));
        var scripts = results.Read(map["results"]);
        var expect = Expect(map["expect"] as MapNode, fields.Expect, results);
        if (problems.Errors > errors || PlanOf(map, runbook, environment, inputs, fields.Mode) is not { } plan)
            return null;
        return new Scenario
        {
            Name = fields.Name!,
            Plan = plan,
            Attended = fields.Attended ?? false,
            Results = scripts,
            Expect = expect!,
            Position = map.Position,
        };
    }

    JsonObject Map(Node node, RecordShape shape, string name, string what) => _values.Read(node, new MapShape(Shape.Any), null, name) is null ? [] : _values.Record((MapNode)node, shape, "", what);

    Plan? PlanOf(MapNode map, Runbook runbook, Model.Environment environment, JsonObject inputs, PlayedMode? mode)
    {
        try
        {
            var plan = new Planner(catalog).Plan(runbook, environment, inputs, mode == PlayedMode.Drill ? Mode.Drill : Mode.Live);
            problems.AddAll(plan.Problems.Where(p => p.Severity == Severity.Error));
            return plan;
        }
        catch (RunbookException e)
        {
            problems.Error("inputs", (map["inputs"] ?? map).Position, e.Message, e.Hint);
            return null;
        }
    }

    static Expectation? Expect(MapNode? map, ExpectFields? fields, ResultsReader results) => map is null ? null : new Expectation
    {
        Outcome = fields?.Outcome ?? default,
        Position = (map["outcome"] ?? map).Position,
        Ran = results.Steps(map["ran"], blocks: false),
        Skipped = results.Steps(map["skipped"], blocks: true),
        NotRun = results.Steps(map["notRun"], blocks: false),
    };
}
