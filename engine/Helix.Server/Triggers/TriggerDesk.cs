using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Triggers;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Schedules;
using Helix.Server.Web;

namespace Helix.Server.Triggers;

/// <summary>What became of a call for one trigger.</summary>
/// <param name="Result">As of a firing, or duplicate, ignored or refused.</param>
public sealed record Fired(string Trigger, string Result, string? Run, string? Suggestion, string Detail);

/// <summary>Turns calls of hooks into runs and suggestions: each call once, however often it is delivered.</summary>
sealed class TriggerDesk(Site site) : IDisposable
{
    /// <summary>More open suggestions of one trigger help nobody.</summary>
    const int MostOpen = 20;

    readonly SemaphoreSlim _one = new(1);
    readonly Lock _reading = new();
    DateTime _readAt;
    ReadResult<TriggerBook>? _book;

    public string Path => System.IO.Path.Combine(site.Library.Folder, "triggers.yaml");

    /// <summary>The triggers as they stand in the file now; no value when it has errors or is not there.</summary>
    public ReadResult<TriggerBook>? Book
    {
        get
        {
            lock (_reading)
            {
                var at = File.Exists(Path) ? File.GetLastWriteTimeUtc(Path) : default;
                if (at == _readAt)
                    return _book;
                (_readAt, _book) = (at, at == default ? null : new TriggerReader(site.Catalog).ReadFile(Path));
                if (_book is { HasErrors: true } bad)
                    site.Say($"{Path} cannot be used, so no hook starts anything:\n{string.Join("\n", bad.Problems)}");
                return _book;
            }
        }
    }

    public IReadOnlyList<Trigger> Triggers => Book?.Value?.Triggers ?? [];
    public Trigger? Find(string name) => Triggers.FirstOrDefault(t => t.Name == name);

    /// <param name="by">Whose token it is; null for a signed call.</param>
    public async Task<IReadOnlyList<Fired>> Take(Hook hook, IReadOnlyList<Call> calls, Caller? by, string? address)
    {
        await _one.WaitAsync();
        try
        {
            Expire();
            var fired = new List<Fired>();
            foreach (var call in calls)
                foreach (var trigger in Triggers.Where(t => t.Hook == hook.Name && t.Enabled))
                    if (Guarded(trigger, () => call.Fits(trigger) ? Take(trigger, call, by) : null) is { } one)
                    {
                        fired.Add(one);
                        site.Accounts.Audit(by?.Account, address, $"trigger {trigger.Name}", one.Result, $"{call.Words}{(one.Run is { } run ? $"; run {run}" : "")}{(one.Detail.Length > 0 ? $"; {one.Detail}" : "")}");
                    }
            return fired;
        }
        finally
        {
            _one.Release();
        }
    }

    static Fired? Guarded(Trigger trigger, Func<Fired?> take)
    {
        try
        {
            return take();
        }
        catch (Exception e) when (IsOfTheFiles(e))
        {
            return new Fired(trigger.Name, "failed", null, null, e.Message);
        }
    }

    /// <summary>They have errors, or one that the trigger names is gone since the triggers were read.</summary>
    static bool IsOfTheFiles(Exception e) => e is RunbookException or NotThereException;

    Fired Take(Trigger trigger, Call call, Caller? by)
    {
        var fingerprint = call.FingerprintFor(trigger);
        if (call.Resolved)
            return Withdraw(trigger, fingerprint);
        if (by is not null && !by.May(Role.Operator, trigger.Environment.Name))
            return new Fired(trigger.Name, "refused", null, null, $"{by.Account}, whose token it is, has not the role operator on {trigger.Environment.Name}");
        var now = site.Time.GetUtcNow();
        var before = site.Accounts.FiringOf(trigger.Name, $"{fingerprint}@{call.Episode}") ?? Same(trigger, fingerprint, call, now);
        if (before is { Result: "starting" } && !site.Store.Has(RunOf(before)))
            return Start(before, trigger, by);
        if (before is not null && !IsOver(before))
            return new Fired(trigger.Name, "duplicate", before.Run, before.Result == "suggested" ? before.Id : null, $"{before.Result} at {before.At:u}");
        var mark = before?.Mark ?? $"{fingerprint}@{call.Episode}";
        // Another server may take the same call, or start a run of the same trigger, while this one is judged: then once more, with that in sight.
        if ((Claimed(trigger, call, fingerprint, mark, now) ?? Claimed(trigger, call, fingerprint, mark, now)) is not { } firing)
            return new Fired(trigger.Name, "duplicate", null, null, "another server was faster");
        if (firing.Result == "suggested")
            new TriggerNews(site).Suggested(trigger, firing);
        return firing.Result == "starting" ? Start(firing, trigger, by) : Told(firing);
    }

    /// <summary>For a signed hook: the same call in the time in which it counts once.</summary>
    Firing? Same(Trigger trigger, string fingerprint, Call call, DateTimeOffset now) => call.Began is not null ? null
        : site.Accounts.FiringsOf(trigger.Name, 1000).FirstOrDefault(f => f.Fingerprint == fingerprint && f.At > now - trigger.SameFor);

    /// <summary>It came to nothing, and may come again.</summary>
    static bool IsOver(Firing firing) => firing.Result is "failed" or "too-soon" or "expired";

    Firing? Claimed(Trigger trigger, Call call, string fingerprint, string mark, DateTimeOffset now) =>
        Judged(trigger, call, fingerprint, mark, now) is var firing && site.Accounts.Claim(firing, QuietSince(trigger, now)) ? firing : null;

    static DateTimeOffset QuietSince(Trigger trigger, DateTimeOffset now) => now - trigger.MinimumDelay;

