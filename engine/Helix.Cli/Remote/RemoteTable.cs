using System.CommandLine;

namespace Helix.Cli.Remote;

/// <summary>The commands that work on a server: <c>helix --server URL …</c>, or with <c>HELIX_SERVER</c> set.</summary>
static class RemoteTable
{
    public static IReadOnlyList<TableEntry> OfCommands { get; } =
    [
        new("login", LoginCommand.Make),
        new("plan", RemoteRun.Plan),
        new("run", RemoteRun.Run),
        new("resume", RemoteDeeds.Resume),
        new("pause", RemoteDeeds.Pause),
        new("cancel", RemoteDeeds.Cancel),
        new("close", RemoteDeeds.Close),
        new("approve", RemoteAnswers.Approve),
        new("reject", RemoteAnswers.Reject),
        new("decide", RemoteAnswers.Decide),
        new("ratify", RemotePeople.Ratify),
        new("secret", RemotePeople.Secret),
        new("schedule", RemoteSchedules.Make),
        new("note", RemoteDeeds.Note),
        new("status", RemoteLooks.Status),
        new("runs", RemoteLooks.Runs),
        new("show", RemoteLooks.Show),
        new("logs", RemoteLooks.Logs),
        new("report", RemoteLooks.Report),
        new("backups", RemoteLooks.Backups),
        new("locks", RemoteLooks.Locks),
        new("nodes", RemoteNodes.Nodes),
        new("drain", RemoteNodes.Drain),
        new("verify-record", RemoteLooks.VerifyRecord),
    ];

    /// <summary>These are about files of this machine, whatever server there is.</summary>
    public static IReadOnlySet<string> OfFiles { get; } = new HashSet<string> { "init", "validate", "explain", "simulate", "schema", "show-runbook", "completion", "serve" };

    public static Argument<string> RunArgument() => new("RUN") { Description = "The id of the run, or how it begins." };
}
