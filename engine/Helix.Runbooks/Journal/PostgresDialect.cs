using System.Data;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Steps;
using Npgsql;

namespace Helix.Runbooks.Journal;

/// <summary>A store in a PostgreSQL database, for several machines: a transaction locks the run that it changes, and what concerns all of them one room at a time.</summary>
sealed class PostgresDialect(PostgresAddress address) : Dialect
{
    const int Oldest = 130_000;
    readonly NpgsqlDataSource _source = address.Source(again: false);
    readonly NpgsqlDataSource _sourceAgain = address.Source(again: true);

    public override string Place => address.Place;
    public override bool IsShared => true;
    public override string Begin => "BEGIN ISOLATION LEVEL READ COMMITTED";
    public override string ForUpdate => " FOR UPDATE";
    public override string? Alone(Room room) => $"SELECT pg_advisory_xact_lock(hashtext('helix ' || current_schema()), {(int)room})";
    public override string Text(string sql) => sql.Replace('?', '$');
    public override DbParameter Parameter(int number) => new NpgsqlParameter();
    public override bool IsWithin(DbConnection connection) => connection.State == ConnectionState.Open;
    public override void CheckPlace(Database database) { }

    public override object Value(object value) => value switch
    {
        bool flag => flag ? 1L : 0L,
        int number => (long)number,
        string text => Valid(text),
        _ => value,
    };

    /// <summary>The snapshot of the database is another one as soon as any transaction that wrote has ended.</summary>
    public override long Version(Database database)
    {
        var snapshot = database.One("SELECT CAST(pg_current_snapshot() AS text)", r => r.GetString(0))!;
        return BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes(snapshot))) & long.MaxValue;
    }

    public override DbConnection Open(bool durable, bool again)
    {
        _ = address.Reveal();
        var connection = (again ? _sourceAgain : _source).CreateConnection();
        try
        {
            connection.Open();
            using var command = new NpgsqlCommand(durable ? Session + Durable : Session + "SET synchronous_commit = off", connection);
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // A driver that stands still within a transaction holds the lock of its run only for so long, and a cut line is noticed from both ends.
    const string Session = """
        SET idle_in_transaction_session_timeout = 4000; SET lock_timeout = 5500; SET statement_timeout = 30000; SET client_min_messages = warning;
        SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000;
        """;

    // More than `on`, as a database with standbys may have it, is left.
    const string Durable = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')";

    public override void Ensure(Database database, string tables)
    {
        CheckServer(database);
        if (!Has(database, "helix_store"))
            database.Transaction(() =>
            {
                database.Run(Alone(Room.Tables)!);
                if (Has(database, "helix_store"))
                    return false; // another one was faster
                if (database.Number("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN ('register', 'runs', 'events')") > 0)
                    throw new RunbookException($"{Place} holds tables of another program.", "Give the store a schema of its own: ?schema=helix.");
                foreach (var statement in StoreSchema.Statements(tables))
                    database.Run(Translated(statement));
                database.Run("CREATE TABLE helix_store (format BIGINT NOT NULL)");
                return database.Run("INSERT INTO helix_store (format) VALUES (?1)", StoreSchema.Format) == 1;
            });
        StoreSchema.CheckFormat(Place, database.Number("SELECT format FROM helix_store"));
    }

    void CheckServer(Database database)
    {
        var (version, encoding, schema) = database.All("SELECT current_setting('server_version_num'), current_setting('server_encoding'), current_schema()",
            r => (int.Parse(r.GetString(0), System.Globalization.CultureInfo.InvariantCulture), r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2)))[0];
        if (version < Oldest)
            throw new RunbookException($"{Place} is a PostgreSQL of version {version / 10_000}.", $"Version {Oldest / 10_000} is the oldest that can hold a store.");
        if (encoding != "UTF8")
            throw new RunbookException($"{Place} holds text as {encoding}.", "Make the database with ENCODING 'UTF8'.");
        if (schema is null)
        {
            // Two that make it at once both find none: one of them meets the other's in the catalogue, IF NOT EXISTS or not.
            var name = $"\"{(address.Schema ?? "public").Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
            database.Run($"DO $helix$ BEGIN CREATE SCHEMA IF NOT EXISTS {name}; EXCEPTION WHEN unique_violation OR duplicate_schema THEN NULL; END $helix$");
        }
    }

    public override bool Has(Database database, string table) =>
        database.Number("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?1", table) > 0;

    public override void Beside(Database database, string tables) => database.Transaction(() =>
    {
        database.Run(Alone(Room.Tables)!);
        foreach (var statement in StoreSchema.Statements(tables))
            database.Run(Translated(statement));
        return true;
    });

    static string Translated(string statement) => statement
        .Replace("INTEGER PRIMARY KEY", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", StringComparison.Ordinal)
        .Replace(" INTEGER", " BIGINT", StringComparison.Ordinal)
        .Replace(" TEXT", " TEXT COLLATE \"C\"", StringComparison.Ordinal)
        .Replace(" BLOB", " BYTEA", StringComparison.Ordinal)
        .Replace(" WITHOUT ROWID", "", StringComparison.Ordinal);

    public override Exception Fault(DbException e) => Lost(e) is var (words, back) ? new StoreLostException(words, e) { MayComeBack = back } : e;

    public override Exception Gone() => new StoreLostException($"The connection to the store {Place} broke.", new IOException()) { MayComeBack = true };

    public override Exception WhenOpening(Exception e) => ((e as StoreLostException)?.InnerException ?? e) switch
    {
        PostgresException { SqlState: "28P01" or "28000" } refused => new RunbookException($"The store {Place} lets this user not in: {refused.MessageText}.",
            "The password comes from $PGPASSWORD, $PGPASSFILE or ~/.pgpass, or from where the name of the store says: password=env:NAME or password=file:/path."),
        PostgresException { SqlState: "3D000" } missing => new RunbookException($"The store {Place} is not there: {missing.MessageText}.", "An administrator of the server makes it: createdb --owner helix helix."),
        PostgresException { SqlState: "42501" } refused => new RunbookException($"The store {Place} cannot be made or used by this user: {refused.MessageText}.", "The user needs a schema of its own, or CREATE on this one."),
        DbException fault when Lost(fault) is var (words, _) => new RunbookException(words, "Is the server up, and can it be reached from here? Nothing was done."),
        var other => other,
    };

    (string Words, bool MayComeBack)? Lost(DbException e) => e is not PostgresException said
        ? ($"The store {Place} does not answer: {(e.InnerException ?? e).Message.TrimEnd('.')}.", true)
        : said.SqlState switch
        {
            "55P03" or "57014" or "40P01" or "40001" => ($"The store {Place} stayed locked by another process for too long.", true),
            "25006" => ($"The store {Place} cannot be written: it is read-only, as a standby is.", true),
            "53100" => ($"The store {Place} cannot be written: the disk of its server is full.", true),
            "25P03" or ['5', '7', 'P', ..] or ['5', '3', ..] or ['0', '8', ..] => ($"The store {Place} is away: {said.MessageText}.", true),
            ['5', '8', ..] or ['X', 'X', ..] => ($"The server of the store {Place} reports a fault: {said.MessageText}.", false),
            ['2', '8', ..] or "42501" => ($"The store {Place} lets this user not in any more: {said.MessageText}.", false),
            _ => null,
        };

    /// <summary>A text of PostgreSQL is valid Unicode without U+0000.</summary>
    static string Valid(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            text = text.Replace('\0', '\uFFFD');
        return text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? text : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
    }
}
