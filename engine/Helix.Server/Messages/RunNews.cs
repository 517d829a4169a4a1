using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Runs;
using Helix.Runbooks.Steps;
using Helix.Server.Pages;
using Helix.Steps.Messages;
using RunbookEnvironment = Helix.Runbooks.Model.Environment;
using Severity = Helix.Steps.Messages.Severity;

namespace Helix.Server.Messages;

/// <summary>What people outside are told of a run: it waits for them, is at risk, has failed or recovered, or somebody broke the glass.</summary>
sealed class RunNews(Site site)
{
    const string AtRiskAt = "at-risk/";
    static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    /// <summary>When a run that waits will be too late, by experience; who drives one says it in its record.</summary>
    readonly Dictionary<string, DateTimeOffset> _risks = site.Accounts.MarkedBelow(AtRiskAt).ToDictionary(m => m.Name, m => m.At);

    public void Tell(RunState state, IReadOnlyList<JournalEntry> fresh)
    {
        if (state.Started.Comms != "off" && site.Outbox.Environment(state.Started.Environment, () => Pinned(state)) is { Channels.Count: > 0 } environment)
            foreach (var entry in fresh)
                if (NewsOf(state, entry) is { } news)
                    Post(environment, state, entry.At, entry.Hash, news);
        Watch(state);
    }

    static News? NewsOf(RunState state, JournalEntry entry) => entry.Event switch
    {
        QuestionAsked e when state.Questions[e.Question].Status == QuestionStatus.Open => Waits(state, state.Questions[e.Question], escalated: false),
        QuestionExpired { Consequence: "escalate" } e when state.Questions[e.Question].Status == QuestionStatus.Open => Waits(state, state.Questions[e.Question], escalated: true),
        QuestionExpired { Consequence: "park" } e when state.Ended is null => Parked(state.Questions[e.Question]),
        SecretAsked e when state.SecretsAsked.ContainsKey(e.Ask) => new News(Occasion.Waiting, $"secret/{e.Ask}", Severity.Warning, $"Waiting for {Whom(e.From)} to give a secret",
            $"{e.Message}\nStep {e.Path} waits for it until {Words.Moment(e.Until)}.")
        { People = e.From },
        ForecastMissed e when state.Ended is null => AtRisk($"ready at {Words.Moment(e.Eta)}", e.Due),
        Decided { BreakGlass: true } e => new News(Occasion.BreakGlass, $"glass/{entry.Sequence}", Severity.Critical, $"Break-glass by {entry.By!.Account}",
            $"{entry.By} decided alone what others are asked for: {e.Choice} of {e.Question}. Reason: {e.Reason}\nIt stays open until one of those who are asked ratifies it."),
        RunEnded e when state.Ended == e => new News(e.Outcome == Outcome.Succeeded ? Occasion.Recovered : Occasion.Failed, $"ended/{entry.Sequence}",
            e.Outcome == Outcome.Succeeded ? Severity.Resolved : Severity.Critical, "", "")
        { Ended = true },
        _ => null,
    };

    static News Waits(RunState state, Question question, bool escalated)
    {
        var asked = question.Asked;
        var whom = Whom([.. asked.Approvers, .. question.Escalated]);
        var text = $"{asked.Message.Trim()}\nAsked at {Words.Moment(question.At)}"
            + (!escalated && asked.ExpiresAt is { } until ? $", open until {Words.Moment(until)}, then: {asked.OnExpiry}{(asked.EscalateTo is { } to ? " to " + to : "")}." : ".")
            + (escalated ? " Nobody answered in time." : "")
            + string.Concat(state.Residue.Values.Where(r => r.Kind == ResidueKind.Stopped).Select(r => $"\nMeanwhile {r.What}."));
        return new News(Occasion.Waiting, $"question/{asked.Question}{(escalated ? "/escalated" : "")}", escalated ? Severity.Critical : Severity.Warning, $"Waiting for {whom}", text)
        {
            People = escalated ? question.Escalated : asked.Approvers,
        };
    }

    static News Parked(Question question) => new(Occasion.Waiting, $"question/{question.Id}/parked", Severity.Critical, "Nobody answered, the run is parked",
        $"{question.Asked.Message.Trim()}\nThe time to answer ended at {Words.Moment(question.Asked.ExpiresAt!.Value)}. Who resumes the run is asked anew.")
    { People = question.Asked.Approvers };

