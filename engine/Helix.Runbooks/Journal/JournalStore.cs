using System.Data.Common;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Journal;

/// <summary>The journal of all runs: events, leases, locks, pinned bytes, logs. In one SQLite file (WAL, <c>synchronous=FULL</c>), or in a PostgreSQL database that several machines share.</summary>
/// <remarks>
/// Every append takes the head of the run's chain in one transaction and is on disk when the call returns.
/// May be used by several threads; several processes may have the same store open.
/// </remarks>
public sealed partial class JournalStore : IDisposable
{
    readonly Dialect _dialect;
    readonly TimeProvider _time;
    readonly Lock _writing = new();
    readonly Lock _reading = new();
    readonly Database _durable;

    // Logs, heartbeats and kept bytes need no fsync of their own: they go into the same log of the store, and the next durable commit flushes all of it.
    readonly Lazy<Database> _relaxed;
    readonly Lazy<Database> _reader;

    JournalStore(Dialect dialect, TimeProvider time)
    {
        _dialect = dialect;
        _time = time;
        _durable = new Database(dialect, durable: true);
        _relaxed = new(() => new Database(dialect, durable: false), LazyThreadSafetyMode.PublicationOnly);
        _reader = new(() => new Database(dialect, durable: false), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>Where it is, as people read it.</summary>
    public string StorePath => _dialect.Place;

    /// <summary>Several machines may drive runs of it.</summary>
    public bool IsShared => _dialect.IsShared;

    /// <summary>Opens or creates the store.</summary>
    /// <exception cref="RunbookException">It is no store of this tool, is of a newer version, or cannot be read.</exception>
    public static JournalStore Open(string place, TimeProvider time) => Open(place, time, new());

    internal static JournalStore Open(string place, TimeProvider time, StoreSettings settings)
    {
        var dialect = StorePlace.DialectOf(place, settings);
        try
        {
            if (!dialect.IsShared)
                Directory.CreateDirectory(Path.GetDirectoryName(dialect.Place)!);
            return Sound(new JournalStore(dialect, time));
        }
        catch (Exception e) when (e is DbException or StoreLostException)
        {
            throw dialect.WhenOpening(e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunbookException($"The store {dialect.Place} cannot be opened: {e.Message}");
        }
    }

    static JournalStore Sound(JournalStore store)
    {
        try
        {
            store._dialect.Ensure(store._durable, StoreSchema.Tables);
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

    void CheckPlace(Database database) => _dialect.CheckPlace(database);

    /// <summary>Where a transaction has not the store for itself: waits until it is alone in this room.</summary>
    void Alone(Room room)
    {
        if (_dialect.Alone(room) is { } wait)
            _durable.Run(wait);
    }

    Database Opened(Lazy<Database> database)
    {
        try
        {
            if (!database.IsValueCreated)
                CheckPlace(_durable); // all connections are to the same file
            return database.Value;
        }
        catch (DbException e)
        {
            throw _dialect.Fault(e);
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
public sealed class StoreLostException(string what, Exception inner) : Exception(what, inner)
{
    /// <summary>It is away, as while it is restarted or cut off: who waits may have it back. False for a disk that is full or gone.</summary>
    public bool MayComeBack { get; init; }

    /// <summary>What can be done about it, where more is known than that the place is lost.</summary>
    public string? Hint { get; init; }
}
