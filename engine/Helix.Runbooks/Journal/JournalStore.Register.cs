using System.Data.Common;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

public sealed partial class JournalStore
{
    /// <summary>Every run ever started, newest first; one query. Open are those that have not ended, or in which an answer by break-glass is not ratified.</summary>
    /// <param name="environments">Of these only; null: of all.</param>
    public IReadOnlyList<RunSummary> Runs(int limit = 100, string? runbook = null, bool openOnly = false, IReadOnlyList<string>? environments = null)
    {
        if (environments is { Count: 0 })
            return [];
        List<object?> values = [limit];
        var where = new List<string>();
        string Value(string value)
        {
            values.Add(value);
            return $"?{values.Count}";
        }
        if (runbook is not null)
            where.Add($"r.runbook = {Value(runbook)}");
        if (environments is not null)
            where.Add($"r.environment IN ({string.Join(", ", environments.Select(Value))})");
        if (openOnly)
            where.Add("(r.ended_at IS NULL OR r.waits_for IS NOT NULL)");
        var sql = $"""
            SELECT r.run, r.runbook, r.environment, r.mode, r.operator, r.status, r.waits_for, r.started_at, r.ended_at, r.last_at,
                r.rta, r.rpa, r.objectives_met, r.head, r.events, l.driver, l.released, l.epoch, l.beat, r.open
            FROM runs r LEFT JOIN leases l ON l.number = r.number
            {(where.Count > 0 ? "WHERE " + string.Join(" AND ", where) : "")} ORDER BY r.number DESC LIMIT ?1
            """;
        return Look(database => database.All(sql, ReadSummary, values.ToArray()));
    }

    /// <summary>The first event of a run.</summary>
    public RunStarted Started(string run) => (RunStarted)Look(database => Entries(database, NumberOf(database, run), 0, 1))[0].Read(run).Event;

    /// <summary>There is a run of exactly this id.</summary>
    public bool Has(string run) => Look(database => database.Number("SELECT count(*) FROM runs WHERE run = ?1", run)) > 0;

    /// <summary>The run whose id is this or begins uniquely with this.</summary>
    /// <exception cref="RunbookException">None, or several.</exception>
    public string Resolve(string idOrPrefix)
    {
        var found = Look(database => database.All(
            "SELECT run FROM runs WHERE run >= ?1 AND run < ?2 ORDER BY run LIMIT 6", r => r.GetString(0), idOrPrefix, idOrPrefix + Last));
        if (idOrPrefix.Length > 0 && (found.Count == 1 || found.Contains(idOrPrefix)))
            return found[0];
        if (found.Count == 0 || idOrPrefix.Length == 0)
            throw NoRun(idOrPrefix);
        throw new RunbookException($"Several runs begin with '{idOrPrefix}': {string.Join(", ", found.Take(5))}{(found.Count > 5 ? " …" : "")}.", "Type more of it.");
    }

    // No id holds what sorts behind it.
    const string Last = "\U0010FFFF";

    /// <summary>Earlier durations of the succeeded attempts of a step, newest first, for the ETA.</summary>
    /// <remarks>Of drills and live runs only.</remarks>
    /// <param name="but">A run that does not count: the one that is compared with the others.</param>
    public IReadOnlyList<TimeSpan> Durations(string runbook, string path, int limit = 20, string? but = null) => Look(database => database.All(
        "SELECT ticks FROM durations WHERE runbook = ?1 AND path = ?2 AND ticks IS NOT NULL AND number <> COALESCE((SELECT number FROM runs WHERE run = ?4), -1) ORDER BY number DESC LIMIT ?3",
        r => TimeSpan.FromTicks(r.GetInt64(0)), runbook, path, limit, but ?? ""));

    /// <summary>The end of the register's chain: kept elsewhere, it proves later that no run was removed.</summary>
    public string RegisterHead() => Look(RegisterHead);

    void RecordDuration(RegisterRow row, JournalEntry entry)
    {
        if (row.Mode is not ("live" or "drill"))
            return;
        if (entry.Event is StepStarted started)
            _durable.Run("""
                INSERT INTO durations (runbook, path, number, started_at) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (runbook, path, number) DO UPDATE SET started_at = excluded.started_at
                """, row.Runbook, started.Path, row.Number, Chain.Text(entry.At));
        else if (entry.Event is StepSucceeded { Source: null } done
            && _durable.One("SELECT started_at FROM durations WHERE runbook = ?1 AND path = ?2 AND number = ?3", r => r.GetString(0),
                row.Runbook, done.Path, row.Number) is { } at)
            _durable.Run("UPDATE durations SET ticks = ?4 WHERE runbook = ?1 AND path = ?2 AND number = ?3",
                row.Runbook, done.Path, row.Number, (entry.At - Chain.Time(at)).Ticks);
    }

