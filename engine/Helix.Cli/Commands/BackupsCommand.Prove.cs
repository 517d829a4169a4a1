using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Cli.Commands;

static partial class BackupsCommand
{
    /// <summary>Never on somebody's word alone: a run of this store must have restored the backup and succeeded.</summary>
    static Verb Prove(Session session)
    {
        var key = Key();
        var run = new System.CommandLine.Option<string>("--run") { Description = "The run that restored it into a throw-away target and checked it.", HelpName = "RUN", Required = true };
        var note = Given.Text("--note", "TEXT", "A word for who reads it later.");
        return new Verb("prove", "Writes into a backup's manifest that a run of yours has restored it and found it good.", "helix backups prove redis/2026-02-28T23.rdb -e compose-local --run 260301-0200")
            .Takes(key).With(Environment, Target, run, note)
            .Does(parsed => OnShelf(session, parsed, SeriesOf(parsed.GetValue(key)!), async series =>
            {
                var state = session.Engine.State(session.Store.Resolve(parsed.GetValue(run)!));
                CheckRestored(state, parsed.GetValue(key)!);
                var proof = new BackupProof
                {
                    At = session.Time.GetUtcNow(),
                    Passed = true,
                    Run = state.Run,
                    Note = $"by {session.Operator.Account}" + (parsed.GetValue(note) is { } text ? ": " + text : ""),
                };
                var manifest = await series.Prove(parsed.GetValue(key)!, proof);
                session.Terminal.Say($"{manifest.Key} is proven by run {state.Run}.");
                return 0;
            }));
    }

    static void CheckRestored(RunState state, string key)
    {
        if (state.Ended?.Outcome != Outcome.Succeeded)
            throw new RunbookException($"Run {state.Run} has not succeeded, so it proves nothing.", "Name a drill that ended well.");
        if (!state.Steps.Values.Any(s => s is { Status: StepStatus.Succeeded, Uses: "backup.download" } && s.Outputs?["key"]?.ToString() == key))
            throw new RunbookException($"Run {state.Run} has not fetched {key}.", $"`helix show {state.Run}` shows which backup it used.");
    }
}
