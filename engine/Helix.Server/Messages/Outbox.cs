using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Steps.Messages;
using RunbookEnvironment = Helix.Runbooks.Model.Environment;

namespace Helix.Server.Messages;

/// <summary>Messages to the outside: for which channels they are, kept until they are delivered.</summary>
sealed class Outbox(Site site)
{
    TaskCompletionSource _posted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when something was posted since the last time that it ended.</summary>
    public async Task Posted(CancellationToken cancelled)
    {
        await _posted.Task.WaitAsync(cancelled);
        _posted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Wake() => _posted.TrySetResult();

    /// <param name="people">For whom it waits, as approvers are written; empty: for anybody, or for nobody.</param>
    public void Post(RunbookEnvironment environment, Occasion occasion, Message message, IReadOnlyList<string> people)
    {
        foreach (var channel in Channels(environment, occasion, message.Test, people))
            Post(environment.Name, channel.To, message);
    }

    public void Post(string environment, string channel, Message message)
    {
        var text = StepJson.ToJson(message).ToJsonString(StepJson.Options);
        if (site.Accounts.Post(new Letter(message.Id, environment, channel, message.Run, message.Occasion ?? "", text)))
            Wake();
    }

    /// <summary>What the file of the environment says now; the one that a run has pinned where there is none.</summary>
    public RunbookEnvironment? Environment(string name, Func<RunbookEnvironment?> pinned)
    {
        var here = site.Library.Environments.Contains(name) ? site.Library.Environment(name) : null;
        return here is { HasErrors: false, Value: { } sound } ? sound : pinned();
    }

    static IEnumerable<Channel> Channels(RunbookEnvironment environment, Occasion occasion, bool test, IReadOnlyList<string> people)
    {
        var forTests = environment.Channels.Any(c => c.Test);
        return environment.Channels.Where(c => c.Test == (test && forTests))
            .Where(c => occasion == Occasion.BreakGlass || c.About.Contains(occasion))
            .Where(c => c.For.Count == 0 || occasion != Occasion.Waiting || people.Count == 0 || c.For.Intersect(people).Any())
            .DistinctBy(c => c.To);
    }
}
