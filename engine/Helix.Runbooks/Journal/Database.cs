using System.Runtime.InteropServices;
using Helix.Runbooks.Steps;
using Microsoft.Data.Sqlite;

namespace Helix.Runbooks.Journal;

/// <summary>One connection to the store's file with its prepared statements. Whoever uses it holds its lock.</summary>
sealed class Database : IDisposable
{
    readonly SqliteConnection _connection;
    readonly Dictionary<string, SqliteCommand> _prepared = [];
    readonly string _path;

    /// <param name="durable">A commit is on disk when it returns; else with the next durable commit.</param>
    public Database(string path, bool durable, StoreSettings settings)
    {
        _path = path;
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            // SQLite itself waits for the lock (busy_timeout); the driver's own, slower loop shall give up at once after that.
            DefaultTimeout = 1,
        }.ToString());
        try
        {
            _connection.Open();
            Pragma($"busy_timeout={(long)settings.Busy.TotalMilliseconds}");
            Pragma(durable ? "synchronous=FULL" : "synchronous=NORMAL");
            Pragma($"wal_autocheckpoint={settings.CheckpointPages}");
            Pragma($"journal_size_limit={8 << 20}");
            if (settings.MaxPages is { } pages)
                Pragma($"max_page_count={pages}");
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>All or nothing, with the write lock from the beginning.</summary>
    public T Transaction<T>(Func<T> work)
    {
        Run("BEGIN IMMEDIATE");
        try
        {
            var result = work();
            Run("COMMIT");
            return result;
        }
        catch
        {
            Rollback();
            throw;
        }
    }

    /// <returns>The number of rows changed.</returns>
    public int Run(string sql, params ReadOnlySpan<object?> values)
    {
        try
        {
            return Prepared(sql, values).ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw StoreFault.Of(e, _path);
        }
    }

    public List<T> All<T>(string sql, Func<SqliteDataReader, T> row, params ReadOnlySpan<object?> values)
    {
        try
        {
            var list = new List<T>();
            using var reader = Prepared(sql, values).ExecuteReader();
            while (reader.Read())
                list.Add(row(reader));
            return list;
        }
        catch (SqliteException e)
        {
            throw StoreFault.Of(e, _path);
        }
    }

    /// <summary>The first row, or null if there is none.</summary>
    public T? One<T>(string sql, Func<SqliteDataReader, T> row, params ReadOnlySpan<object?> values) where T : class =>
        All(sql, row, values) is [var first, ..] ? first : null;

    /// <summary>The single number that the query gives; 0 for NULL or no row.</summary>
    public long Number(string sql, params ReadOnlySpan<object?> values) =>
        All(sql, r => r.IsDBNull(0) ? 0 : r.GetInt64(0), values) is [var first, ..] ? first : 0;

    public string Pragma(string text)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "PRAGMA " + text;
        return Convert.ToString(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>The file was removed or replaced since it was opened.</summary>
    public bool IsMoved => sqlite3_file_control(_connection.Handle!.DangerousGetHandle(), 0, HasMoved, out var moved) != 0 || moved != 0;

    SqliteCommand Prepared(string sql, ReadOnlySpan<object?> values)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 1; i <= values.Length; i++)
                command.Parameters.Add(new SqliteParameter { ParameterName = "?" + i });
            _prepared[sql] = command;
        }
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        return command;
    }

    void Rollback()
    {
        // After some faults SQLite has rolled back by itself, and then there is nothing to do.
        if (SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle) != 0)
            return;
        try
        {
            Run("ROLLBACK");
        }
        catch (StoreLostException)
        {
            // What is thrown already says why.
        }
    }

    public void Dispose()
    {
        foreach (var command in _prepared.Values)
            command.Dispose();
        _connection.Dispose();
    }

    const int HasMoved = 20; // SQLITE_FCNTL_HAS_MOVED

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

/// <summary>What SQLite's error codes mean for people.</summary>
static class StoreFault
{
    public static Exception Of(SqliteException e, string path) => Words(e, path) is { } words ? new StoreLostException(words, e) : e;

    /// <summary>The same while opening, when nothing is under way and the user can still choose.</summary>
    public static Exception WhenOpening(SqliteException e, string path) => e.SqliteErrorCode switch
    {
        NotADatabase => new RunbookException($"The file {path} is no store of Helix Runbooks.", "Name another file for the store, or move this one away."),
        CannotOpen => new RunbookException($"The store {path} cannot be opened.", "Are the folder and the file readable and writable for this account?"),
        _ => Words(e, path) is { } words ? new RunbookException(words) : e,
    };

    static string? Words(SqliteException e, string path) => e.SqliteErrorCode switch
    {
        Busy or Locked => $"The store {path} stayed locked by another process for too long.",
        ReadOnly => $"The store {path} cannot be written: it is read-only here.",
        InputOutput => $"The disk of the store {path} reports an error (SQLite {e.SqliteExtendedErrorCode}).",
        Corrupt or NotADatabase => $"The store {path} is damaged: {e.Message}",
        Full => $"The store {path} cannot be written: the disk is full.",
        CannotOpen => $"The store {path} cannot be opened any more; was its folder removed?",
        _ => null,
    };

    const int Busy = 5, Locked = 6, ReadOnly = 8, InputOutput = 10, Corrupt = 11, Full = 13, CannotOpen = 14, NotADatabase = 26;
}
