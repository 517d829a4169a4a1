using System.CommandLine;
using Helix.Cli;
using Helix.Cli.Commands;

// Short commands end before compiled code pays: patterns, accessors and expressions are interpreted, which spares a tenth of a second.
if (args is not ["serve", ..])
    AppContext.SetSwitch("System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported", false);

using var session = new Session(Terminal.OfProcess(), TimeProvider.System);
return await new CommandLine(session, Table.OfCommands).Run(args);

/// <summary>The table of contents: every verb and the file that makes it.</summary>
static class Table
{
    public static IReadOnlyList<TableEntry> OfCommands { get; } =
    [
        // before
        new("init", InitCommand.Make),
        new("validate", ValidateCommand.Make),
        new("explain", ExplainCommand.Make),
        new("show-runbook", ShowRunbookCommand.Make),
        new("plan", PlanCommand.Make),
        new("simulate", SimulateCommand.Make),
        new("doctor", DoctorCommand.Make),
        new("schedule", ScheduleCommand.Make),
        // doing
        new("run", RunCommand.Make),
        new("resume", ResumeCommand.Make),
        new("reopen", ReopenCommand.Make),
        new("pause", PauseCommand.Make),
        new("cancel", CancelCommand.Make),
        new("close", CloseCommand.Make),
        new("handover", HandoverCommand.Make),
        new("takeover", TakeoverCommand.Make),
        // answering
        new("approve", ApproveCommand.Make),
        new("reject", RejectCommand.Make),
        new("decide", DecideCommand.Make),
        new("ratify", RatifyCommand.Make),
        new("secret", SecretCommand.Make),
        new("note", NoteCommand.Make),
        new("attach", AttachCommand.Make),
        // looking
        new("status", StatusCommand.Make),
        new("runs", RunsCommand.Make),
        new("show", ShowCommand.Make),
        new("logs", LogsCommand.Make),
        new("report", ReportCommand.Make),
        // for a team
        new("serve", ServeCommand.Make),
        new("login", Helix.Cli.Remote.LoginCommand.Make),
        new("nodes", NodesCommand.Make),
        new("drain", DrainCommand.Make),
        // the store and the files
        new("backups", BackupsCommand.Make),
        new("locks", LocksCommand.Make),
        new("schema", SchemaCommand.Make),
        new("verify-record", VerifyRecordCommand.Make),
        new("export", ExportCommand.Make),
        new("completion", CompletionCommand.Make),
    ];
}
