using Helix.Runbooks.Journal;
using Helix.Runbooks.Model;
using Helix.Runbooks.Plans;

namespace Helix.Runbooks.Runs;

/// <summary>Where the time went, and what was measured against the objectives. All absolute times are the journal's.</summary>
public sealed record Clocks
{
    public required DateTimeOffset DeclaredAt { get; init; }
    public DateTimeOffset? RecoveredAt { get; init; }

    /// <summary>From declared until recovered; while running, until now.</summary>
    public required TimeSpan Elapsed { get; init; }
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
    public bool AtRisk => Eta is { } eta && Rto is { } rto && eta > DeclaredAt + rto;

    /// <param name="typical">Typical duration of a planned step by path (median of earlier runs), null if unknown.</param>
    public static Clocks Of(RunState state, Plan plan, DateTimeOffset now, Func<string, TimeSpan?> typical) =>
        throw new NotImplementedException($"{state}{plan}{now}{typical}{typeof(Objectives)}");
}
