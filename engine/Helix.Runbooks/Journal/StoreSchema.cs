using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

/// <summary>The tables of the journal, in the words of SQLite, which other dialects translate.</summary>
static class StoreSchema
{
    public const long Format = 1;

    public static IEnumerable<string> Statements(string tables) => tables.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    public static void CheckFormat(string place, long format)
    {
        if (format != Format)
            throw new RunbookException($"The store {place} has format {format}; this version of helix knows format {Format}.", "Use the version of helix that wrote it, or a newer one.");
    }

    // `register` is only ever added to and has its own chain; `runs` is its working copy, kept by the appends.
    public const string Tables = """
        CREATE TABLE register (
            number INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, first TEXT NOT NULL, hash TEXT NOT NULL);
        CREATE TABLE runs (
            number INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, runbook TEXT NOT NULL, environment TEXT NOT NULL, mode TEXT NOT NULL,
            operator TEXT NOT NULL, status TEXT NOT NULL, waits_for TEXT, open TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
            rta INTEGER, rpa INTEGER, objectives_met INTEGER, head TEXT NOT NULL, events INTEGER NOT NULL, last_at TEXT NOT NULL);
        CREATE INDEX runs_of_runbook ON runs (runbook, number);
        CREATE INDEX runs_open ON runs (number) WHERE ended_at IS NULL;
        CREATE INDEX runs_changed ON runs (last_at);
        CREATE TABLE events (
            number INTEGER NOT NULL, sequence INTEGER NOT NULL, at TEXT NOT NULL, epoch INTEGER NOT NULL, by TEXT,
            event TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (number, sequence)) WITHOUT ROWID;
        CREATE TABLE leases (
            number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, driver TEXT NOT NULL, beat INTEGER NOT NULL, released INTEGER NOT NULL);
        CREATE TABLE durations (
            runbook TEXT NOT NULL, path TEXT NOT NULL, number INTEGER NOT NULL, started_at TEXT NOT NULL, ticks INTEGER,
            PRIMARY KEY (runbook, path, number)) WITHOUT ROWID;
        CREATE TABLE locks (
            identity TEXT NOT NULL, run TEXT NOT NULL, target TEXT NOT NULL, shared INTEGER NOT NULL, since TEXT NOT NULL,
            PRIMARY KEY (identity, run)) WITHOUT ROWID;
        CREATE TABLE bytes (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL);
        CREATE TABLE logs (
            sequence INTEGER PRIMARY KEY, number INTEGER NOT NULL, at TEXT NOT NULL, path TEXT NOT NULL, attempt INTEGER NOT NULL,
            stream TEXT NOT NULL, text TEXT NOT NULL, size INTEGER NOT NULL);
        CREATE INDEX logs_of_run ON logs (number);
        CREATE INDEX logs_of_step ON logs (number, path);
        CREATE TABLE log_sizes (
            number INTEGER NOT NULL, path TEXT NOT NULL, head INTEGER NOT NULL, tail INTEGER NOT NULL, tail_from INTEGER,
            cut_at INTEGER, cut_lines INTEGER NOT NULL, cut_bytes INTEGER NOT NULL, PRIMARY KEY (number, path)) WITHOUT ROWID;
        """;
}
