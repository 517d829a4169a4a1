using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Mode = Helix.Runbooks.Plans.Mode;

namespace Helix.Runbooks.Runs;

/// <summary>All that can be done with runs, for CLI, web and tests. One per process; it owns nothing but the leases that it has taken.</summary>
public sealed partial class Engine(StepCatalog catalog, JournalStore store, TimeProvider time, EngineSettings settings)
{
    readonly Dictionary<string, Lease> _taken = [];

    public StepCatalog Catalog { get; } = catalog;
    public JournalStore Store { get; private set; } = store;
    public TimeProvider Time { get; } = time;
    public EngineSettings Settings { get; } = settings;
    internal World World { get; init; } = new RealWorld();

    public RunState State(string run) => RunState.Of(run, Store.Read(run));

    /// <summary>Registers a run of this plan and takes its lease and locks. Nothing has been done yet.</summary>
    /// <returns>The id of the run.</returns>
    /// <exception cref="RunbookException">The plan has errors, or the mode does not fit the environment.</exception>
    /// <exception cref="HeldException">A target is held by another run.</exception>
    public string Start(Plan plan, StartRequest request)
    {
        Refuse(plan, request);
        var run = request.Run ?? RunId.New(Time);
        var folders = RunFolders.New(Settings, run);
        RefuseHeld(Store.InTheWay(run, plan.Locks));
        folders.Create();
        var (lease, held) = Store.Create(run, Started(plan, request, folders), DriverIdentity.Current, plan.Locks);
        RefuseHeld(held);
        _taken[run] = lease!;
        return run;
    }

    /// <summary>Gives a run that was just started away, to whoever may drive it.</summary>
    public void HandOn(string run, string reason)
    {
        _taken.Remove(run, out var lease);
        Store.Append(lease!, new RunSuspended(reason));
        Store.Release(lease!);
    }

    /// <summary>As <see cref="Start"/>, but waits until the targets are free. The RTO clock starts with the wait.</summary>
    public async Task<string> StartWhenFree(Plan plan, StartRequest request, Action<HeldException> waits, CancellationToken cancel)
    {
        request = request with { DeclaredAt = request.DeclaredAt ?? Time.GetUtcNow() };
        while (true)
        {
            try
            {
                return Start(plan, request);
            }
            catch (HeldException e)
            {
                waits(e);
            }
            await Task.Delay(Settings.Queue, Time, cancel);
        }
    }

