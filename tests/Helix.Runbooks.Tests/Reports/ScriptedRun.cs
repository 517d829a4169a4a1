using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Reports;

/// <summary>A run as a list of events with fixed times and hashes: a restore that failed, went back, and recovered.</summary>
sealed class ScriptedRun
{
    public const string Run = "20260301-020500-redis-restore-7f3a";
    public static readonly Person Alice = new("alice", IdentityStrength.Os, "cli");
    public static readonly Person Bob = new("bob", IdentityStrength.Signed, "cli");
    static readonly DateTimeOffset Declared = At("02:00:00");

    readonly List<JournalEntry> _entries = [];

    public IReadOnlyList<JournalEntry> Entries => _entries;
    public RunState State => RunState.Of(Run, _entries);
    public static DateTimeOffset At(string time) => DateTimeOffset.Parse($"2026-03-01T{time}Z", CultureInfo.InvariantCulture);

    public ScriptedRun Add(string time, RunEvent happened, Person? by = null, long epoch = 1)
    {
        var sequence = _entries.Count + 1;
        _entries.Add(new JournalEntry { Sequence = sequence, At = At(time), Epoch = by is null ? epoch : 0, By = by, Event = happened, Hash = $"{sequence:x4}" + new string('a', 60) });
        return this;
    }

    public static Func<string, TimeSpan?> Typical => path => path switch
    {
        "fetch" => TimeSpan.FromSeconds(40),
        "load" => TimeSpan.FromMinutes(3),
        _ => null,
    };

    public static Clocks Clocks(bool recovered = true) => new()
    {
        BeganAt = Declared,
        RecoveredAt = recovered ? At("02:31:10") : null,
        Elapsed = TimeSpan.FromMinutes(31) + TimeSpan.FromSeconds(10),
        Rta = recovered ? TimeSpan.FromMinutes(31) + TimeSpan.FromSeconds(10) : null,
        Rto = TimeSpan.FromHours(4),
        Rpa = TimeSpan.FromMinutes(80),
        Rpo = TimeSpan.FromHours(1),
        RpaByTarget = new Dictionary<string, (TimeSpan, DateTimeOffset)> { ["redis"] = (TimeSpan.FromMinutes(80), At("00:30:00")) },
        Detection = TimeSpan.FromMinutes(10),
        Decision = TimeSpan.FromMinutes(5),
        WaitingForPeople = TimeSpan.FromMinutes(9),
        Machine = TimeSpan.FromMinutes(7),
        Verification = TimeSpan.FromSeconds(70),
        Eta = recovered ? null : At("02:45:00"),
    };

    public ScriptedRun Begins() => this
        .Add("02:05:00", new RunStarted
        {
            Runbook = "redis-restore",
            Title = "Restore <Redis> & friends",
            Environment = "production",
            Mode = "live",
            Operator = Alice,
            Trigger = "terminal",
            Attended = true,
            Inputs = new JsonObject { ["backup"] = "latest-proven" },
            OccurredAt = At("01:50:00"),
            DeclaredAt = Declared,
            Incident = "INC-42",
            PlanHash = new string('b', 64),
            Pinned = new Dictionary<string, string> { ["redis-restore.yaml"] = new string('c', 64) },
            GitCommit = "0123abcd",
            GitAuthor = "Carol <carol@example.com>",
            Versions = new Dictionary<string, string> { ["helix"] = "0.1.0", ["redis-cli"] = "7.0.15" },
            Work = "/data/runs/x/work",
            Safe = "/data/runs/x/safe",
            BaseDirectory = "/runbooks",
            RunbookPath = "redis-restore.yaml",
            EnvironmentPath = "production.yaml",
            Participants = ["alice", "bob"],
        })
        .Add("02:05:00", new LeaseTaken(new Driver("db-1", "boot", 4711, 99, "alice"), "start"))
        .Add("02:05:01", new PreflightDone([new("redis", FindingKind.Ok, "Redis 7.0.15, master, 10,000 keys"), new("disk", FindingKind.Warning, "3 GiB free", "Make room.")]));

