using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Triggers;
using Helix.Server.Accounts;
using Helix.Server.Messages;
using Helix.Steps.Messages;

namespace Helix.Server.Triggers;

/// <summary>People outside hear of a run that is suggested to them.</summary>
sealed class TriggerNews(Site site)
{
    public void Suggested(Trigger trigger, Firing firing) => site.Outbox.Post(site.Outbox.Environment(firing.Environment, () => trigger.Environment)!, Occasion.Waiting, new Message
    {
        Id = $"suggestion/{firing.Id}/{firing.At.UtcTicks}",
        Title = $"Suggested on {firing.Environment}: {trigger.Runbook.Title}",
        Text = $"{firing.Words}. The trigger {trigger.Name} suggests to start {trigger.Runbook.Title}; somebody must start or dismiss it{(firing.Expires is { } until ? $" until {Runbooks.Reports.Words.Moment(until)}" : "")}.",
        Severity = "warning",
        Environment = firing.Environment,
        At = firing.At,
        Test = false,
        Occasion = OccasionNames.Of(Occasion.Waiting),
        Link = new Uri(site.Address, "/decisions"),
    }, []);
}
