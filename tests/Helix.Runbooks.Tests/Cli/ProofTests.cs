using System.Text.Json.Nodes;
using Helix.Cli.Commands;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Reports;
using Xunit;

namespace Helix.Runbooks.Tests.Cli;

/// <summary>What a run must have done before a backup is called proven on its word.</summary>
public sealed class ProofTests
{
    const string Key = "redis/2026-03-01T0030.rdb";

    static RunState Drill(string loaded, string? verified) => new[]
    {
        (At: "02:06:00", Event: (RunEvent)new StepStarted("fetch", 1, "backup.download", [], [])),
        ("02:06:01", new StepSucceeded("fetch", new JsonObject { ["key"] = Key, ["file"] = "/work/back.rdb" })),
        ("02:06:02", new StepStarted("load", 1, "redis.restore", new JsonObject { ["from"] = loaded }, [TargetEffect.Destroys("scratch", "all keys") with { LoadsFrom = "from" }])),
        ("02:06:03", new StepSucceeded("load", [])),
        ("02:06:04", verified is null ? new NoteAdded("looks good") : new StepStarted("verify", 1, "redis.verify", [], [TargetEffect.Reads(verified)])),
        ("02:06:05", verified is null ? new NoteAdded("really") : new StepSucceeded("verify", [])),
        ("02:06:06", new RunEnded(Outcome.Succeeded, "", [])),
    }.Aggregate(new ScriptedRun().Begins(), (run, e) => run.Add(e.At, e.Event, e.Event is NoteAdded ? ScriptedRun.Alice : null)).State;

    [Theory]
    [InlineData("/work/other.rdb", "scratch", "restored it nowhere")]
    [InlineData("/work/back.rdb", null, "not checked it there")]
    [InlineData("/work/back.rdb", "another", "not checked it there")]
    public void A_backup_that_was_not_loaded_and_then_verified_there_is_not_proven(string loaded, string? verified, string why) =>
        Assert.Contains(why, Assert.Throws<RunbookException>(() => BackupsCommand.CheckRestored(Drill(loaded, verified), Key)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_backup_that_was_loaded_and_then_verified_there_is_proven() => BackupsCommand.CheckRestored(Drill("/work/back.rdb", "scratch"), Key);
}
