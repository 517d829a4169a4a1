using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Schedules;
using Helix.Runbooks.Model.SignOns;
using Helix.Runbooks.Model.Triggers;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Runs.Simulations;
using Helix.Runbooks.Steps;
using RunbookEnvironment = Helix.Runbooks.Model.Environment;

namespace Helix.Cli.Commands;

static class ValidateCommand
{
    public static Command Make(Session session)
    {
        var paths = new Argument<string[]>("PATH") { Description = "Runbooks and environments, or folders that hold them.", Arity = ArgumentArity.OneOrMore };
        var environment = Given.Environment(required: false);
        return new Verb("validate", "Checks runbooks, environments, simulations, schedules, triggers and files for signing on fully and lists every problem.",
                "helix validate runbooks/", "helix validate runbooks/redis-restore.yaml --environment runbooks/environments/compose-local.yaml")
            .Takes(paths).With(environment)
            .Does(parsed => Validate(session, parsed.GetValue(paths)!, parsed.GetValue(environment)));
    }

    static int Validate(Session session, string[] paths, string? named)
    {
        var environment = named is null ? null : session.Files.Environment(named);
        var files = paths.SelectMany(FilesOf).Distinct().ToList();
        if (files.Count == 0)
            throw new RunbookException($"There is no YAML file in {string.Join(", ", paths)}.", "Name a file, or a folder with *.yaml in it.");
        var played = files.Where(f => Document.KindOf(f) == DocumentKind.Simulation).ToDictionary(f => f, f => new SimulationReader(session.Catalog).ReadFile(f));
        var problems = files.SelectMany(f => played.TryGetValue(f, out var simulation) ? simulation.Problems : Check(session, f, environment ?? Played(f, played.Values))).ToList();
        var errors = problems.Count(p => p.Severity == Severity.Error);
        session.Terminal.Give(ToJson(files, problems), () => string.Join("\n", problems));
        session.Terminal.Say(Verdict(files.Count, errors, problems.Count - errors));
        return errors > 0 ? ExitCodes.Wrong : 0;
    }

    static IEnumerable<string> FilesOf(string path)
    {
        if (File.Exists(path))
            return [path];
        if (!Directory.Exists(path))
            throw new RunbookException($"There is no file or folder '{path}'.", "Check the path; it starts at the folder you are in.");
        return Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(f => f.EndsWith(".yaml", StringComparison.Ordinal) || f.EndsWith(".yml", StringComparison.Ordinal))
            .Where(f => Document.KindOf(f) != DocumentKind.Foreign)
            .Order(StringComparer.Ordinal);
    }

    /// <summary>Where scenarios play the runbook, their environment tells what its targets are: which of them are scratch, and what kinds they have.</summary>
    static RunbookEnvironment? Played(string file, IEnumerable<ReadResult<Simulation>> simulations) =>
        simulations.Select(s => s.Value).OfType<Simulation>().FirstOrDefault(s => Path.GetFullPath(s.Runbook.Source.Path) == Path.GetFullPath(file))?.Environment;

    static IReadOnlyList<Problem> Check(Session session, string file, RunbookEnvironment? environment) => Document.KindOf(file) switch
    {
        DocumentKind.Environment => new EnvironmentReader(session.Catalog).ReadFile(file).Problems,
        DocumentKind.Triggers => new TriggerReader(session.Catalog).ReadFile(file).Problems,
        DocumentKind.SignOn => new SignOnReader().ReadFile(file).Problems,
        DocumentKind.Schedules => new ScheduleReader(session.Catalog, session.Time).ReadFile(file).Problems,
        _ => new RunbookReader(session.Catalog).ReadFile(file, environment).Problems,
    };

    static string Verdict(int files, int errors, int warnings)
    {
        var what = files == 1 ? "1 file" : $"{files} files";
        var found = (errors, warnings) switch
        {
            (0, 0) => "no problem",
            (0, _) => Count(warnings, "warning"),
            (_, 0) => Count(errors, "error"),
            _ => $"{Count(errors, "error")}, {Count(warnings, "warning")}",
        };
        return $"{what}: {found}.";
    }

    static string Count(int n, string what) => n == 1 ? $"1 {what}" : $"{n} {what}s";

    static JsonObject ToJson(List<string> files, List<Problem> problems) => new()
    {
        ["files"] = new JsonArray([.. files.Select(f => JsonValue.Create(f))]),
        ["valid"] = problems.All(p => p.Severity != Severity.Error),
        ["problems"] = new JsonArray([.. problems.Select(p => new JsonObject
        {
            ["file"] = p.Position.File,
            ["line"] = p.Position.Line,
            ["column"] = p.Position.Column,
            ["severity"] = p.Severity == Severity.Error ? "error" : "warning",
            ["rule"] = p.Rule,
            ["message"] = p.Message,
            ["hint"] = p.Hint,
        })]),
    };
}
