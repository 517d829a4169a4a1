using System.Data.Common;
using System.Text.RegularExpressions;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Server.Accounts;

/// <summary>Accounts, sessions, tokens and the log of refusals: in a SQLite file beside the store, or in the database that several servers share. Knows nothing about runs.</summary>
/// <remarks>Its statements are read by SQLite and PostgreSQL alike: upserts are written out with <c>ON CONFLICT</c>, flags are 0 and 1.</remarks>
sealed partial class AccountStore : IDisposable
{
    readonly Database _database;
    readonly Lock _lock = new();
    readonly TimeProvider _time;
    readonly int _rounds;

    /// <param name="place">A file, or the database of a shared store.</param>
    public AccountStore(string place, TimeProvider time, int rounds)
    {
        (_time, _rounds) = (time, rounds);
        _database = StorePlace.Beside(place, Tables + OutboxTables + FiringTables);
    }

    public bool IsEmpty => One("SELECT count(*) FROM accounts", r => r.GetInt64(0)) == 0;

    public IReadOnlyList<Account> All() => [.. Rows("SELECT name FROM accounts ORDER BY name", r => r.GetString(0)).Select(n => Find(n)!)];

    public Account? Find(string name) => Rows("SELECT name, password, disabled, created FROM accounts WHERE name = ?1",
        r => new Account(r.GetString(0), r.IsDBNull(1) ? null : r.GetString(1), r.GetInt64(2) != 0, Moment(r.GetString(3)), []), name) is [var found] ? found with { Grants = Grants(name), Identities = IdentitiesOf(name) } : null;

    List<Grant> Grants(string name) => Rows("SELECT role, environment FROM grants WHERE account = ?1 ORDER BY environment, role",
        r => new Grant(Enum.Parse<Role>(r.GetString(0)), r.GetString(1)), name);

    /// <exception cref="RunbookException">The name is taken or is none.</exception>
    public void Add(string name, IEnumerable<Grant> grants)
    {
        if (!Name().IsMatch(name))
            throw new RunbookException($"'{name}' cannot be the name of an account.", "Letters, digits, '.', '-', '_' and '@', at most 64, beginning with a letter.");
        if (!Make(name, grants))
            throw new RunbookException($"There is an account '{name}' already.");
    }

    /// <summary>False: there is one of this name.</summary>
    bool Make(string name, IEnumerable<Grant> grants) => Together(() =>
    {
        if (Run("INSERT INTO accounts (name, created) VALUES (?1, ?2) ON CONFLICT DO NOTHING", name, Now) == 0)
            return false;
        SetGrants(name, grants);
        return true;
    });

    public void SetGrants(string name, IEnumerable<Grant> grants) => Together(() =>
    {
        // Two at once, one after the other: else none would see what the other has put in, and both would stay.
        Run("UPDATE accounts SET disabled = disabled WHERE name = ?1", name);
        Run("DELETE FROM grants WHERE account = ?1", name);
        foreach (var grant in grants.Distinct())
            Run("INSERT INTO grants (account, role, environment) VALUES (?1, ?2, ?3)", name, grant.Role.ToString(), grant.Environment);
    });

    /// <summary>A new password ends all sessions of the account.</summary>
    public void SetPassword(string name, string password)
    {
        if (Passwords.Fault(password) is { } fault)
            throw new RunbookException(fault);
        Run("UPDATE accounts SET password = ?2 WHERE name = ?1", name, Passwords.Hash(password, _rounds));
        Run("DELETE FROM sessions WHERE account = ?1", name);
    }

    /// <summary>A disabled account has no session and no token any more.</summary>
    public void SetDisabled(string name, bool disabled)
    {
        Run("UPDATE accounts SET disabled = ?2 WHERE name = ?1", name, disabled ? 1 : 0);
        if (!disabled)
            return;
        Run("DELETE FROM sessions WHERE account = ?1", name);
        Run("DELETE FROM tokens WHERE account = ?1", name);
    }

