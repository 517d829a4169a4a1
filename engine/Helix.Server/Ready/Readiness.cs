using System.Collections.Concurrent;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Steps;
using Helix.Steps.Backups;
using RunbookEnvironment = Helix.Runbooks.Model.Environment;

namespace Helix.Server.Ready;

/// <summary>Looks at runbooks, manifests of backups and past runs, and says which scenarios could be recovered now.</summary>
sealed class Readiness(Site site)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Holds = TimeSpan.FromSeconds(20);

    /// <summary>A restore that was not tried for so long is not known to work.</summary>
    static readonly TimeSpan DrillHolds = TimeSpan.FromDays(100);
    const int Trend = 6;

    readonly TimeSpan _patience = site.Settings.Patience ?? Patience;
    readonly ConcurrentDictionary<(string, string, string), (DateTimeOffset At, SeriesNow Now)> _series = [];

    /// <summary>Every runbook with an RTO that fits an environment of these.</summary>
    public async Task<IReadOnlyList<Scenario>> Look(IReadOnlyList<string> environments, CancellationToken cancelled)
    {
        var scenarios = new List<Task<Scenario>>();
        foreach (var name in environments)
            if (site.Library.Environment(name).Value is { } environment)
                foreach (var runbook in site.Library.Runbooks)
                    if (site.Library.Runbook(runbook).Value is { Objectives.Rto: not null } && site.Library.Runbook(runbook, environment) is { HasErrors: false, Value: { } fits })
                        scenarios.Add(Of(fits, environment, cancelled));
        return [.. (await Task.WhenAll(scenarios)).OrderBy(s => s.Faults.Count > 0 ? 0 : s.Doubts.Count > 0 ? 1 : 2).ThenBy(s => s.Environment, StringComparer.Ordinal).ThenBy(s => s.Title, StringComparer.Ordinal)];
    }

    async Task<Scenario> Of(Runbook runbook, RunbookEnvironment environment, CancellationToken cancelled)
    {
        var inputs = runbook.Inputs.Values.Where(i => i is { Type: InputType.Backup, Target: not null, Prefix: not null }).Select(i => (i.Target!, i.Prefix!)).Distinct();
        var series = await Task.WhenAll(inputs.Select(i => Series(environment, i.Item1, i.Item2, cancelled)));
        var runs = site.Store.Runs(200, runbook.Name);
        var scenario = new Scenario
        {
            Runbook = runbook.Name,
            Title = runbook.Title,
            Environment = environment.Name,
            Rto = runbook.Objectives.Rto,
            Rpo = runbook.Objectives.Rpo,
            Series = series,
            LastDrill = runs.FirstOrDefault(r => r is { Mode: "drill", EndedAt: not null }),
            LastLive = runs.FirstOrDefault(r => r is { Mode: "live", EndedAt: not null } && r.Environment == environment.Name),
            Rtas = [.. runs.Where(r => r is { Rta: not null, Status: "succeeded" }).Take(Trend).Select(r => r.Rta!.Value).Reverse()],
            Drifted = runs.FirstOrDefault(r => r.Status == "succeeded") is { } proven && HasChanged(proven.Run, runbook),
        };
        var now = site.Time.GetUtcNow();
        return scenario with { Faults = [.. Judgement.Faults(scenario)], Doubts = [.. Judgement.Doubts(scenario, now, DrillHolds)] };
    }

    bool HasChanged(string run, Runbook runbook)
    {
        var started = RunState.Of(run, site.Store.Read(run)).Started;
        return started.Pinned.GetValueOrDefault(started.RunbookPath) != runbook.Source.Sha256;
    }

    async Task<SeriesNow> Series(RunbookEnvironment environment, string target, string prefix, CancellationToken cancelled)
    {
        var key = (environment.Name, target, prefix);
        if (_series.TryGetValue(key, out var known) && site.Time.GetUtcNow() - known.At < Holds)
            return known.Now;
        var now = await Read(environment, target, prefix, cancelled);
        _series[key] = (site.Time.GetUtcNow(), now);
        return now;
    }

    public async Task<SeriesNow> Read(RunbookEnvironment environment, string target, string prefix, CancellationToken cancelled)
    {
        var series = new SeriesNow(target, prefix);
        if (environment.Targets.All.GetValueOrDefault(target) is not BackupTarget shelf)
            return series with { Unknown = $"{target} holds no backups" };
        using var limit = new CancellationTokenSource(_patience, site.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancelled);
        try
        {
            await using var store = await shelf.Open(site.NewEngine().Reading(environment, "helix", both.Token));
            var complete = (await new BackupSeries(store, prefix).List(both.Token)).Where(e => e.State == BackupState.Complete).ToList();
            return series with
            {
                Complete = complete.Count,
                Newest = complete.FirstOrDefault()?.Manifest!.RecoveryPoint,
                NewestKey = complete.FirstOrDefault()?.Key,
                NewestProven = complete.FirstOrDefault(e => e.Manifest!.Proven)?.Manifest!.RecoveryPoint,
            };
        }
        catch (Exception e) when (e is StepFailedException or RunbookException or OperationCanceledException && !cancelled.IsCancellationRequested)
        {
            return series with { Unknown = e is OperationCanceledException ? $"{target} did not answer within {_patience.TotalSeconds:0} s" : e.Message };
        }
    }
}

/// <summary>From what is known to what is wrong with it. Pure.</summary>
static class Judgement
{
    public static IEnumerable<string> Faults(Scenario s) =>
        s.Series.Where(x => x is { Unknown: null, Complete: 0 }).Select(x => $"there is no complete backup below {x.Prefix} in {x.Target}: everything would be lost");

    public static IEnumerable<string> Doubts(Scenario s, DateTimeOffset now, TimeSpan drillHolds)
    {
        foreach (var series in s.Series)
        {
            if (series.Unknown is { } why)
                yield return $"the backups below {series.Prefix} cannot be seen now: {why}";
            if (series.Newest is { } newest && s.Rpo is { } rpo && now - newest > rpo)
                yield return $"the newest backup below {series.Prefix} is {Words.Span(now - newest)} old, and at most {Words.Objective(rpo)} may be lost";
            if (series is { Complete: > 0, NewestProven: null })
                yield return $"no backup below {series.Prefix} was ever proven by a restore";
        }
        var tried = new[] { s.LastDrill, s.LastLive }.OfType<RunSummary>().MaxBy(r => r.EndedAt);
        if (tried is null)
            yield return "it was never tried: no drill and no run has ended";
        else if (tried.Status != "succeeded")
            yield return $"the last {(tried.Mode == "drill" ? "drill" : "run")} {tried.Status}";
        else if (now - tried.EndedAt > drillHolds)
            yield return $"it was last tried {Words.Span(now - tried.EndedAt!.Value)} ago";
        if (s.Rtas is [.., var last] && last > s.Rto)
            yield return $"the last recovery took {Words.Clock(last)}, more than {Words.Objective(s.Rto!.Value)}";
        if (s.Drifted)
            yield return "its text was changed since the last run that succeeded";
    }
}
