using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Triggers;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Server.Web;

namespace Helix.Server.Triggers;

/// <summary>A run that a trigger suggests, as people see it.</summary>
public sealed record SuggestedRun(Firing Firing, Trigger Trigger)
{
    /// <summary>The name of the environment is typed before it starts.</summary>
    public bool NeedsName => Trigger.Environment.Protected && Firing.Effect == "destroys" && Trigger.Mode == TriggeredMode.Live;
}

/// <summary>What people do with suggestions: one press starts the run, another dismisses it.</summary>
static class Suggestions
{
    public static IReadOnlyList<SuggestedRun> Open(Site site, Caller caller)
    {
        site.Triggers.Expire();
        return [.. from firing in site.Accounts.Suggested()
                   let trigger = site.Triggers.Find(firing.Trigger)
                   where trigger is not null && caller.May(Role.Viewer, firing.Environment)
                   select new SuggestedRun(firing, trigger)];
    }

    /// <param name="confirmed">The name of a protected environment, as it was typed.</param>
    /// <returns>The run; of a second press the run of the first.</returns>
    public static string Start(Site site, Caller caller, string id, string? confirmed)
    {
        var (firing, trigger) = Known(site, caller, id);
        if (firing is { Result: "accepted", Run: { } started })
            return started;
        Demand(firing);
        var run = Starting.Start(site, caller, new Wanted
        {
            Run = TriggerDesk.RunOf(firing),
            Runbook = trigger.Runbook.Name,
            Environment = firing.Environment,
            Mode = trigger.Mode.ToString().ToLowerInvariant(),
            Inputs = (JsonObject)firing.Inputs.DeepClone(),
            OccurredAt = firing.Began,
            Incident = firing.Words,
            Confirmed = confirmed,
            Trigger = caller.Via,
            Attended = true,
        }, null);
        if (site.Accounts.Accept(firing, run, $"by {caller.Account}"))
            site.Accounts.Audit(caller.Account, null, $"trigger {firing.Trigger}", "accepted", $"{firing.Words}; run {run}");
        return run;
    }

    public static void Dismiss(Site site, Caller caller, string id, string? reason)
    {
        var (firing, _) = Known(site, caller, id);
        Demand(firing);
        var said = Deeds.Said(reason, "A reason");
        if (!site.Accounts.Settle(firing, "suggested", "dismissed", null, $"by {caller.Account}: {said}"))
            Demand(site.Accounts.Firing(id)!);
        site.Accounts.Audit(caller.Account, null, $"trigger {firing.Trigger}", "dismissed", $"{firing.Words}; {said}");
    }

    static (Firing, Trigger) Known(Site site, Caller caller, string id)
    {
        site.Triggers.Expire();
        if (site.Accounts.Firing(id) is not { } firing || !caller.May(Role.Viewer, firing.Environment) || site.Triggers.Find(firing.Trigger) is not { } trigger)
            throw new NotThereException("There is no such suggestion.");
        return caller.May(Role.Operator, firing.Environment) ? (firing, trigger) : throw new RefusedException($"This needs the role operator on {firing.Environment}.");
    }

    static void Demand(Firing firing)
    {
        if (firing.Result != "suggested")
            throw new RunbookException($"This suggestion is not open any more: {firing.Result}{(firing.Detail.Length > 0 ? $" ({firing.Detail})" : "")}.");
    }
}
