namespace Helix.Server.Accounts;

sealed partial class AccountStore
{
    /// <summary>What happened at the door: logins, refusals, changes of accounts. What happens to a run stands in its own record.</summary>
    public void Audit(string? account, string? address, string what, string result, string detail = "") => Run(
        "INSERT INTO audit (at, account, address, what, result, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", Now, account, address, what, result, detail);

    public IReadOnlyList<AuditLine> Audited(int limit) => Rows(
        "SELECT at, account, address, what, result, detail FROM audit ORDER BY id DESC LIMIT ?1",
        r => new AuditLine(Moment(r.GetString(0)), r.IsDBNull(1) ? null : r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5)), limit);

    /// <summary>Reserves a run for a request, so that the same request never makes two: gives the run that the first one got.</summary>
    /// <param name="body">A digest of what was asked for.</param>
    /// <returns>The run, and whether the same key was used for something else.</returns>
    public (string Run, bool Other) Reserve(string account, string key, string body, string fresh)
    {
        Run("INSERT INTO requests (account, key, body, run, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING", account, key, body, fresh, Now);
        var (run, first) = One("SELECT run, body FROM requests WHERE account = ?1 AND key = ?2", r => (r.GetString(0), r.GetString(1)), account, key);
        return (run, first != body);
    }
}

public sealed record AuditLine(DateTimeOffset At, string? Account, string? Address, string What, string Result, string Detail);
