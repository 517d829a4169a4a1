using Helix.Runbooks.Journal;

namespace Helix.Server.Telemetry;

/// <summary>The figures of the server: one source, read by <c>/metrics</c> and sent over OTLP.</summary>
static class Figures
{
    const int Recent = 5000;

    /// <param name="sees">The environments that whoever asks may see.</param>
    public static async Task<IReadOnlyList<Figure>> Of(Site site, Func<string, bool> sees, CancellationToken cancelled)
    {
        var now = site.Time.GetUtcNow();
        var runs = site.Store.Runs(Recent).Where(r => sees(r.Environment)).ToList();
        return
        [
            .. OfRuns(runs),
            new("helix_runs_driven", "Runs that this server drives now.", [Sample.Of(site.Drivers.Now.Count)]),
            .. OfDecisions(site, sees, now),
            new("helix_schedule_overdue", "1: nothing good came for longer than the schedule allows.",
                [.. site.Timetable.Schedules.Where(s => sees(s.Environment.Name)).Select(s => Sample.Of(site.Timetable.Stale(s) is null ? 0 : 1, "schedule", s.Name))]),
            .. OfMessages(site, sees, now),
            .. await OfScenarios(site, sees, now, cancelled),
        ];
    }

    static IEnumerable<Figure> OfRuns(List<RunSummary> runs)
    {
        yield return new("helix_runs", "Runs by how they stand, of the newest 5000.", [.. runs.GroupBy(r => (r.Status, r.Mode)).Select(g => Sample.Of(g.Count(), "status", g.Key.Status, "mode", g.Key.Mode))]);
        yield return new("helix_last_rta_seconds", "Time to recovery of the last run that recovered.", [.. Last(runs, r => r.Rta).Select(r => OfRun(r, r.Rta!.Value))]);
        yield return new("helix_last_rpa_seconds", "Data lost by the last run that measured it.", [.. Last(runs, r => r.Rpa).Select(r => OfRun(r, r.Rpa!.Value))]);
        yield return new("helix_objectives_missed", "Runs that missed an objective, of the newest 5000.", [Sample.Of(runs.Count(r => r.ObjectivesMet == false))]);
    }

    static IEnumerable<RunSummary> Last(List<RunSummary> runs, Func<RunSummary, TimeSpan?> measured) => runs.Where(r => measured(r) is not null).DistinctBy(r => (r.Runbook, r.Environment, r.Mode));

    static Sample OfRun(RunSummary r, TimeSpan span) => Sample.Of(span.TotalSeconds, "runbook", r.Runbook, "environment", r.Environment, "mode", r.Mode);

    static IEnumerable<Figure> OfDecisions(Site site, Func<string, bool> sees, DateTimeOffset now)
    {
        // From the register alone: there may be thousands.
        var asking = site.Store.Runs(int.MaxValue, openOnly: true).Where(r => r is { Questions: > 0, EndedAt: null } && sees(r.Environment)).ToList();
        yield return new("helix_decisions_open", "Questions that people are asked.", [Sample.Of(asking.Sum(r => r.Questions))]);
        yield return new("helix_decision_oldest_seconds", "For how long nothing has happened in the oldest run that asks.", [Sample.Of(asking.Count == 0 ? 0 : (now - asking.Min(r => r.LastAt)).TotalSeconds)]);
        yield return new("helix_suggestions_open", "Runs that triggers suggest, and that nobody has started or dismissed.", [Sample.Of(site.Accounts.Suggested().Count(f => sees(f.Environment) && f.Expires > now))]);
    }

    static IEnumerable<Figure> OfMessages(Site site, Func<string, bool> sees, DateTimeOffset now)
    {
        var letters = site.Accounts.LetterCounts().Where(l => sees(l.Environment)).ToList();
        yield return new("helix_messages", "Messages to the outside by how they stand: sent, waiting, given-up.", [.. letters.Select(l => Sample.Of(l.Count, "environment", l.Environment, "channel", l.Channel, "state", l.State))]);
        yield return new("helix_message_oldest_seconds", "For how long the oldest message waits to be delivered.",
            [.. letters.Where(l => l.State == "waiting").Select(l => Sample.Of((now - l.Oldest).TotalSeconds, "environment", l.Environment, "channel", l.Channel))]);
    }

    static async Task<IEnumerable<Figure>> OfScenarios(Site site, Func<string, bool> sees, DateTimeOffset now, CancellationToken cancelled)
    {
        var scenarios = await site.Readiness.Look([.. site.Library.Environments.Where(sees)], cancelled);
        var series = scenarios.SelectMany(s => s.Series.Where(x => x.Newest is not null).Select(x => (s.Environment, x.Target, x.Prefix, Newest: x.Newest!.Value))).DistinctBy(x => (x.Environment, x.Target, x.Prefix));
        return
        [
            new("helix_scenario_ready", "1 ready, 0.5 doubtful, 0 not ready.",
                [.. scenarios.Select(s => Sample.Of(s.Verdict switch { "ready" => 1.0, "doubtful" => 0.5, _ => 0 }, "runbook", s.Runbook, "environment", s.Environment))]),
            new("helix_backup_age_seconds", "Age of the newest complete backup, from its recovery point.",
                [.. series.Select(x => Sample.Of((now - x.Newest).TotalSeconds, "environment", x.Environment, "target", x.Target, "prefix", x.Prefix))]),
        ];
    }
}
