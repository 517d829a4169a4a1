using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Runs.Simulations;
using Helix.Runbooks.Steps;

namespace Helix.Cli.Commands;

static class SimulateCommand
{
    public static Command Make(Session session)
    {
        var paths = new Argument<string[]>("SIMULATION") { Description = "Simulation files, folders that hold them, or names below runbooks/simulations/.", Arity = ArgumentArity.OneOrMore };
        var coverage = Given.Flag("--coverage", "Also names the branches that no scenario takes; one is enough for exit code 1.");
        return new Verb("simulate", "Plays runbooks with scripted results; nothing is touched.",
                "helix simulate runbooks/simulations/redis-restore.yaml", "helix simulate runbooks/ --coverage")
            .Takes(paths).With(coverage)
            .Does(parsed => Simulate(session, parsed.GetValue(paths)!, parsed.GetValue(coverage)));
    }

    static async Task<int> Simulate(Session session, string[] paths, bool withCoverage)
    {
        var simulations = paths.SelectMany(FilesOf).Distinct().Select(f => Read(session, f)).ToList();
        if (simulations.Count == 0)
            throw new RunbookException($"There is no simulation in {string.Join(", ", paths)}.", "A simulation is a YAML file with `scenarios:`; name one, or a folder with some.");
        var simulator = new Simulator(session.Catalog);
        var played = new List<(Simulation Simulation, IReadOnlyList<Played> Played)>();
        foreach (var simulation in simulations)
            played.Add((simulation, await simulator.Play(simulation)));
        IReadOnlyList<Coverage>? coverage = withCoverage ? Coverage.Of(played) : null;
        session.Terminal.Give(SimulationPage.Json(played, coverage), () => SimulationPage.Text(played, coverage));
        var all = played.SelectMany(p => p.Played).ToList();
        session.Terminal.Say(SimulationPage.Verdict(all, coverage));
        return all.Any(p => p.Missed.Count > 0) || coverage?.Any(c => !c.IsFull) == true ? ExitCodes.Failed : 0;
    }

    static IEnumerable<string> FilesOf(string path) => !Directory.Exists(path)
        ? [Files.Find(path, "simulation", "runbooks/simulations", "simulations")]
        : Directory.EnumerateFiles(path, "*.yaml", SearchOption.AllDirectories)
            .Where(f => Document.KindOf(f) == DocumentKind.Simulation)
            .Order(StringComparer.Ordinal);

    static Simulation Read(Session session, string file)
    {
        var read = new SimulationReader(session.Catalog).ReadFile(file);
        foreach (var warning in read.Problems.Where(p => p.Severity == Severity.Warning))
            session.Terminal.Say(warning.ToString());
        return read.Value ?? throw new RunbookException($"{file} cannot be used:\n" + string.Join("\n", read.Problems), $"Correct the file; `helix validate {file}` shows the same list.");
    }
}

/// <summary>What came of the scenarios, for people and for programs.</summary>
static class SimulationPage
{
    public static string Text(IReadOnlyList<(Simulation Simulation, IReadOnlyList<Played> Played)> played, IReadOnlyList<Coverage>? coverage)
    {
        var lines = new List<string>();
        foreach (var (simulation, scenarios) in played)
        {
            lines.Add($"{simulation.Runbook.Name} ({simulation.Path})");
            foreach (var one in scenarios)
            {
                lines.Add($"  {(one.Missed.Count == 0 ? "ok    " : "MISSED")}  {one.Scenario.Name}: {one.State.Ended?.Outcome.ToString().ToLowerInvariant() ?? "no end"}");
                lines.AddRange(one.Missed.Concat(one.Idle).Select(p => "          " + p));
            }
        }
        if (coverage is not null)
            lines.AddRange(["", Table(coverage), .. coverage.SelectMany(c => c.Untaken).Select(b => $"{b.Position}: {b.Path}: no scenario takes the branch '{b.What}'.")]);
        return string.Join("\n", lines);
    }

    static string Table(IReadOnlyList<Coverage> coverage) => TextTable.Of(["RUNBOOK", "BRANCHES", "TAKEN", "COVERAGE"],
        coverage.Select(c => new[] { c.Runbook.Name, $"{c.Branches.Count}", $"{c.Branches.Count(b => b.Taken)}", $"{c.Percent} %" }));

    public static string Verdict(IReadOnlyList<Played> all, IReadOnlyList<Coverage>? coverage)
    {
        var missed = all.Count(p => p.Missed.Count > 0);
        var words = $"{Count(all.Count, "scenario")}: {(missed == 0 ? "all as expected" : $"{missed} not as expected")}";
        var untaken = coverage?.Sum(c => c.Untaken.Count()) ?? 0;
        return untaken == 0 ? words + "." : $"{words}; {Count(untaken, "branch", "branches")} never taken.";
    }

    static string Count(int n, string one, string? many = null) => n == 1 ? $"1 {one}" : $"{n} {many ?? one + "s"}";

    public static JsonObject Json(IReadOnlyList<(Simulation Simulation, IReadOnlyList<Played> Played)> played, IReadOnlyList<Coverage>? coverage)
    {
        var json = new JsonObject { ["simulations"] = new JsonArray([.. played.Select(p => Json(p.Simulation, p.Played))]) };
        if (coverage is not null)
            json["coverage"] = new JsonArray([.. coverage.Select(Json)]);
        return json;
    }

    static JsonObject Json(Simulation simulation, IReadOnlyList<Played> played) => new()
    {
        ["file"] = simulation.Path,
        ["runbook"] = simulation.Runbook.Name,
        ["scenarios"] = new JsonArray([.. played.Select(p => new JsonObject
        {
            ["name"] = p.Scenario.Name,
            ["outcome"] = p.State.Ended?.Outcome.ToString().ToLowerInvariant(),
            ["reason"] = p.State.Ended?.Reason,
            ["asExpected"] = p.Missed.Count == 0,
            ["missed"] = new JsonArray([.. p.Missed.Select(Json)]),
            ["warnings"] = new JsonArray([.. p.Idle.Select(Json)]),
        })]),
    };

    static JsonObject Json(Problem problem) => At(problem.Position, new JsonObject { ["rule"] = problem.Rule, ["message"] = problem.Message });

    static JsonObject Json(Coverage coverage) => new()
    {
        ["runbook"] = coverage.Runbook.Name,
        ["branches"] = coverage.Branches.Count,
        ["taken"] = coverage.Branches.Count(b => b.Taken),
        ["untaken"] = new JsonArray([.. coverage.Untaken.Select(b => At(b.Position, new JsonObject { ["path"] = b.Path, ["branch"] = b.What }))]),
    };

    static JsonObject At(Position position, JsonObject json)
    {
        json["file"] = position.File;
        json["line"] = position.Line;
        json["column"] = position.Column;
        return json;
    }
}
