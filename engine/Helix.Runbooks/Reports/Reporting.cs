using Helix.Runbooks.Journal;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Runs;

namespace Helix.Runbooks.Reports;

/// <summary>Gathers what a report is made of: state, pinned plan, entries, and experience from past runs.</summary>
public static class Reporting
{
    public static RunReport Of(Engine engine, string run)
    {
        var state = AsItStands(engine, engine.State(run));
        return Of(engine, state, engine.PlanToShow(state));
    }

    /// <param name="usually">What each step usually takes, which the store is asked for step by step, is wanted too.</param>
    public static RunReport Of(Engine engine, RunState state, Plan plan, bool usually = true)
    {
        var typical = Typical(engine, plan, state.Run);
        return RunReport.Of(state, plan, Clocks.Of(state, plan, engine.Catalog, engine.Time.GetUtcNow(), typical), engine.Store.Read(state.Run), usually ? typical : _ => null, Past(engine, state));
    }

    /// <summary>The record of a driver that was killed ends in the middle of its work; only its lease tells that nobody works.</summary>
    static RunState AsItStands(Engine engine, RunState state)
    {
        if (state.Status != RunStatus.Running || engine.Store.ReadLease(state.Run) is not { IsFree: true } lease)
            return state;
        var now = engine.State(state.Run);
        if (now.Status == RunStatus.Running && now.Epoch == lease.Epoch)
            now.LoseDriver(TimeSpan.FromMilliseconds(lease.Beat));
        return now;
    }

    /// <summary>The median of other runs of a step.</summary>
    /// <param name="but">The run that is compared with them.</param>
    public static Func<string, TimeSpan?> Typical(Engine engine, Plan plan, string? but = null)
    {
        var known = new Dictionary<string, TimeSpan?>();
        return path =>
        {
            if (!known.TryGetValue(path, out var typical))
            {
                var sorted = engine.Store.Durations(plan.Runbook.Name, path, but: but).Order().ToList();
                known[path] = typical = sorted.Count == 0 ? null : sorted[sorted.Count / 2];
            }
            return typical;
        };
    }

    /// <summary>RTA of the live runs of this runbook that recovered, this one included.</summary>
    static List<TimeSpan> Past(Engine engine, RunState state) =>
        [.. engine.Store.Runs(1000, state.Started.Runbook).Where(r => r.Mode == state.Started.Mode && r.Rta is not null).Select(r => r.Rta!.Value)];
}
