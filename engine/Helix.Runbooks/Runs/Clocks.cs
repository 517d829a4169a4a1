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
    public static Clocks Of(RunState state, Plan plan, StepCatalog catalog, DateTimeOffset now, Func<string, TimeSpan?> typical, Outcome? ending = null)
    {
        var declared = state.Started.DeclaredAt;
        var objectives = plan.Runbook.Objectives;
        var recovery = Milestone.Of(plan.Runbook, objectives.RecoveredAt);
        var recovered = objectives.RecoveredAt is null || plan.Unreadable is not null
            ? Recovered(state, plan, ending ?? state.Ended?.Outcome, state.EndedAt ?? now)
            : recovery?.Ended(state, catalog);
        var until = recovered ?? state.EndedAt ?? now;
        var began = objectives.FailedAt is { } failure ? Milestone.Of(plan.Runbook, failure)?.Begun(state) : declared;
        var rpa = LoadedPoints(state, began ?? until);
        var forecast = Forecast(state, plan, now, typical);
        return new Clocks
        {
            BeganAt = began,
            RecoveredAt = recovered,
            Elapsed = until - (began ?? until),
            Over = state.Ended is not null,
            Rta = recovered - began,
            Rto = objectives.Rto,
            Rpo = objectives.Rpo,
            RpaByTarget = rpa,
            Rpa = rpa.Count == 0 ? null : rpa.Values.Max(r => r.Rpa),
            Detection = state.Started.OccurredAt is { } occurred ? declared - occurred : TimeSpan.Zero,
            Decision = state.StartedAt > began ? state.StartedAt - began.Value : TimeSpan.Zero,
            WaitingForPeople = Covered(state.Spans.Where(s => s.Kind == SpanKind.WaitingForPeople), began ?? until, until),
            Machine = Covered(state.Spans.Where(s => s.Kind == SpanKind.Machine), began ?? until, until),
            Verification = Covered(state.Spans.Where(s => s.Kind == SpanKind.Machine && IsVerification(state, recovery, s.Path)), began ?? until, until),
            Eta = recovered ?? forecast.Eta,
            EtaIsLeast = recovered is null && forecast.IsLeast,
        };
    }

    /// <summary>Where no <c>recoveredAt</c> says so: the end of the last step of a run that succeeded; what <c>finally</c> does comes after it.</summary>
    static DateTimeOffset? Recovered(RunState state, Plan plan, Outcome? outcome, DateTimeOffset end)
    {
        if (plan.Unreadable is not null)
            return state.Ended?.Rta is { } recorded ? state.Started.DeclaredAt + recorded : null;
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

    static bool IsVerification(RunState state, Milestone? recovery, string path) =>
        recovery?.IsStep(path) == true || state.Step(path)?.Uses.EndsWith(".verify", StringComparison.Ordinal) == true;

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

    /// <summary>Now, plus what usually still lies before the recovery. Null when nothing is known.</summary>
    static (DateTimeOffset? Eta, bool IsLeast) Forecast(RunState state, Plan plan, DateTimeOffset now, Func<string, TimeSpan?> typical)
    {
        if (state.Ended is not null)
            return (null, false);
        var left = new TimeLeft(state, plan, now, typical);
        return (left.IsKnown ? now + left.Total : null, left.IsLeast);
    }
}
