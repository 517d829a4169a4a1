using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Ready;
using Helix.Server.Triggers;
using Helix.Server.Web;
using Helix.Steps.Backups;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Helix.Server.Pages;

public sealed record ReadyModel(IReadOnlyList<Scenario> Scenarios, IReadOnlyList<SuggestedRun> Suggestions, DateTimeOffset Now);

public sealed record SeriesName(string Environment, string Target, string Prefix);

public sealed record BackupsModel
{
    public required IReadOnlyList<SeriesName> Known { get; init; }
    public SeriesName? Chosen { get; init; }
    public SeriesView? View { get; init; }
    public string? Trouble { get; init; }
    public PrunePlan? Prune { get; init; }
    /// <summary>The rule as it was typed, by the names of the step's options.</summary>
    public IReadOnlyDictionary<string, string> Rule { get; init; } = new Dictionary<string, string>();
    public required DateTimeOffset Now { get; init; }
}

/// <summary>Whether a recovery would work today: scenarios, backups, locks.</summary>
static class ReadyEndpoints
{
    public static void MapReady(this IEndpointRouteBuilder app, Site site)
    {
        app.MapGet("/ready", async http => await Render.Page<ReadyPage>(http, http.Caller(), new ReadyModel(await site.Readiness.Look(Seen(site, http.Caller()), http.RequestAborted), Suggestions.Open(site, http.Caller()), site.Time.GetUtcNow())));
        app.MapGet("/backups", async http => await Render.Page<BackupsPage>(http, http.Caller(), await Backups(site, http)));
        app.MapGet("/locks", http => Render.Page<LocksPage>(http, http.Caller(), Locks(site, http.Caller())));
        app.MapPost("/locks/break", http => Break(site, http));
    }

    public static IReadOnlyList<string> Seen(Site site, Caller caller) => [.. site.Library.Environments.Where(e => caller.May(Role.Viewer, e))];

    static async Task<BackupsModel> Backups(Site site, HttpContext http)
    {
        var query = http.Request.Query;
        var model = new BackupsModel { Known = Known(site, http.Caller()), Now = site.Time.GetUtcNow() };
        if (query["environment"].ToString() is not { Length: > 0 } environment)
            return model;
        if (!http.Caller().May(Role.Viewer, environment))
            throw new NotThereException($"There is no environment '{environment}'.");
        model = model with { Chosen = new SeriesName(environment, query["target"].ToString(), query["prefix"].ToString()) };
        try
        {
            await using var store = await Shelves.Open(site, http.Caller(), environment, model.Chosen.Target, http.RequestAborted);
            model = model with { View = await Shelves.View(site, store, model.Chosen.Prefix, null, http.RequestAborted), Rule = PruneRule.All.ToDictionary(r => r.Name, r => query[r.Name].ToString()) };
            return PruneRule.Of(model.Chosen.Target, model.Chosen.Prefix, model.Rule.GetValueOrDefault) is { SaysNothing: false } rule
                ? model with { Prune = await PrunePlan.Make(store, rule, model.Now, http.RequestAborted) } : model;
        }
        catch (StepFailedException e)
        {
            return model with { Trouble = e.Message };
        }
    }

    /// <summary>What runbooks restore from, and what they add to.</summary>
    static List<SeriesName> Known(Site site, Caller caller) =>
    [
        .. from name in Seen(site, caller)
           let environment = site.Library.Environment(name).Value
           where environment is not null
           from runbook in site.Library.Runbooks
           let read = site.Library.Runbook(runbook).Value
           where read is not null
           from series in Restored(read).Concat(Added(read))
           where environment.Targets.All.GetValueOrDefault(series.Target) is BackupTarget
           group series by new SeriesName(name, series.Target, series.Prefix) into series
           orderby series.Key.Environment, series.Key.Prefix
           select series.Key,
    ];

    static IEnumerable<(string Target, string Prefix)> Restored(Runbook runbook) =>
        runbook.Inputs.Values.Where(i => i is { Type: InputType.Backup, Target: not null, Prefix: not null }).Select(i => (i.Target!, i.Prefix!));

    static IEnumerable<(string Target, string Prefix)> Added(Runbook runbook) =>
        Items.All(runbook).OfType<StepItem>().Where(s => s.Uses is "backup.upload" or "backup.copy")
            .Select(s => (Target: s.With[s.Uses == "backup.copy" ? "to" : "target"]?.ToString(), Prefix: s.With["prefix"]?.ToString()))
            .Where(s => s is { Target: not null, Prefix: not null } && !Template.Has(s.Target) && !Template.Has(s.Prefix)).Select(s => (s.Target!, s.Prefix!));

    static List<HeldLock> Locks(Site site, Caller caller)
    {
        var seen = site.Store.Runs(int.MaxValue, openOnly: true).Where(r => caller.May(Role.Viewer, r.Environment)).Select(r => r.Run).ToHashSet();
        return [.. site.Store.Locks().Where(l => seen.Contains(l.Run) || caller.IsAdmin)];
    }

    static async Task Break(Site site, HttpContext http)
    {
        if (!http.Caller().IsAdmin)
            throw new RefusedException("Locks are broken by administrators.");
        var form = await http.Request.ReadFormAsync();
        site.Store.BreakLock(form["identity"].ToString(), http.Caller().Person, Deeds.Said(form["reason"], "A reason"));
        site.Accounts.Audit(http.Caller().Account, Door.Address(http), "lock " + form["identity"], "broken", form["reason"].ToString());
        http.Response.Redirect("/locks");
    }
}
