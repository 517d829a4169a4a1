using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Cli.Commands;

static partial class BackupsCommand
{
    /// <summary>Never on somebody's word alone: a run of this store must have restored the backup and succeeded.</summary>
    static Verb Prove(Session session)
    {
        var backup = Backup();
        var prefix = Prefix();
        var run = new System.CommandLine.Option<string>("--run") { Description = "The run that restored it into a throw-away target and checked it.", HelpName = "RUN", Required = true };
        var note = Given.Text("--note", "TEXT", "A word for who reads it later.");
        return new Verb("prove", "Writes into a backup's manifest that a run of yours has restored it and found it good.", "helix backups prove redis/2026-02-28T23.rdb -e compose-local --run 260301-0200")
            .Takes(backup).With(Environment, Target, prefix, run, note)
            .Does(parsed => OnShelf(session, parsed, SeriesOf(parsed.GetValue(backup)!, parsed.GetValue(prefix)), async series =>
            {
                var state = session.Engine.State(session.Store.Resolve(parsed.GetValue(run)!));
                var key = (await series.Find(parsed.GetValue(backup)!, session.Time.GetUtcNow(), session.Terminal.Say)).Key;
                CheckRestored(state, key);
                var proof = new BackupProof
                {
                    At = session.Time.GetUtcNow(),
                    Passed = true,
                    Run = state.Run,
                    Note = $"by {session.Operator.Account}" + (parsed.GetValue(note) is { } text ? ": " + text : ""),
                };
                var manifest = await series.Prove(key, proof);
                session.Terminal.Say($"{manifest.Key} is proven by run {state.Run}.");
                return 0;
            }));
    }

    /// <exception cref="RunbookException">Fetched alone is not restored, and restored alone is not checked.</exception>
    internal static void CheckRestored(RunState state, string key)
    {
        if (state.Ended?.Outcome != Outcome.Succeeded)
            throw new RunbookException($"Run {state.Run} has not succeeded, so it proves nothing.", "Name a drill that ended well.");
        var done = state.Steps.Values.Where(s => s.Status == StepStatus.Succeeded).ToList();
        if (done.FirstOrDefault(s => s.Uses == "backup.download" && s.Outputs?["key"]?.ToString() == key) is not { } fetched)
            throw new RunbookException($"Run {state.Run} has not fetched {key}.", $"`helix show {state.Run}` shows which backup it used.");
        var loads = done.SelectMany(s => s.Effects.Where(e => e.LoadsFrom is { } option && s.With?[option]?.ToString() is { } file && file == fetched.Outputs!["file"]?.ToString()), (s, e) => (s.EndedAt, e.Target)).ToList();
        if (loads.Count == 0)
            throw new RunbookException($"Run {state.Run} has fetched {key} and restored it nowhere.", "Name a drill that loaded it into a throw-away target and checked what it found there.");
        if (!loads.Any(load => done.Any(s => LooksAtData(s) && s.EndedAt >= load.EndedAt && s.Effects.Any(e => e.Target == load.Target))))
            throw new RunbookException($"Run {state.Run} has restored {key} into {string.Join(", ", loads.Select(l => l.Target ?? "local files"))} and not checked it there.", "Put a step that verifies the target after the one that loads it.");
    }

    static bool LooksAtData(StepState step) => step.Uses.EndsWith(".verify", StringComparison.Ordinal) || step.Uses.EndsWith(".read", StringComparison.Ordinal);
}
