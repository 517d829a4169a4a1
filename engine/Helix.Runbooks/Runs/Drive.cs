using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What the parts of one drive of one run share.</summary>
sealed class Drive
{
    public Drive() => Desk = new(this);

    public required RunRecord Record { get; init; }
    public required Surroundings Around { get; init; }
    public required PlanIndex Index { get; init; }
    public required StepCatalog Catalog { get; init; }
    public required DriveSettings Settings { get; init; }
    public required RunFolders Folders { get; init; }
    public required LogSink Logs { get; init; }
    public required ScopeBuilder Scope { get; init; }
    public required EffectResolver Effects { get; init; }
    public required World World { get; init; }

    /// <summary>Where people hand over secrets.</summary>
    public SecretDesk Desk { get; }

    public Plan Plan => Around.Plan;
    public TimeProvider Time => Around.Time;
    public Masker Masker => Around.Masker;

    public StepContext ContextFor(string path, int attempt, Action alive, CancellationToken stop) =>
        new(Around.Facts, Plan.Environment.Targets, new LiveHost(this, path, attempt, alive), path, attempt, stop);
}

/// <summary>Where a run keeps its files on this machine.</summary>
sealed record RunFolders(string Root)
{
    /// <summary>Of a run that starts here.</summary>
    public static RunFolders New(EngineSettings settings, string run) => new(Path.Combine(settings.DataFolder, "runs", run));

    /// <summary>The same on every machine that goes on with it, since the options of its steps name files there.</summary>
    public static RunFolders Of(RunStarted started) => new(Path.GetDirectoryName(started.Work)!);

    public string Work => Path.Combine(Root, "work");
    public string Safe => Path.Combine(Root, "safe");
    public string Pids => Path.Combine(Root, "pids");
    public string Pinned => Path.Combine(Root, "pinned");

    /// <exception cref="RunbookException">They cannot be made on this machine.</exception>
    public void Create()
    {
        try
        {
            foreach (var folder in (string[])[Root, Work, Safe, Pids, Pinned])
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunbookException($"The folder {Root} of the run cannot be made here: {e.Message}", "It belongs to the account that started the run, which can go on with it. On several machines all that drive runs of one store need the same folder for them ($HELIX_DATA).");
        }
    }
}