    /// <summary>The plan of a run as it was pinned (not the files of today). It depends on nothing but those and the inputs, so the last one is kept.</summary>
    public Plan PlanOf(RunState state)
    {
        var known = (state.Run, string.Concat(state.Pinned.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Value)), state.Inputs.ToJsonString(StepJson.Options));
        if (_planned is { } last && last.Of == known)
            return last.Plan;
        var plan = PlanAnew(state);
        _planned = new(known, plan);
        return plan;
    }

    sealed record Planned((string Run, string Texts, string Inputs) Of, Plan Plan);

    volatile Planned? _planned;

    Plan PlanAnew(RunState state)
    {
        byte[]? Open(string path) => state.Pinned.TryGetValue(Path.GetFullPath(path), out var sha) ? Store.Kept(sha) : null;
        byte[] Must(string path) => Open(path) ?? throw new InvalidOperationException($"The store has lost the pinned file {path} of run {state.Run}.");
        var environment = Valid(new EnvironmentReader(Catalog).Read(state.Started.EnvironmentPath, Must(state.Started.EnvironmentPath)));
        var runbook = Valid(new RunbookReader(Catalog).Read(state.Started.RunbookPath, Must(state.Started.RunbookPath), Open, environment));
        return new Planner(Catalog).Plan(runbook, environment, state.Inputs, Enum.Parse<Mode>(state.Started.Mode, ignoreCase: true), Open);
    }

    static T Valid<T>(ReadResult<T> read) where T : class =>
        read.Value ?? throw new RunbookException("The pinned files of the run cannot be read by this version of the tool:\n" + string.Join("\n", read.Problems), "Go on with the version that started the run; the record names it.");

    static void RefuseProblems(Plan plan)
    {
        if (plan.Problems.Where(p => p.Severity == Severity.Error).ToList() is { Count: > 0 } errors)
            throw new RunbookException(string.Join("\n", errors), null);
    }

    void Refuse(Plan plan, StartRequest request)
    {
        RefuseProblems(plan);
        if (plan.Mode == Mode.Drill && plan.Environment.Protected && !request.Exercise)
            throw new RunbookException($"The environment {plan.Environment.Name} is protected, and a drill does not touch it.", "Drill on another environment, or announce it: --exercise, with an approval in the runbook.");
        if (plan.Mode == Mode.Drill && request.Exercise && !plan.Steps.Any(s => s.Item.Uses == EngineItems.Approval))
            throw new RunbookException("An exercise on a protected environment needs an approval, and the runbook has none.", "Put an `approval` step before the first change.");
        if (plan.Mode is not (Mode.Live or Mode.Drill))
            throw new RunbookException($"A run is live or a drill, not {plan.Mode.ToString().ToLowerInvariant()}.");
        RefuseToCome(request);
        if (!request.ForAnyNode)
            RefuseElsewhere(plan.Runbook.Name, plan.Runbook.Needs);
    }

    /// <summary>So much may the clocks of two machines differ.</summary>
    static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>A recovery that counts from what is still to come would take less than no time, and meet every objective.</summary>
    void RefuseToCome(StartRequest request)
    {
        var latest = Time.GetUtcNow() + Skew;
        if (request.DeclaredAt > latest)
            throw new RunbookException($"The incident was declared at {request.DeclaredAt:u}, which is still to come.", "Give the moment at which it was declared, with its offset, or leave it out: then it is now.");
        if (request.OccurredAt > (request.DeclaredAt ?? latest))
            throw new RunbookException($"It occurred at {request.OccurredAt:u}, which is after it was declared{(request.DeclaredAt is { } declared ? $" ({declared:u})" : ": that is now")}.", "Give both moments with their offsets.");
    }

    /// <exception cref="RunbookException">This machine lacks what the runbook needs.</exception>
    void RefuseElsewhere(string runbook, IReadOnlyDictionary<string, string> needs)
    {
        if (NodeLabels.Missing(Settings.Labels, needs) is { } missing)
            throw new RunbookException($"'{runbook}' needs a machine with {missing}, and this one has {(Settings.Labels.Count == 0 ? "no labels" : NodeLabels.Words(Settings.Labels))}.",
                "Run it there, or on the server (--server), which hands it on to a node that has it. $HELIX_LABELS says what a machine has, as site=a,rack=7.");
    }

    void TakeLocks(string run, Plan plan) => RefuseHeld(Store.TakeLocks(run, plan.Locks));

    static void RefuseHeld(IReadOnlyList<HeldLock> held)
    {
        if (held.Count > 0)
            throw new HeldException(string.Join("\n", held.Select(h => h.Words)), held[0].Hint);
    }

    /// <summary>The module ids of a deterministic build are digests of what was compiled.</summary>
    Dictionary<string, string> Versions()
    {
        var own = typeof(Engine).Assembly;
        var versions = new Dictionary<string, string> { ["helix"] = own.GetName().Version!.ToString(3), [".NET"] = System.Environment.Version.ToString() };
        foreach (var assembly in Catalog.Steps.Values.Select(s => s.Assembly).Prepend(own).Distinct())
            versions[$"module {assembly.GetName().Name}"] = assembly.ManifestModule.ModuleVersionId.ToString("N");
        return versions;
    }

    RunStarted Started(Plan plan, StartRequest request, RunFolders folders)
    {
        foreach (var file in plan.Pinned.Values)
            Store.Keep(file.Bytes);
        var runbook = Path.GetFullPath(plan.Runbook.Source.Path);
        var git = World.Git(runbook);
        return new RunStarted
        {
            Runbook = plan.Runbook.Name,
            Title = plan.Runbook.Title,
            Environment = plan.Environment.Name,
            Mode = plan.Mode.ToString().ToLowerInvariant(),
            Operator = request.Operator,
            Trigger = request.Trigger,
            Attended = request.Attended,
            Inputs = (JsonObject)plan.Inputs.DeepClone(),
            OccurredAt = request.OccurredAt,
            DeclaredAt = request.DeclaredAt ?? Time.GetUtcNow(),
            Incident = request.Incident,
            PlanHash = plan.Hash,
            RunbookPath = runbook,
            EnvironmentPath = Path.GetFullPath(plan.Environment.Source.Path),
            Pinned = plan.Pinned.ToDictionary(p => p.Key, p => p.Value.Sha256),
            GitCommit = git.Commit,
            GitAuthor = git.Author,
            Versions = Versions(),
            Work = folders.Work,
            Safe = folders.Safe,
            BaseDirectory = Path.GetDirectoryName(runbook)!,
            Needs = plan.Runbook.Needs,
            Comms = request.Comms,
            Participants = request.Participants,
        };
    }
}

/// <summary>Folders and clocks of the engine on this machine.</summary>
public sealed record EngineSettings
{
    /// <summary>Holds the store, and a folder for each run with its work, safe and pid files.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Taken when the disk of the first store is lost.</summary>
    public string? SecondStore { get; init; }
    /// <summary>What this machine has, for runbooks that need it.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A lease whose heartbeat stood still for this long, as seen by the taker, may be taken.</summary>
    public TimeSpan LeaseExpires { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a driver looks for answers of people.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often a start that waits for held targets tries again.</summary>
    public TimeSpan Queue { get; init; } = TimeSpan.FromSeconds(1);
}

public sealed record StartRequest
{
    /// <summary>An id chosen before, so that the same request never makes two runs: the store refuses a second one. Null: a fresh one.</summary>
    public string? Run { get; init; }
    /// <summary>It is registered here, and handed on when this machine lacks what it needs.</summary>
    public bool ForAnyNode { get; init; }
    public required Person Operator { get; init; }

    /// <summary>terminal, web, schedule, unattended or api.</summary>
    public required string Trigger { get; init; }
    public required bool Attended { get; init; }
    public DateTimeOffset? OccurredAt { get; init; }
    public DateTimeOffset? DeclaredAt { get; init; }
    public string? Incident { get; init; }
    public string Comms { get; init; } = "on";
    public IReadOnlyList<string> Participants { get; init; } = [];

    /// <summary>A drill on a protected environment was announced and is approved by a gate.</summary>
    public bool Exercise { get; init; }
}
