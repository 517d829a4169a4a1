using System.Collections.Concurrent;
using Helix.Runbooks.Model.Schedules;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Steps;

namespace Helix.Server.Schedules;

/// <summary>Since when a schedule has brought nothing good: by the manifests of the backups that each of its runs makes, else by its runs.</summary>
sealed class Freshness(Site site)
{
    /// <summary>Backups that are fresh are looked at again when they could be too old, and so often at least; those that are too old so often.</summary>
    static readonly TimeSpan WhenFresh = TimeSpan.FromMinutes(30), WhenOld = TimeSpan.FromSeconds(30);

    readonly ConcurrentDictionary<string, (DateTimeOffset LookedAt, IReadOnlyList<Evidence> Found)> _found = [];
    readonly HashSet<string> _told = [];

    /// <summary>The newest good backup of a series; null: there is none.</summary>
    sealed record Evidence(string Target, string Prefix, DateTimeOffset? Newest);

    /// <summary>Null: it is fresh, or does not run.</summary>
    public Stale? Of(Schedule schedule)
    {
        if (!schedule.Enabled)
            return null;
        var now = site.Time.GetUtcNow();
        var watched = site.Accounts.WatchedSince(schedule.Name) ?? now;
        if (_found.TryGetValue(schedule.Name, out var known) && known.Found.Count > 0)
        {
            var oldest = known.Found.MinBy(e => e.Newest ?? DateTimeOffset.MinValue)!;
            // A series that was never filled is not overdue before the schedule had its chance.
            var since = oldest.Newest ?? watched;
            return now - since > schedule.FreshFor ? new Stale(since, $"The newest good backup below {oldest.Prefix} in {oldest.Target} is {(oldest.Newest is { } n ? $"of {Words.Moment(n)}" : "none at all")}") : null;
        }
        var last = site.Store.Runs(1000, schedule.Runbook.Name).FirstOrDefault(r => r.Environment == schedule.Environment.Name && r.Status == "succeeded")?.EndedAt;
        var unchanged = schedule.OnChange.Count > 0 ? site.Accounts.LastOf(schedule.Name, "unchanged")?.At : null;
        var good = Later(last, unchanged) ?? watched;
        return now - good > schedule.FreshFor ? new Stale(good, $"No run of {schedule.Runbook.Title} has succeeded since {Words.Moment(good)}") : null;
    }

    /// <summary>Reads the manifests where it is time, and says once what is too old.</summary>
    public async Task Look(IReadOnlyList<Schedule> schedules, CancellationToken cancelled)
    {
        foreach (var schedule in schedules)
        {
            if (schedule.Enabled && schedule.Produces.Count > 0 && IsTime(schedule))
                _found[schedule.Name] = (site.Time.GetUtcNow(), await Manifests(schedule, cancelled));
            if (Of(schedule) is not { } stale)
                _told.Remove(schedule.Name);
            else if (_told.Add(schedule.Name))
            {
                site.Say($"OVERDUE: {schedule.Name}: {stale.Why}; it should be fresh for {new Duration(schedule.FreshFor)}.");
                site.Accounts.Audit(null, null, $"schedule {schedule.Name}", "overdue", stale.Why);
                site.ScheduleNews.Overdue(schedule, stale);
            }
        }
    }

    bool IsTime(Schedule schedule)
    {
        var now = site.Time.GetUtcNow();
        if (!_found.TryGetValue(schedule.Name, out var known))
            return true;
        var fresh = known.Found.Count > 0 && known.Found.All(e => e.Newest is { } newest && now - newest <= schedule.FreshFor);
        return now - known.LookedAt >= (fresh ? WhenFresh : WhenOld);
    }

    /// <summary>Empty when the backups cannot be seen now: then the runs tell.</summary>
    async Task<IReadOnlyList<Evidence>> Manifests(Schedule schedule, CancellationToken cancelled)
    {
        var found = new List<Evidence>();
        foreach (var (target, prefix) in schedule.Produces)
        {
            var series = await site.Readiness.Read(schedule.Environment, target, prefix, cancelled);
            if (series.Unknown is not null)
                return [];
            found.Add(new Evidence(target, prefix, series.Newest));
        }
        return found;
    }

    static DateTimeOffset? Later(DateTimeOffset? a, DateTimeOffset? b) => a is null || b > a ? b : a;
}

/// <summary>A schedule that brought nothing good since a moment.</summary>
public sealed record Stale(DateTimeOffset Since, string Why);
