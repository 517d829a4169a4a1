using System.Text.RegularExpressions;

namespace Helix.Runbooks.Journal;

/// <summary>From the name of a store to its kind: a path is a file of this machine, all else a database that several machines share.</summary>
public static partial class StorePlace
{
    public static bool IsShared(string place) => Shared().IsMatch(place);

    internal static Dialect DialectOf(string place, StoreSettings settings) => IsShared(place) ? Postgres(place) : new SqliteDialect(Path.GetFullPath(place), settings);

    /// <summary>Apart, so that the client of the database is loaded only for it.</summary>
    static PostgresDialect Postgres(string place) => new(PostgresAddress.Parse(place));

    /// <summary>A connection for tables of another part beside the journal.</summary>
    /// <param name="place">A file of its own, or the database of a shared store.</param>
    /// <param name="tables">Statements that make what is missing.</param>
    public static Database Beside(string place, string tables)
    {
        var dialect = DialectOf(place, new());
        var database = new Database(dialect, durable: true);
        dialect.Beside(database, tables);
        if (!dialect.IsShared)
            File.SetUnixFileMode(dialect.Place, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return database;
    }

    [GeneratedRegex(@"^(postgres(ql)?://|\s*(Host|Server)\s*=)", RegexOptions.IgnoreCase)]
    private static partial Regex Shared();
}
