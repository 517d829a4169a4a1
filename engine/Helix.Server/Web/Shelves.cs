using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Steps.Backups;

namespace Helix.Server.Web;

/// <summary>The targets of an environment that hold backups.</summary>
static class Shelves
{
    /// <param name="target">Not needed when there is only one.</param>
    /// <exception cref="RunbookException">None, or several and none was named.</exception>
    public static async Task<BackupStore> Open(Site site, Caller caller, string environment, string? target, CancellationToken cancelled)
    {
        var targets = site.Library.SoundEnvironment(environment);
        var shelves = targets.Targets.All.Values.OfType<BackupTarget>().ToList();
        var shelf = target is not null ? targets.Targets.Get<BackupTarget>(target)
            : shelves.Count == 1 ? shelves[0]
            : throw new RunbookException(shelves.Count == 0 ? $"No target of {environment} holds backups." : $"Several targets of {environment} hold backups.",
                shelves.Count == 0 ? "A directory or an s3 target does." : $"Name one: {string.Join(", ", shelves.Select(s => s.Name))}.");
        return await shelf.Open(site.NewEngine().Reading(targets, caller.Account, cancelled));
    }

    /// <param name="selector">Only the one that it means; null: all of the series.</param>
    public static async Task<SeriesView> View(Site site, BackupStore store, string prefix, string? selector, CancellationToken cancelled)
    {
        var now = site.Time.GetUtcNow();
        var series = new BackupSeries(store, prefix);
        var entries = selector is null ? await series.List(cancelled) : [await series.Find(selector, now, cancelled: cancelled)];
        return new(entries, now, SeriesObjective.Of(site.Library.Runbooks.Select(r => site.Library.Runbook(r).Value).OfType<Runbook>(), prefix));
    }
}