    /// <summary>The backup is fetched at the second attempt, redis is stopped, the gate waits.</summary>
    public ScriptedRun UpToTheGate() => Begins()
        .Add("02:05:02", new StepStarted("fetch", 1, "backup.download", [], [TargetEffect.Reads("backups")]))
        .Add("02:05:12", new StepFailed("fetch", 1, FailureClass.Transient, "backups: the connection was reset after 3.1 MiB.", "It is tried again.", At("02:05:14")))
        .Add("02:05:14", new StepStarted("fetch", 2, "backup.download", [], [TargetEffect.Reads("backups")]))
        .Add("02:05:54", new StepSucceeded("fetch", new JsonObject { ["key"] = "redis/2026-03-01T0030.rdb", ["recoveryPoint"] = "2026-03-01T00:30:00Z", ["sha256"] = new string('d', 64) }))
        .Add("02:05:55", new StepStarted("stop", 1, "target.stop", [], [TargetEffect.Interrupts("redis")]))
        .Add("02:05:55", new ResidueLeft("stop", new Residue { Key = "stopped:redis", Kind = ResidueKind.Stopped, Target = "redis", What = "redis is stopped", Command = "docker start redis" }))
        .Add("02:05:58", new StepSucceeded("stop", []))
        .Add("02:05:59", new StepStarted("safety_copy", 1, "redis.save", [], [TargetEffect.Reads("redis")]))
        .Add("02:06:01", new StepSucceeded("safety_copy", new JsonObject { ["file"] = "/data/runs/x/safe/before.rdb" })
        {
            Warning = "the server was down; the file was copied as it was",
            Files = [new LocalFile("file", "db-1", "/data/runs/x/safe/before.rdb", 10_485_760, new string('e', 64))],
        })
        .Add("02:06:02", new QuestionAsked
        {
            Question = "go#1",
            Path = "go",
            Kind = QuestionKind.Approval,
            Message = "Overwrite redis with redis/2026-03-01T0030.rdb?\nIt stands for 00:30.",
            Shown = new JsonObject { ["covers"] = new JsonArray("load: redis.restore destroys redis") },
            ShownHash = new string('f', 64),
            Choices = ["approve", "reject"],
            Approvers = ["group:dba"],
            ExpiresAt = At("02:36:02"),
            OnExpiry = "escalate",
            EscalateTo = "group:on_call",
        });

    public ScriptedRun ApprovedAndLoadFails() => UpToTheGate()
        .Add("02:07:00", new DecisionRefused("go#1", "approve", "alice started the run, and who starts it may not approve it"), Alice)
        .Add("02:10:02", new Decided { Question = "go#1", Choice = "approve", Reason = "counts | agree", Evidence = "ticket OPS-7", Inputs = new JsonObject { ["seen"] = "yes" }, ShownHash = new string('f', 64), Signature = "-----BEGIN SSH SIGNATURE-----" }, Bob)
        .Add("02:10:02", new QuestionClosed("go#1", "approved"))
        .Add("02:10:02", new StepSucceeded("go", []))
        .Add("02:10:03", new StepStarted("load", 1, "redis.restore", [], [TargetEffect.Destroys("redis", "all keys")]))
        .Add("02:12:03", new StepFailed("load", 1, FailureClass.InvalidData, "redis: the file ends before its checksum.", "Choose another backup.", null));

