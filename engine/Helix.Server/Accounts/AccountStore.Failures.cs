namespace Helix.Server.Accounts;

sealed partial class AccountStore
{
    /// <summary>Until when whoever comes under this key must wait.</summary>
    public DateTimeOffset? WaitsUntil(string key) =>
        Rows("SELECT until FROM failures WHERE key = ?1", r => Moment(r.GetString(0)), Hashed(key)) is [var until] ? until : null;

    /// <param name="until">From the number of failures, this one included, to the end of the wait.</param>
    public void CountFailed(string key, Func<int, DateTimeOffset> until)
    {
        Run("DELETE FROM failures WHERE until < ?1", Ago(Remembered));
        // Together: a login that succeeds meanwhile forgets all of it, and must not do so in between.
        Together(() =>
        {
            Run("INSERT INTO failures (key, failed, until) VALUES (?1, 1, ?2) ON CONFLICT (key) DO UPDATE SET failed = failures.failed + 1", Hashed(key), Now);
            var failed = One("SELECT failed FROM failures WHERE key = ?1", r => (int)r.GetInt64(0), Hashed(key));
            Run("UPDATE failures SET until = ?2 WHERE key = ?1", Hashed(key), until(failed).ToUniversalTime().ToString("O"));
        });
    }

    public void ForgetFailed(string key) => Run("DELETE FROM failures WHERE key = ?1", Hashed(key));

    static readonly TimeSpan Remembered = TimeSpan.FromHours(1);

    // What strangers type as a name may be long, or a password in the wrong field.
    static string Hashed(string key) => Tickets.Hash(key);
}
