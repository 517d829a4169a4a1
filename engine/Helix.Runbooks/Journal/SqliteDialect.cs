using System.Data.Common;
using System.Runtime.InteropServices;
using Helix.Runbooks.Steps;
using Microsoft.Data.Sqlite;

namespace Helix.Runbooks.Journal;

/// <summary>A store in one file of this machine: SQLite, WAL, a transaction has the whole file.</summary>
sealed class SqliteDialect(string path, StoreSettings settings) : Dialect
{
    public override string Place => path;
    public override bool IsShared => false;
    public override string Begin => "BEGIN IMMEDIATE";
    public override string ForUpdate => "";
    public override string? Alone(Room room) => null;
    public override string Text(string sql) => sql;
    public override DbParameter Parameter(int number) => new SqliteParameter { ParameterName = "?" + number };
    public override bool IsWithin(DbConnection connection) => SQLitePCL.raw.sqlite3_get_autocommit(((SqliteConnection)connection).Handle) == 0;
    public override long Version(Database database) => database.Number("PRAGMA data_version");

    public override DbConnection Open(bool durable, bool again)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            // SQLite itself waits for the lock (busy_timeout); the driver's own, slower loop shall give up at once after that.
            DefaultTimeout = 1,
        }.ToString());
        try
        {
            connection.Open();
            Pragma(connection, $"busy_timeout={(long)settings.Busy.TotalMilliseconds}");
            Pragma(connection, durable ? "synchronous=FULL" : "synchronous=NORMAL");
            Pragma(connection, $"wal_autocheckpoint={settings.CheckpointPages}");
            Pragma(connection, $"journal_size_limit={8 << 20}");
            if (settings.MaxPages is { } pages)
                Pragma(connection, $"max_page_count={pages}");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override void Ensure(Database database, string tables)
    {
        if (IsEmpty(database))
            Make(database, tables);
        Check(database);
    }

    public override void Beside(Database database, string tables)
    {
        Pragma(database, "journal_mode=WAL");
        foreach (var statement in StoreSchema.Statements(tables))
            database.Run(statement);
    }

    public override bool Has(Database database, string table) => database.Number("SELECT count(*) FROM sqlite_master WHERE name = ?1", table) > 0;

    static bool IsEmpty(Database database) =>
        Pragma(database, "application_id") == "0" && Pragma(database, "user_version") == "0" && database.Number("SELECT count(*) FROM sqlite_master") == 0;

    void Make(Database database, string tables)
    {
        if (Pragma(database, "journal_mode=WAL") != "wal")
            throw new RunbookException($"The store {path} is on a file system that cannot hold it (no shared memory).", "Use a local disk.");
        database.Transaction(() =>
        {
            if (!IsEmpty(database))
                return false; // another process was faster
            foreach (var statement in StoreSchema.Statements(tables))
                database.Run(statement);
            Pragma(database, $"application_id={Application}");
            Pragma(database, $"user_version={StoreSchema.Format}");
            return true;
        });
    }

    void Check(Database database)
    {
        if (Pragma(database, "application_id") != $"{Application}")
            throw new RunbookException($"The file {path} is an SQLite file of another program, no store of Helix Runbooks.", "Name another file for the store.");
        StoreSchema.CheckFormat(path, long.Parse(Pragma(database, "user_version"), System.Globalization.CultureInfo.InvariantCulture));
        if (Pragma(database, "journal_mode") != "wal")
            Pragma(database, "journal_mode=WAL");
    }

    /// <summary>SQLite goes on in a file that was removed; what it acknowledges then is lost, and may damage a new file of that name.</summary>
    public override void CheckPlace(Database database)
    {
        if (IsMoved((SqliteConnection)database.Connection) || !File.Exists(path + "-wal"))
            throw new StoreLostException($"The store {path} is gone: its file was removed or replaced while in use.", new FileNotFoundException(null, path));
    }

    public override Exception Fault(DbException e) => Lost((SqliteException)e) is var (words, hint) ? new StoreLostException(words, e) { Hint = hint } : e;

    public override Exception WhenOpening(Exception e) => ((e as StoreLostException)?.InnerException ?? e) is not SqliteException fault ? e : fault.SqliteErrorCode switch
    {
        NotADatabase => new RunbookException($"The file {path} is no store of Helix Runbooks.", "Name another file for the store, or move this one away."),
        CannotOpen => new RunbookException($"The store {path} cannot be opened.", "Are the folder and the file readable and writable for this account?"),
        _ => Lost(fault) is var (words, hint) ? new RunbookException(words, hint) : fault,
    };

    (string Words, string? Hint)? Lost(SqliteException e) => e.SqliteErrorCode switch
    {
        Busy or Locked => Held(StoreHolder.Of(path)),
        ReadOnly => ($"The store {path} cannot be written: it is read-only here.", null),
        InputOutput => ($"The disk of the store {path} reports an error (SQLite {e.SqliteExtendedErrorCode}).", null),
        Corrupt or NotADatabase => ($"The store {path} is damaged: {e.Message}", null),
        Full => ($"The store {path} cannot be written: the disk is full.", null),
        CannotOpen => ($"The store {path} cannot be opened any more; was its folder removed?", null),
        _ => null,
    };

    /// <summary>A lock that is held for so long is that of a process that was stopped within a write, as by Ctrl-Z, or whose disk hangs.</summary>
    (string, string?) Held(StoreHolder? holder) => holder switch
    {
        { IsStopped: true, Pid: var pid } => ($"The store {path} stayed locked by process {pid}, which is stopped, for too long.", $"`kill -CONT {pid}` lets it go on, `kill -KILL {pid}` ends it; the store stays whole either way."),
        { Pid: var pid } => ($"The store {path} stayed locked by process {pid} for too long.", $"`ps -fp {pid}` tells what it is; if it hangs, `kill -KILL {pid}` ends it, and the store stays whole."),
        null => ($"The store {path} stayed locked by another process for too long.", "Try again; `fuser` tells who has the file open."),
    };

    static string Pragma(Database database, string text) => Pragma((SqliteConnection)database.Connection, text);

    static string Pragma(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA " + text;
        return Convert.ToString(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>The file was removed or replaced since it was opened.</summary>
    static bool IsMoved(SqliteConnection connection) =>
        sqlite3_file_control(connection.Handle!.DangerousGetHandle(), 0, HasMoved, out var moved) != 0 || moved != 0;

    // "HLXR" in the header tells the file apart from other people's SQLite files.
    const long Application = 0x484C5852;
    const int HasMoved = 20; // SQLITE_FCNTL_HAS_MOVED
    const int Busy = 5, Locked = 6, ReadOnly = 8, InputOutput = 10, Corrupt = 11, Full = 13, CannotOpen = 14, NotADatabase = 26;

    [DllImport("e_sqlite3", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int sqlite3_file_control(nint database, nint name, int operation, out int argument);
}

/// <summary>What tests set differently.</summary>
sealed record StoreSettings
{
    /// <summary>How long to wait while another process holds the write lock.</summary>
    public TimeSpan Busy { get; init; } = TimeSpan.FromSeconds(30);
    public int? MaxPages { get; init; }
    public int CheckpointPages { get; init; } = 1000;
}