    public ScriptedRun GoesBackAndRecovers() => ApprovedAndLoadFails()
        .Add("02:12:04", new QuestionAsked { Question = "load#1", Path = "load", Kind = QuestionKind.FailedStep, Message = "load failed: the file ends before its checksum.", ShownHash = new string('9', 64), Choices = ["retry", "go-back", "skip", "done", "abort"] })
        .Add("02:13:00", new NoteAdded("Asked storage team <script>alert(1)</script>"), Alice)
        .Add("02:17:04", new Decided { Question = "load#1", Choice = "go-back", To = "fetch", Reason = "damaged backup", Inputs = new JsonObject { ["backup"] = "redis/2026-02-28T2330.rdb" }, ShownHash = new string('9', 64) }, Alice)
        .Add("02:17:05", new RoundStarted(2, "fetch", "damaged backup", new JsonObject { ["backup"] = "redis/2026-02-28T2330.rdb" }, ["fetch", "stop", "safety_copy", "go", "load", "verify"]))
        .Add("02:17:06", new StepStarted("fetch", 1, "backup.download", [], [TargetEffect.Reads("backups")]))
        .Add("02:17:30", new StepSucceeded("fetch", new JsonObject { ["key"] = "redis/2026-02-28T2330.rdb", ["recoveryPoint"] = "2026-02-28T23:30:00Z", ["sha256"] = new string('7', 64) }))
        .Add("02:17:31", new StepSkipped("stop", "redis is stopped already"))
        .Add("02:17:32", new RunSuspended("Ctrl-C"))
        .Add("02:20:00", new LeaseTaken(new Driver("db-1", "boot", 4712, 120, "alice"), "resume"), epoch: 2)
        .Add("02:20:01", new GateOverridden("load", "identity", "the address of redis cannot be read while it is down"), Alice)
        .Add("02:20:02", new StepStarted("load", 1, "redis.restore", [], [TargetEffect.Destroys("redis", "all keys")]), epoch: 2)
        .Add("02:29:50", new StepSucceeded("load", []), epoch: 2)
        .Add("02:29:51", new ResidueTakenBack("stop", "stopped:redis"), epoch: 2)
        .Add("02:29:52", new ResidueLeft("safety_copy", new Residue { Key = "safe:redis", Kind = ResidueKind.SafetyCopy, Target = "redis", What = "safety copy before.rdb is kept", Command = "rm /data/runs/x/safe/before.rdb" }), epoch: 2)
        .Add("02:30:00", new StepStarted("verify", 1, "redis.verify", [], [TargetEffect.Reads("redis")]), epoch: 2)
        .Add("02:31:10", new StepSucceeded("verify", new JsonObject { ["keys"] = 10000 }), epoch: 2)
        .Add("02:31:11", new NoteAdded("finding: the first backup was damaged and nobody knew (owner: bob; due: 2026-04-01)"), Alice)
        .Add("02:31:12", new RunEnded(Outcome.Succeeded, "", new JsonObject { ["restored"] = "redis/2026-02-28T2330.rdb" }) { Rta = TimeSpan.FromSeconds(1870), Rpa = TimeSpan.FromMinutes(80), ObjectivesMet = false }, epoch: 2);

    public ScriptedRun EndsHalfLoaded() => ApprovedAndLoadFails()
        .Add("02:12:10", new RunEnded(Outcome.Failed, "load failed", []) { ObjectivesMet = null });

    static readonly IReadOnlyList<PlannedStep> Steps =
    [
        Step(0, "fetch", "backup.download", TargetEffect.Reads("backups"), with: new JsonObject { ["backup"] = "{{ inputs.backup }}" }),
        Step(1, "stop", "target.stop", TargetEffect.Interrupts("redis")),
        Step(2, "safety_copy", "redis.save", TargetEffect.Reads("redis")),
        Step(3, "go", "approval"),
        Step(4, "load", "redis.restore", TargetEffect.Destroys("redis", "all keys"), gate: "go"),
        Step(5, "verify", "redis.verify", TargetEffect.Reads("redis")),
        Step(6, "restart", "target.start", TargetEffect.Changes("redis"), part: Part.Rescue),
    ];

    public static Plan Plan { get; } = new()
    {
        Runbook = new Runbook
        {
            Name = "redis-restore",
            Title = "Restore <Redis> & friends",
            Description = "Replaces the data of redis by a backup.",
            Owner = "data-platform",
            Symptoms = ["Keys are missing"],
            Objectives = new Objectives { Rto = TimeSpan.FromHours(4), Rpo = TimeSpan.FromHours(1), Mttr = TimeSpan.FromHours(2) },
            Steps = [.. Steps.Where(s => s.Part == Part.Steps).Select(s => s.Item)],
            Source = new SourceFile("redis-restore.yaml", [], new string('c', 64)),
        },
        Environment = new Model.Environment { Name = "production", Protected = true, Targets = EnvironmentTargets.None, Source = new SourceFile("production.yaml", [], "") },
        Inputs = new JsonObject { ["backup"] = "latest-proven" },
        Mode = Plans.Mode.Live,
        Steps = Steps,
        Locks = [new PlannedLock("redis://127.0.0.1:6379", "redis", false)],
        Problems = [],
        Pinned = new Dictionary<string, SourceFile>(),
        Hash = new string('b', 64),
    };

    static PlannedStep Step(int order, string path, string uses, TargetEffect? effect = null, string? gate = null, Part part = Part.Steps, JsonObject? with = null) => new()
    {
        Path = path,
        Item = new StepItem { Id = path, Uses = uses, With = with ?? [], Position = new Position("redis-restore.yaml", 10 + order, 5) },
        Order = order,
        Depth = 0,
        Part = part,
        Section = part,
        Effects = effect is null ? [] : [effect],
        With = with ?? [],
        Gate = gate,
    };
}
