using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>Where the time went, and what was measured against the objectives. All absolute times are the journal's.</summary>
public sealed record Clocks
{
    /// <summary>Start of the RTO clock: the declaration, or the failure that the run itself brings about; null while that is still ahead.</summary>
    public required DateTimeOffset? BeganAt { get; init; }
    public DateTimeOffset? RecoveredAt { get; init; }

    /// <summary>From its start until recovered, or until the end; while running, until now.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The run has ended.</summary>
    public bool Over { get; init; }
    public TimeSpan? Rta { get; init; }
    public TimeSpan? Rto { get; init; }
    public TimeSpan? RtoLeft => Rto - Elapsed;
    public TimeSpan? Rpa { get; init; }
    public TimeSpan? Rpo { get; init; }

    /// <summary>Target → RPA with the recovery point it was computed from.</summary>
    public IReadOnlyDictionary<string, (TimeSpan Rpa, DateTimeOffset RecoveryPoint)> RpaByTarget { get; init; } = new Dictionary<string, (TimeSpan, DateTimeOffset)>();

    // The split of RTA.
    public TimeSpan Detection { get; init; }
    public TimeSpan Decision { get; init; }
    public TimeSpan WaitingForPeople { get; init; }
    public TimeSpan Machine { get; init; }
    public TimeSpan Verification { get; init; }

    /// <summary>When it will be recovered, by experience; null without any.</summary>
    public DateTimeOffset? Eta { get; init; }

    /// <summary>Steps that nobody knows the time of, and people, are still to come: it will be later than <see cref="Eta"/>.</summary>
    public bool EtaIsLeast { get; init; }
    public bool AtRisk => RecoveredAt is null && Eta is { } eta && Due is { } due && eta > due;

    /// <summary>When it must be recovered.</summary>
    public DateTimeOffset? Due => BeganAt + Rto;

    /// <summary>Null: nothing was asked for, or nothing measured; "not measured" is never a miss.</summary>
    public bool? ObjectivesMet =>
        (Rto is null || Rta is null) && (Rpo is null || Rpa is null) ? null : !(Rta > Rto) && !(Rpa > Rpo);

    /// <param name="typical">Typical duration of a planned step by path (median of earlier runs), null if unknown.</param>
    /// <param name="ending">The outcome that is about to be recorded, now; null: what the state says.</param>
    public static Clocks Of(RunState state, Plan plan, DateTimeOffset now, Func<string, TimeSpan?> typical, Outcome? ending = null)
    {
        var declared = state.Started.DeclaredAt;
        var recovered = Recovered(state, plan, ending ?? state.Ended?.Outcome, state.EndedAt ?? now);
        var until = recovered ?? state.EndedAt ?? now;
        var began = plan.Runbook.Objectives.FailedAt is { } failure ? Begun(state, failure) : declared;
        var rpa = LoadedPoints(state, began ?? until);
        var forecast = Forecast(state, plan, now, typical);
        return new Clocks
        {
            BeganAt = began,
            RecoveredAt = recovered,
            Elapsed = until - (began ?? until),
            Over = state.Ended is not null,
            Rta = recovered - began,
            Rto = plan.Runbook.Objectives.Rto,
            Rpo = plan.Runbook.Objectives.Rpo,
            RpaByTarget = rpa,
            Rpa = rpa.Count == 0 ? null : rpa.Values.Max(r => r.Rpa),
            Detection = state.Started.OccurredAt is { } occurred ? declared - occurred : TimeSpan.Zero,
            Decision = state.StartedAt > began ? state.StartedAt - began.Value : TimeSpan.Zero,
            WaitingForPeople = Covered(state.Spans.Where(s => s.Kind == SpanKind.WaitingForPeople), began ?? until, until),
            Machine = Covered(state.Spans.Where(s => s.Kind == SpanKind.Machine), began ?? until, until),
            Verification = Covered(state.Spans.Where(s => s.Kind == SpanKind.Machine && IsVerification(state, plan, s.Path)), began ?? until, until),
            Eta = recovered ?? forecast.Eta,
            EtaIsLeast = recovered is null && forecast.IsLeast,
        };
    }

    /// <summary>When the step was first begun, in whichever round.</summary>
    static DateTimeOffset? Begun(RunState state, string step) =>
        state.Earlier.Concat(state.Steps.Values).Where(s => s.Path == step).SelectMany(s => s.Attempts).Select(a => (DateTimeOffset?)a.Start).Min();

    /// <summary>The end of the step that ends the clock: <c>recoveredAt</c>, else the last one of a run that succeeded; what <c>finally</c> does comes after it.</summary>
    static DateTimeOffset? Recovered(RunState state, Plan plan, Outcome? outcome, DateTimeOffset end)
    {
        if (plan.Unreadable is not null)
            return state.Ended?.Rta is { } recorded ? state.Started.DeclaredAt + recorded : null;
        if (plan.Runbook.Objectives.RecoveredAt is { } id)
            return state.Step(id) is { Status: StepStatus.Succeeded } step ? step.EndedAt : null;
        if (outcome != Outcome.Succeeded)
            return null;
        var last = state.Steps.Values
            .Where(s => s.Status == StepStatus.Succeeded && plan.Find(s.Path) is { Part: Part.Steps })
            .MaxBy(s => s.EndedAt);
        return last?.EndedAt ?? end;
    }