    long NextNumber() => _durable.Number("SELECT max(number) FROM register") + 1;

    void Register(long number, string run, string first) => _durable.Run(
        "INSERT INTO register (number, run, first, hash) VALUES (?1, ?2, ?3, ?4)",
        number, run, first, RegisterHash(RegisterHead(_durable), number, run, first));

    static string RegisterHead(Database database) =>
        database.One("SELECT hash FROM register ORDER BY number DESC LIMIT 1", r => r.GetString(0)) ?? Chain.Hash("helix-register");

    static string RegisterHash(string previous, long number, string run, string first) => Chain.Hash($"{previous}\n{number}\n{run}\n{first}");

    RegisterRow Row(string run) => _durable.One($"""
        SELECT number, runbook, environment, mode, operator, status, open, started_at, ended_at, last_at, head, events, rta, rpa, objectives_met
        FROM runs WHERE run = ?1{_dialect.ForUpdate}
        """, r => ReadRow(r, run), run) ?? throw NoRun(run);

    static RegisterRow ReadRow(DbDataReader r, string run)
    {
        DateTimeOffset? ended = r.IsDBNull(8) ? null : Chain.Time(r.GetString(8));
        var end = ended is null ? null : new RunEnded(default, "", []) { Rta = Span(r, 12), Rpa = Span(r, 13), ObjectivesMet = Flag(r, 14) };
        return new RegisterRow
        {
            Number = r.GetInt64(0),
            Run = run,
            Runbook = r.GetString(1),
            Environment = r.GetString(2),
            Mode = r.GetString(3),
            Operator = r.GetString(4),
            StartedAt = Chain.Time(r.GetString(7)),
            Head = r.GetString(10),
        }.With(r.GetInt64(11), Chain.Time(r.GetString(9)), ended, r.GetString(5), r.GetString(6), end);
    }

    void InsertRow(RegisterRow row) => _durable.Run("""
        INSERT INTO runs (number, run, runbook, environment, mode, operator, status, open, started_at, head, events, last_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', '', ?7, ?8, 0, ?7)
        """, row.Number, row.Run, row.Runbook, row.Environment, row.Mode, row.Operator, Chain.Text(row.StartedAt), row.Head);

    void Save(RegisterRow row) => _durable.Run("""
        UPDATE runs SET status = ?2, waits_for = ?3, open = ?4, ended_at = ?5, rta = ?6, rpa = ?7, objectives_met = ?8,
            head = ?9, events = ?10, last_at = ?11
        WHERE number = ?1
        """, row.Number, row.Status, row.WaitsFor, row.Open, row.EndedAt is { } ended ? Chain.Text(ended) : null,
        row.Ended?.Rta?.Ticks, row.Ended?.Rpa?.Ticks, row.Ended?.ObjectivesMet, row.Head, row.Events, Chain.Text(row.LastAt));

    static RunSummary ReadSummary(DbDataReader r)
    {
        var driver = r.IsDBNull(15) || r.GetInt64(16) != 0 ? null : ReadDriver(r, 15);
        var status = r.GetString(5);
        var gone = r.IsDBNull(8) && driver is not null && DriverIdentity.IsGone(driver);
        return new RunSummary
        {
            Run = r.GetString(0),
            Runbook = r.GetString(1),
            Environment = r.GetString(2),
            Mode = r.GetString(3),
            Operator = r.GetString(4),
            Status = status == "running" && (gone || driver is null) ? "suspended" : status,
            WaitsFor = r.IsDBNull(6) ? null : r.GetString(6),
            Questions = RegisterRow.QuestionsIn(r.GetString(19)),
            StartedAt = Chain.Time(r.GetString(7)),
            EndedAt = r.IsDBNull(8) ? null : Chain.Time(r.GetString(8)),
            LastAt = Chain.Time(r.GetString(9)),
            Rta = Span(r, 10),
            Rpa = Span(r, 11),
            ObjectivesMet = Flag(r, 12),
            Head = r.GetString(13),
            Events = r.GetInt64(14),
            Driver = driver,
            Lease = driver is null ? null : new LeaseState(r.GetString(0), r.GetInt64(17), driver, r.GetInt64(18), Released: false),
            DriverGone = gone,
        };
    }

    static TimeSpan? Span(DbDataReader r, int column) => r.IsDBNull(column) ? null : TimeSpan.FromTicks(r.GetInt64(column));
    static bool? Flag(DbDataReader r, int column) => r.IsDBNull(column) ? null : r.GetInt64(column) != 0;
}
