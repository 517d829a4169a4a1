using Helix.Runbooks.Steps;
using Microsoft.Data.Sqlite;

namespace Helix.Runbooks.Journal;

/// <summary>The journal of all runs in one SQLite file (WAL, <c>synchronous=FULL</c>): events, leases, locks, pinned bytes, logs.</summary>
/// <remarks>
/// Every append takes the head of the run's chain in one transaction and is on disk when the call returns.
/// May be used by several threads; several processes may have the same file open.
/// </remarks>
public sealed partial class JournalStore : IDisposable
{
    readonly TimeProvider _time;
    readonly StoreSettings _settings;
    readonly Lock _writing = new();
    readonly Lock _reading = new();
    readonly Database _durable;

    // Logs, heartbeats and kept bytes need no fsync of their own: they go into the same WAL, and the next durable commit flushes all of it.
    readonly Lazy<Database> _relaxed;
    readonly Lazy<Database> _reader;

    JournalStore(string path, TimeProvider time, StoreSettings settings)
    {
        StorePath = path;
        _time = time;
        _settings = settings;
        _durable = new Database(path, durable: true, settings);
        _relaxed = new(() => new Database(path, durable: false, settings), LazyThreadSafetyMode.PublicationOnly);
        _reader = new(() => new Database(path, durable: false, settings), LazyThreadSafetyMode.PublicationOnly);
    }

    public string StorePath { get; }

    /// <summary>Opens or creates the store.</summary>
    /// <exception cref="RunbookException">The file is no store of this tool, is of a newer version, or cannot be read.</exception>
    public static JournalStore Open(string path, TimeProvider time) => Open(path, time, new());

    internal static JournalStore Open(string path, TimeProvider time, StoreSettings settings)
    {
        path = Path.GetFullPath(path);
        JournalStore? store = null;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            store = new JournalStore(path, time, settings);
            StoreSchema.Ensure(store._durable, path);
            return store;
        }
        catch (Exception e)
        {
            store?.Dispose();
            throw e switch
            {
                SqliteException fault => StoreFault.WhenOpening(fault, path),
                StoreLostException { InnerException: SqliteException fault } => StoreFault.WhenOpening(fault, path),
                IOException or UnauthorizedAccessException => new RunbookException($"The store {path} cannot be opened: {e.Message}"),
                _ => System.Runtime.ExceptionServices.ExceptionDispatchInfo.SetCurrentStackTrace(e),
            };
        }
    }

    /// <summary>One durable transaction.</summary>
    T Write<T>(Func<T> work)
    {
        lock (_writing)
        {
            var result = _durable.Transaction(work);
            if (!_durable.FileIsThere())
                throw new StoreLostException($"The store {StorePath} is gone: its file was removed or replaced while in use.", new FileNotFoundException(null, StorePath));
            return result;
        }
    }

    /// <summary>One transaction that is on disk at the latest with the next durable one.</summary>
    T WriteRelaxed<T>(Func<Database, T> work)
    {
        lock (_writing)
        {
            var database = Opened(_relaxed);
            return database.Transaction(() => work(database));
        }
    }

    T Look<T>(Func<Database, T> work)
    {
        lock (_reading)
            return work(Opened(_reader));
    }

    Database Opened(Lazy<Database> database)
    {
        try
        {
            return database.Value;
        }
        catch (SqliteException e)
        {
            throw StoreFault.Of(e, StorePath);
        }
    }

    public void Dispose()
    {
        lock (_writing)
            lock (_reading)
            {
                foreach (var other in new[] { _relaxed, _reader })
                    if (other.IsValueCreated)
                        other.Value.Dispose();
                _durable.Dispose();
            }
    }
}

/// <summary>The store cannot be written. The run parks before its next effect.</summary>
public sealed class StoreLostException(string what, Exception inner) : Exception(what, inner);
