using System.CommandLine;
using Helix.Cli;
using Helix.Cli.Commands;

using var session = new Session(Terminal.OfProcess(), TimeProvider.System);
return await new CommandLine(session, Table.OfCommands).Run(args);

/// <summary>The table of contents: every verb and the file that makes it.</summary>
static class Table
{
    public static IReadOnlyList<(string Name, Func<Session, Command> Make)> OfCommands { get; } =
    [
        // before
        ("init", InitCommand.Make),
        ("validate", ValidateCommand.Make),
        ("explain", ExplainCommand.Make),
        ("show-runbook", ShowRunbookCommand.Make),
        ("plan", PlanCommand.Make),
        ("simulate", SimulateCommand.Make),
        ("doctor", DoctorCommand.Make),
        ("schedule", ScheduleCommand.Make),
        // doing
        ("run", RunCommand.Make),
        ("resume", ResumeCommand.Make),
        ("reopen", ReopenCommand.Make),
        ("pause", PauseCommand.Make),
        ("cancel", CancelCommand.Make),
        ("close", CloseCommand.Make),
        ("handover", HandoverCommand.Make),
        ("takeover", TakeoverCommand.Make),
        // answering
        ("approve", ApproveCommand.Make),
        ("reject", RejectCommand.Make),
        ("decide", DecideCommand.Make),
        ("ratify", RatifyCommand.Make),
        ("secret", SecretCommand.Make),
        ("note", NoteCommand.Make),
        ("attach", AttachCommand.Make),
        // looking
        ("status", StatusCommand.Make),
        ("runs", RunsCommand.Make),
        ("show", ShowCommand.Make),
        ("logs", LogsCommand.Make),
        ("report", ReportCommand.Make),
        // for a team
        ("serve", ServeCommand.Make),
        ("login", Helix.Cli.Remote.LoginCommand.Make),
        ("nodes", NodesCommand.Make),
        ("drain", DrainCommand.Make),
        // the store and the files
        ("backups", BackupsCommand.Make),
        ("locks", LocksCommand.Make),
        ("schema", SchemaCommand.Make),
        ("verify-record", VerifyRecordCommand.Make),
        ("export", ExportCommand.Make),
        ("completion", CompletionCommand.Make),
    ];
}
