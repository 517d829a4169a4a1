using System.CommandLine;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;

namespace Helix.Cli.Commands;

static partial class BackupsCommand
{
    static Verb List(Session session)
    {
        var prefix = new Option<string>("--prefix") { Description = "The series: the start of the keys, ending with '/'.", HelpName = "PREFIX", Required = true };
        var rpo = Given.Text("--rpo", "DURATION", "What may be lost; beyond it the exit code is 3. Default: the strictest objective of the runbooks that restore this series, as a warning.");
        return new Verb("list", "The backups of a series, newest recovery point first, and what would be lost now.", "helix backups list -e compose-local --prefix neo4j/", "helix backups list -e compose-local --prefix neo4j/ --rpo 1h")
            .With(Environment, Target, prefix, rpo)
            .Does(parsed => OnShelf(session, parsed, parsed.GetValue(prefix)!, async series =>
            {
                var entries = await series.List();
                var given = parsed.GetValue(rpo) is { } text ? DurationOf(text) : (TimeSpan?)null;
                var objective = given ?? Objective(session, parsed.GetValue(Environment)!, parsed.GetValue(prefix)!);
                var loss = new Loss(entries, session.Time.GetUtcNow(), objective);
                session.Terminal.Give(new JsonObject
                {
                    ["backups"] = new JsonArray([.. entries.Select(ToJson)]),
                    ["rpoNowSeconds"] = loss.Now?.TotalSeconds,
                    ["rpoNowProvenSeconds"] = loss.NowProven?.TotalSeconds,
                    ["rpoSeconds"] = objective?.TotalSeconds,
                    ["beyondObjective"] = loss.IsBeyond,
                }, () => entries.Count == 0 ? "No backup there." : TextTable.Of(["RECOVERY POINT", "STATE", "SIZE", "PROVEN", "KEY"], entries.Select(Row)));
                session.Terminal.Say(loss.Text);
                return given is not null && loss.IsBeyond ? ExitCodes.ObjectiveMissed : 0;
            }));
    }

    static TimeSpan DurationOf(string text) => Duration.TryParse(text, out var duration) ? duration.Value
        : throw new RunbookException($"'{text}' of --rpo is no duration.", "Write it as 1h or 90m.");

    /// <summary>The strictest RPO among the runbooks beside the environment that restore this series.</summary>
    static TimeSpan? Objective(Session session, string environment, string prefix)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(Files.Find(environment, "environment", "runbooks/environments", "environments")))!;
        return Directory.EnumerateFiles(Path.GetFileName(folder) == "environments" ? Path.GetDirectoryName(folder)! : folder, "*.yaml")
            .Where(f => Document.KindOf(f) == DocumentKind.Runbook)
            .Select(f => new RunbookReader(session.Catalog).ReadFile(f, null).Value)
            .Where(r => r is not null && r.Inputs.Values.Any(i => i.Type == InputType.Backup && i.Prefix == prefix))
            .Min(r => r!.Objectives.Rpo);
    }

    /// <summary>What would be lost if somebody recovered this minute.</summary>
    sealed class Loss(IReadOnlyList<BackupEntry> entries, DateTimeOffset now, TimeSpan? objective)
    {
        readonly List<BackupManifest> _complete = [.. entries.Where(e => e.State == BackupState.Complete).Select(e => e.Manifest!)];

        public TimeSpan? Now => now - _complete.Max(m => (DateTimeOffset?)m.RecoveryPoint);
        public TimeSpan? NowProven => now - _complete.Where(m => m.Proven).Max(m => (DateTimeOffset?)m.RecoveryPoint);
        public bool IsBeyond => objective is { } most && (Now is null || Now > most);

        public string Text => Now is not { } lost ? "RPO now: everything would be lost, there is no complete backup."
            : $"RPO now: {Words.Clock(lost)} of changes would be lost"
                + (NowProven is { } proven ? $"; with the newest proven backup {Words.Clock(proven)}." : "; no backup is proven.")
                + (IsBeyond ? $"\nWarning: that is beyond the objective of {Words.Objective(objective!.Value)}.\nHint: make a backup now, and look why the schedule did not." : "");
    }
}
