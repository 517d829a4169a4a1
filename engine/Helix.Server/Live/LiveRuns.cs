using System.Collections.Concurrent;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;
using Helix.Server.Web;

namespace Helix.Server.Live;

/// <summary>Runs that are looked at: each is folded and drawn once for all who look.</summary>
sealed class LiveRuns(Site site)
{
    const int Most = 200;
    const int MostPlans = 100;
    readonly ConcurrentDictionary<string, Plan> _plans = [];
    readonly ConcurrentDictionary<string, LiveRun> _runs = [];

    /// <summary>The plan as it was pinned. Runs of the same text with the same inputs share it.</summary>
    public Plan PlanOf(RunState state)
    {
        if (_plans.Count >= MostPlans)
            _plans.Clear();
        return _plans.GetOrAdd($"{state.PlanHash}\n{state.Inputs.ToJsonString(StepJson.Options)}", _ => site.NewEngine().PlanToShow(state));
    }

    /// <exception cref="NotThereException">There is no such run.</exception>
    public LiveRun Of(string run)
    {
        if (_runs.TryGetValue(run, out var known))
            return known;
        try
        {
            run = site.Store.Resolve(run);
        }
        catch (RunbookException e)
        {
            throw new NotThereException(e.Message);
        }
        if (_runs.Count >= Most && _runs.Values.MinBy(r => r.LookedAt) is { } oldest)
            _runs.TryRemove(oldest.Run, out _);
        return _runs.GetOrAdd(run, r => new LiveRun(site, r));
    }
}
