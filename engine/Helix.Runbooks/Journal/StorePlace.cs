namespace Helix.Runbooks.Journal;

/// <summary>From the name of a store to its kind: a path is a file of this machine.</summary>
public static class StorePlace
{
    internal static Dialect DialectOf(string place, StoreSettings settings) => new SqliteDialect(Path.GetFullPath(place), settings);

    /// <summary>A connection for tables of another part beside the journal.</summary>
    /// <param name="place">A file of its own, or the database of a shared store.</param>
    /// <param name="tables">Statements that make what is missing.</param>
    public static Database Beside(string place, string tables)
    {
        var dialect = DialectOf(place, new());
        var database = new Database(dialect, durable: true);
        dialect.Beside(database, tables);
        return database;
    }
}