    static News AtRisk(string forecast, DateTimeOffset due) => new(Occasion.AtRisk, "at-risk", Severity.Critical, "At risk",
        $"By experience the objective will be missed: {forecast}, due at {Words.Moment(due)}.");

    void Post(RunbookEnvironment environment, RunState state, DateTimeOffset at, string head, News news)
    {
        var started = state.Started;
        if (news.Ended && End(state, ref news) is false)
            return;
        var (drill, kind) = (started.Mode == "drill" ? "DRILL: " : "", news.Occasion);
        site.Outbox.Post(environment, kind, new Message
        {
            Id = $"{state.Run}/{news.Id}",
            Title = $"{drill}{news.Title}: {started.Title} on {started.Environment}",
            Text = news.Text,
            Severity = news.Severity.ToString().ToLowerInvariant(),
            Run = state.Run,
            Runbook = started.Runbook,
            Environment = started.Environment,
            Mode = started.Mode,
            Operator = started.Operator.Account,
            At = at,
            Test = started.Comms == "test",
            Occasion = OccasionNames.Of(kind),
            Link = new Uri(site.Address, $"/runs/{state.Run}"),
            Head = head,
        }, news.People);
    }

    /// <summary>False: nobody wants to know. A run without objectives that succeeds is no news, unless it was in the news before.</summary>
    bool End(RunState state, ref News news)
    {
        var report = site.Live.Of(state.Run).Look().Report;
        var succeeded = news.Occasion == Occasion.Recovered;
        if (succeeded && report.Objectives.Rto is null && !site.Accounts.HasToldOf(state.Run))
            return false;
        var title = !succeeded ? Words.Sentence(report.Status) : report.Objectives.Rto is null ? "Succeeded" : "Recovered";
        news = news with { Title = title, Text = string.Join("\n", [report.Verdict, .. report.Down]) };
        return true;
    }

    /// <summary>Remembers until when a run that waits for people is in time.</summary>
    void Watch(RunState state)
    {
        var at = state is { Ended: null, Forecast: null, Status: RunStatus.Waiting } && state.Started.Comms != "off" ? RiskOf(state) : null;
        if (at is { } due)
        {
            _risks[state.Run] = due;
            site.Accounts.Mark(AtRiskAt + state.Run, due);
        }
        else if (_risks.Remove(state.Run))
            site.Accounts.Unmark(AtRiskAt + state.Run);
    }

    DateTimeOffset? RiskOf(RunState state)
    {
        var clocks = site.Live.Of(state.Run).Measure();
        if (clocks.Due is not { } due || clocks.RecoveredAt is not null)
            return null;
        var left = clocks.Eta is { } eta && eta > site.Time.GetUtcNow() ? eta - site.Time.GetUtcNow() : TimeSpan.Zero;
        return due - left;
    }

    /// <summary>Tells of runs that wait and are late now.</summary>
    public void Tick()
    {
        var now = site.Time.GetUtcNow();
        foreach (var (run, _) in _risks.Where(r => r.Value <= now).ToList())
        {
            try
            {
                TellLate(run, now);
                _risks.Remove(run);
                site.Accounts.Unmark(AtRiskAt + run);
            }
            catch (Exception e) when (e is not StoreLostException)
            {
                // The others must be told all the same.
                site.Say($"Nobody is told that run {run} is late: {e}");
                _risks[run] = now + Again;
            }
        }
    }

    void TellLate(string run, DateTimeOffset now)
    {
        var state = RunState.Of(run, site.Store.Read(run));
        var clocks = site.Live.Of(run).Measure();
        if (state.Ended is null && clocks.Due is { } due && site.Outbox.Environment(state.Started.Environment, () => Pinned(state)) is { } environment)
            Post(environment, state, now, state.Head, AtRisk($"it waits for people, {Words.Clock(clocks.Elapsed)} have passed", due));
    }

    RunbookEnvironment? Pinned(RunState state) => site.NewEngine().PlanOf(state).Environment;

    static string Whom(IReadOnlyList<string> people) => people.Count == 0 ? "anybody" : string.Join(", ", people);

    /// <param name="Id">Unique in the run, and the same whoever tells it.</param>
    sealed record News(Occasion Occasion, string Id, Severity Severity, string Title, string Text)
    {
        public IReadOnlyList<string> People { get; init; } = [];

        /// <summary>Its words are those of the report.</summary>
        public bool Ended { get; init; }
    }
}

static class OccasionNames
{
    public static string Of(Occasion occasion) => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(occasion.ToString());
}
