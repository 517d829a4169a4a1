using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Schedules;
using Helix.Runbooks.Model.SignOns;
using Helix.Runbooks.Steps;
using RunbookEnvironment = Helix.Runbooks.Model.Environment;

namespace Helix.Cli;

/// <summary>Finds and reads runbooks and environments as they are named on the command line.</summary>
sealed class Files(Session session)
{
    /// <exception cref="RunbookException">Missing, or with problems: the message lists them all.</exception>
    public RunbookEnvironment Environment(string named) =>
        Sound(Find(named, "environment", "runbooks/environments", "environments"), path => new EnvironmentReader(session.Catalog).ReadFile(path));

    /// <exception cref="RunbookException">Missing, or with problems: the message lists them all.</exception>
    public Runbook Runbook(string named, RunbookEnvironment? environment) =>
        Sound(Find(named, "runbook", "runbooks"), path => new RunbookReader(session.Catalog).ReadFile(path, environment), environment?.Source.Path);

    /// <exception cref="RunbookException">Missing, or with problems: the message lists them all.</exception>
    public SignOn SignOn(string named) => Sound(Find(named, "file for signing on", "runbooks"), path => new SignOnReader().ReadFile(path));

    public ScheduleBook Schedules(string named) =>
        Sound(Find(named, "file of schedules", "runbooks"), path => new ScheduleReader(session.Catalog, session.Time).ReadFile(path));

    /// <summary>A path, or the bare name of a file in one of the usual folders.</summary>
    public static string Find(string named, string what, params string[] folders)
    {
        string[] candidates = [named, named + ".yaml", .. folders.Select(f => Path.Combine(f, named + ".yaml"))];
        return candidates.FirstOrDefault(File.Exists) ?? throw new RunbookException(
            $"There is no {what} '{named}'.",
            $"Name a file, or one of {string.Join(" and ", folders.Select(f => f + "/"))} without its ending.");
    }

    T Sound<T>(string path, Func<string, ReadResult<T>> read, string? environment = null) where T : class
    {
        var result = read(path);
        if (result.Value is null || result.HasErrors)
            throw new RunbookException($"{path} cannot be used:\n" + string.Join("\n", result.Problems), $"Correct the file; `helix validate {path}{(environment is null ? "" : $" --environment {environment}")}` shows the same list.");
        foreach (var warning in result.Problems)
            session.Terminal.Say(warning.ToString());
        return result.Value;
    }
}
