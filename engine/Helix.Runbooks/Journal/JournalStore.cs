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
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return Sound(new JournalStore(path, time, settings));
        }
        catch (SqliteException fault)
        {
            throw StoreFault.WhenOpening(fault, path);
        }
        catch (StoreLostException e) when (e.InnerException is SqliteException fault)
        {
            throw StoreFault.WhenOpening(fault, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunbookException($"The store {path} cannot be opened: {e.Message}");
        }
    }

    static JournalStore Sound(JournalStore store)
    {
        try
        {
            StoreSchema.Ensure(store._durable, store.StorePath);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>One durable transaction.</summary>
    T Write<T>(Func<T> work)
    {
        lock (_writing)
        {
            CheckPlace(_durable);
            var result = _durable.Transaction(work);
            CheckPlace(_durable);
            return result;
        }
    }

    /// <summary>One transaction that is on disk at the latest with the next durable one.</summary>
    T WriteRelaxed<T>(Func<Database, T> work)
    {
        lock (_writing)
        {
            CheckPlace(_durable);
            var database = Opened(_relaxed);
            return database.Transaction(() => work(database));
        }
    }

    T Look<T>(Func<Database, T> work)
    {
        lock (_reading)
        {
            var database = Opened(_reader);
            CheckPlace(database);
            return work(database);
        }
    }

    /// <summary>SQLite goes on in a file that was removed; what it acknowledges then is lost, and may damage a new file of that name.</summary>
    void CheckPlace(Database database)
    {
        if (database.IsMoved || !File.Exists(StorePath + "-wal"))
            throw new StoreLostException($"The store {StorePath} is gone: its file was removed or replaced while in use.", new FileNotFoundException(null, StorePath));
    }

    Database Opened(Lazy<Database> database)
    {
        try
        {
            if (!database.IsValueCreated)
                CheckPlace(_durable); // all connections are to the same file
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
