using System.CommandLine;
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
        var chosen = Given.Text("--backup", "SELECTOR", "Only the one that this means: a key, latest, latest-proven, before:2026-03-01T02:00:00Z, age:6h.");
        var rpo = Given.Text("--rpo", "DURATION", "What may be lost; beyond it the exit code is 3. Default: the strictest objective of the runbooks that restore this series, as a warning.");
        return new Verb("list", "The backups of a series, newest recovery point first, and what would be lost now.", "helix backups list -e compose-local --prefix neo4j/", "helix backups list -e compose-local --prefix neo4j/ --rpo 1h")
            .With(Environment, Target, prefix, chosen, rpo)
            .Does(parsed => OnShelf(session, parsed, parsed.GetValue(prefix)!, async series =>
            {
                var now = session.Time.GetUtcNow();
                var entries = parsed.GetValue(chosen) is { } selector ? [await series.Find(selector, now, session.Terminal.Say)] : await series.List();
                var given = parsed.GetValue(rpo) is { } text ? DurationOf(text) : (TimeSpan?)null;
                var objective = given ?? Objective(session, parsed.GetValue(Environment)!, parsed.GetValue(prefix)!);
                var view = new SeriesView(entries, now, objective);
                session.Terminal.Give(view.ToJson(e => ToJson(e, now)), () => entries.Count == 0 ? "No backup there." : TextTable.Of(["RECOVERY POINT", "AGE", "STATE", "SIZE", "PROVEN", "KEY"], entries.Select(e => Row(e, view))));
                session.Terminal.Say(InWords(view));
                return given is not null && view.IsBeyond ? ExitCodes.ObjectiveMissed : 0;
            }));
    }

    static TimeSpan DurationOf(string text) => Duration.TryParse(text, out var duration) ? duration.Value
        : throw new RunbookException($"'{text}' of --rpo is no duration.", "Write it as 1h or 90m.");

    /// <summary>The strictest RPO among the runbooks beside the environment that restore this series.</summary>
    static TimeSpan? Objective(Session session, string environment, string prefix)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(Files.Find(environment, "environment", "runbooks/environments", "environments")))!;
        var runbooks = Directory.EnumerateFiles(Path.GetFileName(folder) == "environments" ? Path.GetDirectoryName(folder)! : folder, "*.yaml")
            .Where(f => Document.KindOf(f) == DocumentKind.Runbook)
            .Select(f => new RunbookReader(session.Catalog).ReadFile(f, null).Value)
            .OfType<Runbook>();
        return SeriesObjective.Of(runbooks, prefix);
    }

    static string InWords(SeriesView view) => view.Loss is not { } lost ? "RPO now: everything would be lost, there is no complete backup."
        : $"RPO now: {Words.Clock(lost)} of changes would be lost"
            + (view.LossProven is { } proven ? $"; with the newest proven backup {Words.Clock(proven)}." : "; no backup is proven.")
            + (view.IsBeyond ? $"\nWarning: that is beyond the objective of {Words.Objective(view.Objective!.Value)}.\nHint: make a backup now, and look why the schedule did not." : "");
}
