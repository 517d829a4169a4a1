using System.Globalization;
using Helix.Runbooks.Model;
using Helix.Runbooks.Model.Schedules;
using Helix.Runbooks.Reports;
using Helix.Server.Schedules;
using Helix.Steps.Messages;
using RunbookEnvironment = Helix.Runbooks.Model.Environment;
using Severity = Helix.Steps.Messages.Severity;

namespace Helix.Server.Messages;

/// <summary>What people outside are told of schedules: something did not start, or its result is too old. Said once each, also over restarts.</summary>
sealed class ScheduleNews(Site site)
{
    public void Missed(Schedule schedule, DateTimeOffset planned, string why) => Post(schedule.Environment, Occasion.Missed, $"missed/{schedule.Name}/{Text(planned)}", Severity.Warning,
        $"Did not start: {schedule.Name}", $"{schedule.Runbook.Title} was planned for {Words.Moment(planned)} and did not start: {why.TrimEnd('.')}.");

    public void Overdue(Schedule schedule, Stale stale) => Post(schedule.Environment, Occasion.Overdue, $"overdue/{schedule.Name}/{Text(stale.Since)}", Severity.Critical,
        $"Overdue: {schedule.Name}", $"{stale.Why}; it should be fresh for {Words.Objective(schedule.FreshFor)}.");

    /// <summary>All that have a channel hear that nothing starts by itself any more.</summary>
    public void Unusable(DateTime written, int problems)
    {
        foreach (var environment in site.Library.Environments.Select(e => site.Library.Environment(e)).Where(e => e is { HasErrors: false, Value: not null }).Select(e => e.Value!))
            Post(environment, Occasion.Missed, $"unusable/{Text(written)}", Severity.Critical, "Nothing starts by itself", $"The file of schedules has {Words.Count(problems, "problem")}, and until it is mended nothing starts by itself.");
    }

    void Post(RunbookEnvironment environment, Occasion occasion, string id, Severity severity, string title, string text) => site.Outbox.Post(site.Outbox.Environment(environment.Name, () => environment)!, occasion, new Message
    {
        Id = $"schedules/{id}",
        Title = $"{title} on {environment.Name}",
        Text = text,
        Severity = severity.ToString().ToLowerInvariant(),
        Environment = environment.Name,
        At = site.Time.GetUtcNow(),
        Test = false,
        Occasion = OccasionNames.Of(occasion),
        Link = new Uri(site.Address, "/schedules"),
    }, []);

    static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
}
