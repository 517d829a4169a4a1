using System.Data;
using System.Data.Common;

namespace Helix.Runbooks.Journal;

/// <summary>One connection to a store with its prepared statements. Whoever uses it holds its lock.</summary>
/// <remarks>Statements are written once for all kinds of stores, with parameters <c>?1</c>, <c>?2</c>; what differs is the dialect's.</remarks>
public sealed class Database : IDisposable
{
    readonly Dialect _dialect;
    readonly bool _durable;
    readonly Dictionary<string, DbCommand> _prepared = [];
    DbConnection _connection;
    bool _within;

    /// <param name="durable">A commit is on disk when it returns; else with the next durable commit.</param>
    internal Database(Dialect dialect, bool durable)
    {
        (_dialect, _durable) = (dialect, durable);
        _connection = dialect.Open(durable, again: false);
    }

    internal DbConnection Connection => _connection;

    /// <summary>All or nothing, with the write lock from the beginning where the store has one.</summary>
    public T Transaction<T>(Func<T> work)
    {
        Again(() => Execute(_dialect.Begin, []));
        _within = true;
        try
        {
            var result = work();
            Execute("COMMIT", []);
            return result;
        }
        catch
        {
            Rollback();
            throw;
        }
        finally
        {
            _within = false;
        }
    }

    /// <returns>The number of rows changed.</returns>
    public int Run(string sql, params ReadOnlySpan<object?> values) => Execute(sql, values);

    public List<T> All<T>(string sql, Func<DbDataReader, T> row, params ReadOnlySpan<object?> values)
    {
        if (_within)
            return Read(sql, row, values);
        var copy = values.ToArray();
        return Again(() => Read(sql, row, copy));
    }

    /// <summary>The first row, or null if there is none.</summary>
    public T? One<T>(string sql, Func<DbDataReader, T> row, params ReadOnlySpan<object?> values) where T : class =>
        All(sql, row, values) is [var first, ..] ? first : null;

    /// <summary>The single number that the query gives; 0 for NULL or no row.</summary>
    public long Number(string sql, params ReadOnlySpan<object?> values) =>
        All(sql, r => r.IsDBNull(0) ? 0 : r.GetInt64(0), values) is [var first, ..] ? first : 0;

    /// <summary>A database that was restarted has closed the connection: what asks or begins is tried once more on a new one.</summary>
    T Again<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (StoreLostException e) when (e.MayComeBack)
        {
            return work();
        }
    }

    int Execute(string sql, ReadOnlySpan<object?> values)
    {
        try
        {
            return Prepared(sql, values).ExecuteNonQuery();
        }
        catch (Exception e) when (IsOfStore(e))
        {
            throw e is DbException fault ? _dialect.Fault(fault) : _dialect.Gone();
        }
    }

    List<T> Read<T>(string sql, Func<DbDataReader, T> row, ReadOnlySpan<object?> values)
    {
        try
        {
            var list = new List<T>();
            using var reader = Prepared(sql, values).ExecuteReader();
            while (reader.Read())
                list.Add(row(reader));
            return list;
        }
        catch (Exception e) when (IsOfStore(e))
        {
            throw e is DbException fault ? _dialect.Fault(fault) : _dialect.Gone();
        }
    }

    /// <summary>A connection that breaks while it is used says so in more than one way.</summary>
    bool IsOfStore(Exception e) => e is DbException || (_dialect.IsShared && _connection.State != ConnectionState.Open && e is InvalidOperationException or IOException or TimeoutException);

    DbCommand Prepared(string sql, ReadOnlySpan<object?> values)
    {
        if (_connection.State != ConnectionState.Open)
            Reopen();
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = _dialect.Text(sql);
            for (var i = 1; i <= values.Length; i++)
                command.Parameters.Add(_dialect.Parameter(i));
            _prepared[sql] = command;
        }
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i] is { } value ? _dialect.Value(value) : DBNull.Value;
        return command;
    }

    /// <exception cref="StoreLostException">What was begun is gone with its connection, or there is none to be had.</exception>
    void Reopen()
    {
        if (_within)
            throw _dialect.Gone();
        Forget();
        _connection = _dialect.Open(_durable, again: true);
    }

    void Rollback()
    {
        // After some faults the store has rolled back by itself, and then there is nothing to do.
        if (!_dialect.IsWithin(_connection))
            return;
        try
        {
            Execute("ROLLBACK", []);
        }
        catch (StoreLostException)
        {
            // What is thrown already says why.
        }
    }

    void Forget()
    {
        foreach (var command in _prepared.Values)
            command.Dispose();
        _prepared.Clear();
        _connection.Dispose();
    }

    public void Dispose() => Forget();
}
