using System.Data.Common;
using System.Text.Json.Nodes;

namespace Helix.Server.Accounts;

sealed partial class AccountStore
{
    /// <summary>Takes a call for a trigger, once. What did not come to anything may be taken again when it is called again.</summary>
    /// <param name="quietSince">What starts a run is not taken when the trigger started another one after this moment.</param>
    /// <returns>False: it is there already, or another run was started meanwhile.</returns>
    // Two statements: PostgreSQL settles an upsert by one of the two keys, and fails where another server is just adding the other (INSERT, "ON CONFLICT Clause").
    public bool Claim(Firing f, DateTimeOffset quietSince) => Together(() =>
    {
        Mark(Turn + f.Trigger, f.At); // the row stays locked to the end: of several servers, whoever comes second sees what the first took
        if (f.Result == "starting" && StartedAfter(quietSince, f.Trigger) is not null)
            return false;
        return Run("""
            INSERT INTO firings (trigger, mark, id, fingerprint, at, result, run, detail, environment, inputs, effect, words, began, expires)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING
            """, f.Trigger, f.Mark, f.Id, f.Fingerprint, Text(f.At), f.Result, f.Run, f.Detail, f.Environment, f.Inputs.ToJsonString(), f.Effect, f.Words, Text(f.Began), Text(f.Expires)) == 1
            || Run("""
            UPDATE firings SET at = ?3, result = ?4, run = ?5, detail = ?6, inputs = ?7, effect = ?8, words = ?9, expires = ?10
            WHERE trigger = ?1 AND mark = ?2 AND result IN ('failed', 'too-soon', 'expired')
            """, f.Trigger, f.Mark, Text(f.At), f.Result, f.Run, f.Detail, f.Inputs.ToJsonString(), f.Effect, f.Words, Text(f.Expires)) == 1;
    });

    /// <summary>The newest that started a run of a trigger, or is just starting one, after a moment.</summary>
    public Firing? StartedAfter(DateTimeOffset moment, string trigger) =>
        Rows($"{Firings} WHERE trigger = ?1 AND result IN ('started', 'starting') AND at > ?2 ORDER BY at DESC LIMIT 1", ReadFiring, trigger, Text(moment)) is [var found] ? found : null;

    /// <summary>Under this name it is marked who takes calls for a trigger.</summary>
    const string Turn = "trigger-turn/";

    /// <summary>False: it is not so any more, since somebody was faster.</summary>
    public bool Settle(Firing firing, string from, string result, string? run, string detail) => Run(
        "UPDATE firings SET result = ?4, run = ?5, detail = ?6 WHERE trigger = ?1 AND mark = ?2 AND result = ?3", firing.Trigger, firing.Mark, from, result, run, detail) == 1;

    /// <summary>Somebody started the run that was suggested. It counts, whatever others made of the suggestion at the same moment.</summary>
    /// <returns>False: that is known already.</returns>
    public bool Accept(Firing firing, string run, string detail) => Run(
        "UPDATE firings SET result = 'accepted', run = ?3, detail = ?4 WHERE trigger = ?1 AND mark = ?2 AND result <> 'accepted'", firing.Trigger, firing.Mark, run, detail) == 1;

    public IReadOnlyList<Firing> FiringsOf(string trigger, int limit) => Rows($"{Firings} WHERE trigger = ?1 ORDER BY at DESC LIMIT ?2", ReadFiring, trigger, limit);

    public Firing? FiringOf(string trigger, string mark) => Rows($"{Firings} WHERE trigger = ?1 AND mark = ?2", ReadFiring, trigger, mark) is [var found] ? found : null;

    public Firing? Firing(string id) => Rows($"{Firings} WHERE id = ?1", ReadFiring, id) is [var found] ? found : null;

    public IReadOnlyList<Firing> Suggested() => Rows($"{Firings} WHERE result = 'suggested' ORDER BY at", ReadFiring);

    static string? Text(DateTimeOffset? at) => at?.ToUniversalTime().ToString("O");

    const string Firings = "SELECT trigger, mark, id, fingerprint, at, result, run, detail, environment, inputs, effect, words, began, expires FROM firings";

    static Firing ReadFiring(DbDataReader r) => new()
    {
        Trigger = r.GetString(0),
        Mark = r.GetString(1),
        Id = r.GetString(2),
        Fingerprint = r.GetString(3),
        At = Moment(r.GetString(4)),
        Result = r.GetString(5),
        Run = r.IsDBNull(6) ? null : r.GetString(6),
        Detail = r.GetString(7),
        Environment = r.GetString(8),
        Inputs = (JsonObject)JsonNode.Parse(r.GetString(9))!,
        Effect = r.GetString(10),
        Words = r.GetString(11),
        Began = r.IsDBNull(12) ? null : Moment(r.GetString(12)),
        Expires = r.IsDBNull(13) ? null : Moment(r.GetString(13)),
    };

    const string FiringTables = """
        CREATE TABLE IF NOT EXISTS firings (trigger TEXT NOT NULL, mark TEXT NOT NULL, id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, at TEXT NOT NULL, result TEXT NOT NULL, run TEXT, detail TEXT NOT NULL,
            environment TEXT NOT NULL, inputs TEXT NOT NULL, effect TEXT NOT NULL, words TEXT NOT NULL, began TEXT, expires TEXT, PRIMARY KEY (trigger, mark));
        """;
}

/// <summary>A trigger was called, and what became of it.</summary>
public sealed record Firing
{
    public required string Trigger { get; init; }

    /// <summary>The same for the same call, however often it is delivered.</summary>
    public required string Mark { get; init; }

    /// <summary>In addresses.</summary>
    public required string Id { get; init; }
    public required string Fingerprint { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>starting, started, suggested, accepted, dismissed, expired, resolved, too-soon or failed.</summary>
    public required string Result { get; init; }
    public string? Run { get; init; }
    public required string Detail { get; init; }
    public required string Environment { get; init; }
    public required JsonObject Inputs { get; init; }

    /// <summary>The strongest effect of the plan.</summary>
    public required string Effect { get; init; }

    /// <summary>What happened outside, for people.</summary>
    public required string Words { get; init; }

    /// <summary>When it began outside.</summary>
    public DateTimeOffset? Began { get; init; }
    public DateTimeOffset? Expires { get; init; }
}