    /// <summary>For each target that data was loaded into: the time that the data stands for, against the time of the incident.</summary>
    static Dictionary<string, (TimeSpan Rpa, DateTimeOffset RecoveryPoint)> LoadedPoints(RunState state, DateTimeOffset began)
    {
        var occurred = state.Started.OccurredAt ?? began;
        var points = new Dictionary<string, (TimeSpan Rpa, DateTimeOffset RecoveryPoint)>();
        foreach (var load in state.Steps.Values.Where(s => s.Status == StepStatus.Succeeded).OrderBy(s => s.EndedAt))
            foreach (var effect in load.Effects.Where(e => e is { LoadsFrom: not null, Target: not null }))
                if (load.With?[effect.LoadsFrom!]?.ToString() is { } file && PointOf(state, file) is { } point)
                    points[effect.Target!] = (occurred > point ? occurred - point : TimeSpan.Zero, point);
        return points;
    }

    static DateTimeOffset? PointOf(RunState state, string file) =>
        state.Steps.Values
            .Where(s => s.Outputs?["file"]?.ToString() == file && s.Outputs["recoveryPoint"] is not null)
            .OrderByDescending(s => s.EndedAt)
            .Select(s => DateTimeOffset.TryParse(s.Outputs!["recoveryPoint"]!.ToString(), out var at) ? at : (DateTimeOffset?)null)
            .FirstOrDefault(at => at is not null);

    static bool IsVerification(RunState state, Plan plan, string path) =>
        path == plan.Runbook.Objectives.RecoveredAt || state.Step(path)?.Uses.EndsWith(".verify", StringComparison.Ordinal) == true;

    /// <summary>Time that the spans cover together; side by side counts once.</summary>
    static TimeSpan Covered(IEnumerable<Span> spans, DateTimeOffset from, DateTimeOffset until)
    {
        var total = TimeSpan.Zero;
        var reached = from;
        foreach (var span in spans.OrderBy(s => s.Start))
        {
            var start = span.Start > reached ? span.Start : reached;
            var end = span.End is { } e && e < until ? e : until;
            if (end <= start)
                continue;
            total += end - start;
            reached = end;
        }
        return total;
    }

    /// <summary>It takes no more time: also when it failed and nobody is asked whether it shall be tried again.</summary>
    static bool IsOver(RunState state, StepState step) =>
        step.Status is StepStatus.Succeeded or StepStatus.Skipped
        || (step.Status == StepStatus.Failed && (step.Question is null || state.Questions[step.Question].Status != QuestionStatus.Open));

    /// <summary>Steps that will not be: they stand in a block that was skipped.</summary>
    static void Omit(RunState state, IEnumerable<Item> items, string prefix, bool within, HashSet<string> omitted)
    {
        foreach (var item in items)
        {
            var path = prefix + item.Id;
            var skipped = within || state.StatusOf(path) == StepStatus.Skipped;
            if (item is StepItem && skipped)
                omitted.Add(path);
            var (inner, below) = item switch
            {
                GroupItem group => (group.Steps, prefix),
                ParallelItem parallel => (parallel.Branches.SelectMany(b => b), prefix),
                ForEachItem each => (each.Steps, path + "[]/"),
                RunbookItem sub => (sub.Runbook.Steps, path + "/"),
                _ => (Enumerable.Empty<Item>(), prefix),
            };
            Omit(state, inner, below, skipped, omitted);
        }
    }

    /// <summary>Now, plus what the steps until <c>recoveredAt</c> typically still take one after the other. Null when nothing is known.</summary>
    static (DateTimeOffset? Eta, bool IsLeast) Forecast(RunState state, Plan plan, DateTimeOffset now, Func<string, TimeSpan?> typical)
    {
        if (state.Ended is not null)
            return (null, false);
        var (left, known, least) = (TimeSpan.Zero, false, false);
        var omitted = new HashSet<string>();
        Omit(state, plan.Runbook.Steps, "", false, omitted);
        foreach (var step in plan.Steps.Where(s => s.Part == Part.Steps))
        {
            var at = state.Step(step.Path);
            var done = at is not null && IsOver(state, at) || omitted.Contains(step.Path);
            if (!done && typical(step.Path) is { } usual)
            {
                var gone = at is { Status: StepStatus.Running, Attempts.Count: > 0 } ? now - at.Attempts[^1].Start : TimeSpan.Zero;
                left += usual > gone ? usual - gone : TimeSpan.Zero;
                known = true;
            }
            else if (!done)
                least |= step.Item.When is null;
            if (step.Path == plan.Runbook.Objectives.RecoveredAt)
                break;
        }
        return (known ? now + left : null, least);
    }
}