    /// <summary>The account when the password is its own. Takes as long for a name that nobody has.</summary>
    public Account? Check(string name, string password)
    {
        var account = Find(name);
        var fits = Passwords.Fits(password, account?.Password ?? Nobody);
        return fits && account is { Password: not null, Disabled: false } ? account : null;
    }

    string Nobody => _nobody ??= Passwords.Hash(Tickets.New(), _rounds);
    string? _nobody;

    string Now => _time.GetUtcNow().ToString("O");
    static DateTimeOffset Moment(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    int Run(string sql, params ReadOnlySpan<object?> values)
    {
        var copy = values.ToArray();
        return Together(() => _database.Run(sql, copy));
    }

    void Together(Action work) => Together(() =>
    {
        work();
        return true;
    });

    /// <summary>All of it or nothing.</summary>
    T Together<T>(Func<T> work)
    {
        lock (_lock)
        {
            if (_within)
                return work();
            _within = true;
            try
            {
                return _database.Transaction(work);
            }
            finally
            {
                _within = false;
            }
        }
    }

    bool _within;

    List<T> Rows<T>(string sql, Func<DbDataReader, T> row, params ReadOnlySpan<object?> values)
    {
        lock (_lock)
            return _database.All(sql, row, values);
    }

    T One<T>(string sql, Func<DbDataReader, T> row, params ReadOnlySpan<object?> values) => Rows(sql, row, values)[0];

    public void Dispose()
    {
        lock (_lock)
            _database.Dispose();
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9._@-]{0,63}$")]
    private static partial Regex Name();

    const string Tables = """
        CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, password TEXT, disabled INTEGER NOT NULL DEFAULT 0, created TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS keys (purpose TEXT PRIMARY KEY, key TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS grants (account TEXT NOT NULL, role TEXT NOT NULL, environment TEXT NOT NULL, PRIMARY KEY (account, role, environment)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS invitations (ticket TEXT PRIMARY KEY, account TEXT NOT NULL, expires TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS sessions (ticket TEXT PRIMARY KEY, account TEXT NOT NULL, strength TEXT NOT NULL, created TEXT NOT NULL, seen TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS tokens (id TEXT PRIMARY KEY, ticket TEXT NOT NULL UNIQUE, account TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, created TEXT NOT NULL, expires TEXT NOT NULL, used TEXT);
        CREATE TABLE IF NOT EXISTS identities (provider TEXT NOT NULL, subject TEXT NOT NULL, account TEXT NOT NULL, groups TEXT NOT NULL, seen TEXT NOT NULL, PRIMARY KEY (provider, subject)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS requests (account TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (account, key)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS planned (schedule TEXT NOT NULL, planned TEXT NOT NULL, at TEXT NOT NULL, result TEXT NOT NULL, run TEXT, detail TEXT NOT NULL, PRIMARY KEY (schedule, planned)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS paused (schedule TEXT PRIMARY KEY);
        CREATE TABLE IF NOT EXISTS failures (key TEXT PRIMARY KEY, failed INTEGER NOT NULL, until TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY, at TEXT NOT NULL, account TEXT, address TEXT, what TEXT NOT NULL, result TEXT NOT NULL, detail TEXT NOT NULL);

        """;
}

/// <summary>Somebody who may log in. Without a password only by another way (an invitation, an identity provider).</summary>
public sealed record Account(string Name, string? Password, bool Disabled, DateTimeOffset Created, IReadOnlyList<Grant> Grants)
{
    /// <summary>Who vouches for the person, and as whom. None: the machines do, as the account is called.</summary>
    public IReadOnlyList<Identity> Identities { get; init; } = [];

    /// <summary>As the record of a run keeps it.</summary>
    internal IReadOnlyList<string>? Names => Identities.Count == 0 ? null : [.. Identities.Select(i => $"{i.Provider} {i.Subject}")];

    /// <summary>Somebody who signed on, and of whom nobody has said yet who it is on the machines.</summary>
    public bool IsStranger => Identities.Count > 0 && !Identities.Any(i => i.Provider == Helix.Runbooks.Journal.Person.Machines);
}
