using System.Text.Json;

namespace Helix.Runbooks.Journal;

/// <summary>A run's row of the register while events are added to it: as much of the fold as an overview of ten thousand runs needs.</summary>
sealed class RegisterRow
{
    // What the run is at: questions by id ("?…"), waits ("~…") and running steps (">…") by path, each in words;
    // and answers by break-glass ("!…"), which stay open beyond its end until they are ratified.
    readonly Dictionary<string, string> _open = [];
    bool _driven = true;
    string? _outcome;

    public required long Number { get; init; }
    public required string Run { get; init; }
    public required string Runbook { get; init; }
    public required string Environment { get; init; }
    public required string Mode { get; init; }
    public required string Operator { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset LastAt { get; private set; }
    public DateTimeOffset? EndedAt { get; private set; }
    public RunEnded? Ended { get; private set; }
    public required string Head { get; set; }
    public long Events { get; private set; }

    public string Status => _outcome ?? (
        _driven && _open.Keys.Any(k => k[0] == '>') ? "running"
        : _open.Keys.Any(k => k[0] is '?' or '~') ? "waiting"
        : _driven ? "running" : "suspended");

    public string? WaitsFor
    {
        get
        {
            var words = string.Join("; ", _open.Where(o => o.Key[0] != '>').Select(o => o.Value));
            return words.Length > 0 ? words : null;
        }
    }

    /// <summary>How many questions a stored state holds, without reading all of it: lists of ten thousand runs ask.</summary>
    public static int QuestionsIn(string open) => open.AsSpan().Count("\"?");

    public string Open => JsonSerializer.Serialize(new State(_driven, _open));

    public static RegisterRow Begin(long number, string run, RunStarted started, DateTimeOffset at) => new()
    {
        Number = number,
        Run = run,
        Runbook = started.Runbook,
        Environment = started.Environment,
        Mode = started.Mode,
        Operator = started.Operator.Account,
        StartedAt = at,
        LastAt = at,
        Head = Chain.Root(run),
    };

    /// <summary>Takes in what the stored row says about the past.</summary>
    public RegisterRow With(long events, DateTimeOffset last, DateTimeOffset? ended, string status, string open, RunEnded? end)
    {
        (Events, LastAt, EndedAt, Ended) = (events, last, ended, end);
        _outcome = ended is null ? null : status;
        if (open.Length > 0)
        {
            var state = JsonSerializer.Deserialize<State>(open)!;
            _driven = state.Driven;
            foreach (var (key, words) in state.Open)
                _open[key] = words;
        }
        return this;
    }

    public void Apply(JournalEntry entry)
    {
        (Events, LastAt, Head) = (entry.Sequence, entry.At, entry.Hash);
        switch (entry.Event)
        {
            case LeaseTaken: _driven = true; Forget(k => k[0] == '>'); break;
            case RunSuspended: _driven = false; Forget(k => k[0] == '>'); break;
            case StepStarted e: _open[">" + e.Path] = e.Uses; break;
            case StepSucceeded e: Finish(e.Path); break;
            case StepFailed e: Finish(e.Path); break;
            case StepSkipped e: Finish(e.Path); break;
            case StepInterrupted e: Finish(e.Path); break;
            case WaitStarted e: _open["~" + e.Path] = $"{e.Path} until {e.Until.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"; break;
            case QuestionAsked e: _open["?" + e.Question] = Words(e); break;
            case QuestionExpired { Consequence: not "escalate" } e: _open.Remove("?" + e.Question); break;
            case QuestionClosed e: _open.Remove("?" + e.Question); break;
            case Decided { BreakGlass: true } e: _open["!" + e.Question] = $"ratification of break-glass {e.Question}"; break;
            case BreakGlassRatified e: _open.Remove("!" + e.Question); break;
            case RoundStarted: Reopen(); break;
            case RunReopened: Reopen(); _driven = false; break;
            case RunEnded e: End(e, entry.At); break;
        }
    }

    void Finish(string path)
    {
        _open.Remove(">" + path);
        _open.Remove("~" + path);
    }

    void Reopen()
    {
        Forget(k => k[0] != '!');
        (_outcome, EndedAt, Ended) = (null, null, null);
    }

    void End(RunEnded e, DateTimeOffset at)
    {
        Forget(k => k[0] != '!');
        (_outcome, EndedAt, Ended) = (e.Outcome.ToString().ToLowerInvariant(), at, e);
    }

    void Forget(Func<string, bool> which)
    {
        foreach (var key in _open.Keys.Where(which).ToList())
            _open.Remove(key);
    }

    static string Words(QuestionAsked e) => e.Kind switch
    {
        QuestionKind.Approval => $"approval {e.Path}" + (e.Approvers.Count > 0 ? $" by {string.Join(", ", e.Approvers)}" : ""),
        QuestionKind.Manual => $"manual step {e.Path}",
        QuestionKind.FailedStep => $"decision on failed step {e.Path}",
        _ => $"decision on step in doubt {e.Path}",
    };

    sealed record State(bool Driven, Dictionary<string, string> Open);
}