    Firing Judged(Trigger trigger, Call call, string fingerprint, string mark, DateTimeOffset now)
    {
        var firing = new Firing
        {
            Trigger = trigger.Name,
            Mark = mark,
            Id = Tickets.Hash($"{trigger.Name}\n{mark}")[..12],
            Fingerprint = fingerprint,
            At = now,
            Result = "failed",
            Detail = "",
            Environment = trigger.Environment.Name,
            Inputs = [],
            Effect = "",
            Words = call.Words,
            // The clock of who tells may be ahead, and nothing occurs after it was told.
            Began = call.Began > now ? now : call.Began,
            Expires = now + trigger.ExpiresAfter,
        };
        try
        {
            firing = firing with { Inputs = call.Inputs(trigger) };
            var plan = Starting.PlanOf(site, trigger.Runbook.Name, trigger.Environment.Name, (System.Text.Json.Nodes.JsonObject)firing.Inputs.DeepClone(), trigger.Mode.ToString().ToLowerInvariant());
            var effect = plan.Steps.Count == 0 ? Effect.Reads : plan.Steps.Max(s => s.Effect);
            return Chosen(firing with { Effect = effect.ToString().ToLowerInvariant() }, trigger, effect, now);
        }
        catch (Exception e) when (IsOfTheFiles(e))
        {
            return firing with { Detail = e.Message };
        }
    }

    Firing Chosen(Firing firing, Trigger trigger, Effect effect, DateTimeOffset now)
    {
        if (!StartsAtOnce(trigger, effect))
            return site.Accounts.Suggested().Count(f => f.Trigger == trigger.Name) >= MostOpen
                ? firing with { Result = "too-soon", Detail = $"{MostOpen} suggestions of this trigger are open" }
                : firing with { Result = "suggested", Detail = effect == Effect.Destroys ? "its plan destroys data" : $"its plan {effect.ToString().ToLowerInvariant()}" };
        return site.Accounts.StartedAfter(QuietSince(trigger, now), trigger.Name) is { } last
            ? firing with { Result = "too-soon", Detail = $"run {RunOf(last)} was started {Words.Ago(last.At, now)}, and at least {Words.Objective(trigger.MinimumDelay)} lie between two" }
            : firing with { Result = "starting" };
    }

    static bool StartsAtOnce(Trigger trigger, Effect effect) => trigger.AtOnce switch
    {
        AtOnce.Reads => effect == Effect.Reads,
        AtOnce.Interrupts => effect <= Effect.Interrupts,
        AtOnce.Changes => effect <= Effect.Changes,
        _ => false,
    };

    Fired Start(Firing firing, Trigger trigger, Caller? by)
    {
        var run = RunOf(firing);
        var (result, detail) = ("started", "");
        try
        {
            var plan = Starting.PlanOf(site, trigger.Runbook.Name, firing.Environment, (System.Text.Json.Nodes.JsonObject)firing.Inputs.DeepClone(), trigger.Mode.ToString().ToLowerInvariant());
            Starting.Once(site, run, () => site.Drivers.Start(plan, new StartRequest
            {
                Run = run,
                // Whoever's token set it off counts as the one who started it, and cannot approve it.
                Operator = new Person("trigger:" + trigger.Name, IdentityStrength.Password, Ways.Hook) { Names = by?.Person.Vouched },
                Trigger = Ways.Hook,
                Attended = false,
                OccurredAt = firing.Began,
                Incident = firing.Words,
            }, null));
        }
        catch (HeldException e)
        {
            (result, detail) = ("suggested", e.Message);
        }
        catch (Exception e) when (IsOfTheFiles(e))
        {
            (result, detail) = ("failed", e.Message);
        }
        var settled = firing with { Result = result, Run = result == "started" ? run : null, Detail = detail };
        // Another server may have found it between being taken and started, and done the same.
        if (!site.Accounts.Settle(firing, "starting", settled.Result, settled.Run, settled.Detail))
            return new Fired(trigger.Name, "duplicate", settled.Run, null, "another server was faster");
        if (result == "suggested")
            new TriggerNews(site).Suggested(trigger, settled);
        return Told(settled);
    }

    /// <summary>The run of a firing: the same whoever computes it, so that the store takes it once.</summary>
    public static string RunOf(Firing firing) => PlannedRun.Id($"trigger:{firing.Trigger}\n{firing.Mark}", firing.At);

    Fired Withdraw(Trigger trigger, string fingerprint)
    {
        var withdrawn = false;
        foreach (var open in site.Accounts.Suggested().Where(f => f.Trigger == trigger.Name && f.Fingerprint == fingerprint))
            withdrawn |= site.Accounts.Settle(open, "suggested", "resolved", null, "the alert is over");
        return withdrawn
            ? new Fired(trigger.Name, "resolved", null, null, "its suggestion is withdrawn")
            : new Fired(trigger.Name, "ignored", null, null, "an alert that is over starts nothing");
    }

    static Fired Told(Firing firing) => new(firing.Trigger, firing.Result, firing.Run, firing.Result == "suggested" ? firing.Id : null, firing.Detail);

    /// <summary>Whoever looks first records that the time of a suggestion is over.</summary>
    public void Expire()
    {
        var now = site.Time.GetUtcNow();
        foreach (var late in site.Accounts.Suggested().Where(f => f.Expires <= now))
            if (site.Accounts.Settle(late, "suggested", "expired", null, "nobody took it"))
                site.Accounts.Audit(null, null, $"trigger {late.Trigger}", "expired", late.Words);
    }

    public void Dispose() => _one.Dispose();
}
