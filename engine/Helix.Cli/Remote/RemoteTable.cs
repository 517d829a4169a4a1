using System.CommandLine;

namespace Helix.Cli.Remote;

/// <summary>The commands that work on a server: <c>helix --server URL …</c>, or with <c>HELIX_SERVER</c> set.</summary>
static class RemoteTable
{
    public static IReadOnlyList<(string Name, Func<Session, Command> Make)> OfCommands { get; } =
    [
        ("login", LoginCommand.Make),
        ("plan", RemoteRun.Plan),
        ("run", RemoteRun.Run),
        ("resume", RemoteDeeds.Resume),
        ("pause", RemoteDeeds.Pause),
        ("cancel", RemoteDeeds.Cancel),
        ("close", RemoteDeeds.Close),
        ("approve", RemoteAnswers.Approve),
        ("reject", RemoteAnswers.Reject),
        ("decide", RemoteAnswers.Decide),
        ("ratify", RemotePeople.Ratify),
        ("secret", RemotePeople.Secret),
        ("schedule", RemoteSchedules.Make),
        ("note", RemoteDeeds.Note),
        ("status", RemoteLooks.Status),
        ("runs", RemoteLooks.Runs),
        ("show", RemoteLooks.Show),
        ("logs", RemoteLooks.Logs),
        ("report", RemoteLooks.Report),
        ("backups", RemoteLooks.Backups),
        ("locks", RemoteLooks.Locks),
        ("nodes", RemoteNodes.Nodes),
        ("drain", RemoteNodes.Drain),
        ("verify-record", RemoteLooks.VerifyRecord),
    ];

    /// <summary>These are about files of this machine, whatever server there is.</summary>
    public static IReadOnlySet<string> OfFiles { get; } = new HashSet<string> { "init", "validate", "explain", "simulate", "schema", "show-runbook", "completion", "serve" };

    public static Argument<string> RunArgument() => new("RUN") { Description = "The id of the run, or how it begins." };
}
