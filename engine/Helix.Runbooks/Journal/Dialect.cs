using System.Data.Common;

namespace Helix.Runbooks.Journal;

/// <summary>What differs between kinds of stores; all else is one text for all of them.</summary>
abstract class Dialect
{
    /// <summary>Where the store is, as people read it. Never holds a password.</summary>
    public abstract string Place { get; }

    /// <summary>Several machines may have it open.</summary>
    public abstract bool IsShared { get; }

    /// <param name="again">In place of a connection that broke.</param>
    /// <exception cref="StoreLostException">It does not answer.</exception>
    /// <exception cref="DbException">It cannot be opened at all.</exception>
    public abstract DbConnection Open(bool durable, bool again);

    /// <summary>Leaves a sound store of this version with these tables behind, or throws.</summary>
    public abstract void Ensure(Database database, string tables);

    /// <summary>Makes tables of another part that are missing.</summary>
    public abstract void Beside(Database database, string tables);

    public abstract bool Has(Database database, string table);

    public abstract string Begin { get; }

    /// <summary>Behind a query of rows that the transaction is going to change, where it has not the whole store for itself.</summary>
    public abstract string ForUpdate { get; }

    /// <summary>The statement with which a transaction waits until it is alone among those who ask for the same; null where every transaction is.</summary>
    public abstract string? Alone(Room room);
    public abstract string Text(string sql);
    public abstract DbParameter Parameter(int number);
    public virtual object Value(object value) => value;
    public abstract bool IsWithin(DbConnection connection);

    /// <summary>Another number when something was committed since.</summary>
    public abstract long Version(Database database);

    /// <summary>Throws when what the connection would acknowledge is lost all the same.</summary>
    public abstract void CheckPlace(Database database);

    /// <summary>What an error means for people, or the error itself.</summary>
    public abstract Exception Fault(DbException e);

    /// <summary>The same while opening, when nothing is under way and the user can still choose.</summary>
    public abstract Exception WhenOpening(Exception e);

    /// <summary>The connection broke within a transaction.</summary>
    public virtual Exception Gone() => new InvalidOperationException($"The connection to {Place} is closed.");
}

/// <summary>What concerns more than one run, and is therefore done by one at a time.</summary>
enum Room { Tables = 1, Register = 2, Locks = 3, Nodes = 4 }
