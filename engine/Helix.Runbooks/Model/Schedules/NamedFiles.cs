using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Schedules;

/// <summary>Runbooks and environments that a file names, relative to itself; each is read once.</summary>
sealed class NamedFiles(StepCatalog catalog, ProblemList problems, string path)
{
    readonly Dictionary<string, Environment?> _environments = [];
    readonly Dictionary<(string, string?), Runbook?> _runbooks = [];

    public Environment? Environment(string file, Node at)
    {
        var near = Beside(file);
        if (!_environments.TryGetValue(near, out var known))
            _environments[near] = known = Sound(at, "environment", new EnvironmentReader(catalog).ReadFile(near));
        return known;
    }

    public Runbook? Runbook(string file, Environment? environment, Node at)
    {
        var near = Beside(file);
        if (!_runbooks.TryGetValue((near, environment?.Source.Path), out var known))
            _runbooks[(near, environment?.Source.Path)] = known = Sound(at, "runbook", new RunbookReader(catalog).ReadFile(near, environment));
        return known;
    }

    T? Sound<T>(Node at, string what, ReadResult<T> read) where T : class
    {
        if (read.HasErrors)
            problems.Error("named-file", at.Position, $"The {what} that is named here has errors.", "They are listed below.");
        problems.AddAll(read.Problems.Where(p => p.Severity == Severity.Error));
        return read.Value;
    }

    /// <summary>As near to how this file was named as can be: positions are shown to people.</summary>
    string Beside(string file) => Path.GetRelativePath(".", Path.GetFullPath(file, Path.GetDirectoryName(Path.GetFullPath(path))!)) is var near
        && !near.StartsWith("../..", StringComparison.Ordinal) ? near : Path.GetFullPath(near);
}
