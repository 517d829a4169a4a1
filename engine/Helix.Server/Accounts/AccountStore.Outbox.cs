namespace Helix.Server.Accounts;

sealed partial class AccountStore
{
    /// <summary>Takes a message for a channel, once: a second one of the same id changes nothing.</summary>
    public bool Post(Letter letter) => Run("""
        INSERT INTO outbox (id, environment, channel, run, occasion, message, state, tries, created, due, fault)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', 0, ?7, ?7, '') ON CONFLICT DO NOTHING
        """, letter.Id, letter.Environment, letter.Channel, letter.Run, letter.Occasion, letter.Message, Now) == 1;

    /// <summary>Waiting messages that may be sent now, in the order in which they came; of no channel more than <paramref name="each"/>, so that one that is down keeps no other waiting.</summary>
    public IReadOnlyList<Letter> DueLetters(int each) => Rows($"""
        SELECT {LetterFields} FROM
            (SELECT {LetterFields}, row_number() OVER (PARTITION BY environment, channel ORDER BY created, id) AS place FROM outbox WHERE state = 'waiting' AND due <= ?1) AS ready
        WHERE place <= ?2 ORDER BY created, id
        """, ReadLetter, Now, each);

    public DateTimeOffset? NextDue() => Rows("SELECT due FROM outbox WHERE state = 'waiting' ORDER BY due LIMIT 1", r => Moment(r.GetString(0))) is [var first] ? first : null;

    /// <summary>False when another server has taken it to send it. Whoever takes it and dies leaves it for later.</summary>
    public bool Claim(Letter letter, TimeSpan holds) => Run(
        "UPDATE outbox SET due = ?5 WHERE id = ?1 AND environment = ?2 AND channel = ?3 AND state = 'waiting' AND due = ?4",
        letter.Id, letter.Environment, letter.Channel, letter.DueText, Later(holds)) == 1;

    public void Sent(Letter letter) => Settle(letter, "sent", letter.Tries + 1, Now, "");
    public void Postpone(Letter letter, TimeSpan wait, string fault) => Settle(letter, "waiting", letter.Tries + 1, Later(wait), fault);
    public void GiveUp(Letter letter, string fault) => Settle(letter, "given-up", letter.Tries + 1, Now, fault);

    /// <summary>A message that was given up is tried again.</summary>
    public void TryAgain(string id, string environment, string channel) => Run(
        "UPDATE outbox SET state = 'waiting', tries = 0, created = ?4, due = ?4 WHERE id = ?1 AND environment = ?2 AND channel = ?3 AND state = 'given-up'", id, environment, channel, Now);

    public bool HasToldOf(string run) => Rows("SELECT 1 FROM outbox WHERE run = ?1 LIMIT 1", r => r.GetInt64(0), run).Count > 0;

    /// <summary>The newest.</summary>
    /// <param name="environments">Of these only; null: of all.</param>
    public IReadOnlyList<Letter> LettersOf(int limit, IReadOnlyList<string>? environments = null) => environments switch
    {
        null => Rows($"{Letters} ORDER BY created DESC, id LIMIT ?1", ReadLetter, limit),
        [] => [],
        _ => Rows($"{Letters} WHERE environment IN ({string.Join(", ", environments.Select((_, i) => $"?{i + 2}"))}) ORDER BY created DESC, id LIMIT ?1", ReadLetter, [limit, .. environments]),
    };

    public IReadOnlyList<(string Environment, string Channel, string State, long Count, DateTimeOffset Oldest)> LetterCounts() => Rows(
        "SELECT environment, channel, state, count(*), min(created) FROM outbox GROUP BY environment, channel, state ORDER BY environment, channel, state",
        r => (r.GetString(0), r.GetString(1), r.GetString(2), r.GetInt64(3), Moment(r.GetString(4))));

    public void ForgetLetters(TimeSpan after) => Run("DELETE FROM outbox WHERE state <> 'waiting' AND created < ?1", Ago(after));

    /// <summary>A moment to remember under a name.</summary>
    public void Mark(string name, DateTimeOffset at) => Run(
        "INSERT INTO marks (name, at) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET at = excluded.at", name, at.ToUniversalTime().ToString("O"));

    public DateTimeOffset? Marked(string name) => Rows("SELECT at FROM marks WHERE name = ?1", r => Moment(r.GetString(0)), name) is [var at] ? at : null;

    public IReadOnlyList<(string Name, DateTimeOffset At)> MarkedBelow(string prefix) =>
        [.. Rows("SELECT name, at FROM marks", r => (r.GetString(0), Moment(r.GetString(1)))).Where(m => m.Item1.StartsWith(prefix, StringComparison.Ordinal)).Select(m => (m.Item1[prefix.Length..], m.Item2))];

    public void Unmark(string name) => Run("DELETE FROM marks WHERE name = ?1", name);

    void Settle(Letter letter, string state, int tries, string due, string fault) => Run(
        "UPDATE outbox SET state = ?4, tries = ?5, due = ?6, fault = ?7 WHERE id = ?1 AND environment = ?2 AND channel = ?3",
        letter.Id, letter.Environment, letter.Channel, state, tries, due, fault);

    const string LetterFields = "id, environment, channel, run, occasion, message, state, tries, created, due, fault";
    const string Letters = $"SELECT {LetterFields} FROM outbox";

    static Letter ReadLetter(System.Data.Common.DbDataReader r) => new(r.GetString(0), r.GetString(1), r.GetString(2), r.IsDBNull(3) ? null : r.GetString(3), r.GetString(4), r.GetString(5))
    {
        State = r.GetString(6),
        Tries = (int)r.GetInt64(7),
        Created = Moment(r.GetString(8)),
        DueText = r.GetString(9),
        Fault = r.GetString(10),
    };

    const string OutboxTables = """
        CREATE TABLE IF NOT EXISTS outbox (id TEXT NOT NULL, environment TEXT NOT NULL, channel TEXT NOT NULL, run TEXT, occasion TEXT NOT NULL, message TEXT NOT NULL, state TEXT NOT NULL,
            tries INTEGER NOT NULL, created TEXT NOT NULL, due TEXT NOT NULL, fault TEXT NOT NULL, PRIMARY KEY (id, environment, channel));
        CREATE INDEX IF NOT EXISTS outbox_due ON outbox (state, due);
        CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, at TEXT NOT NULL);
        """;
}

/// <summary>A message on its way to one channel.</summary>
/// <param name="Message">As JSON; without secrets, for its parts come from records, which hold none.</param>
public sealed record Letter(string Id, string Environment, string Channel, string? Run, string Occasion, string Message)
{
    /// <summary>waiting, sent or given-up.</summary>
    public string State { get; init; } = "waiting";
    public int Tries { get; init; }
    public DateTimeOffset Created { get; init; }

    /// <summary>When it is tried next; when it was sent or given up.</summary>
    public string DueText { get; init; } = "";
    public DateTimeOffset At => DateTimeOffset.Parse(DueText, System.Globalization.CultureInfo.InvariantCulture);
    public string Fault { get; init; } = "";
}
