using Helix.Runbooks.Journal;

namespace Helix.Server.Accounts;

sealed partial class AccountStore
{
    static readonly TimeSpan Whole = TimeSpan.FromHours(12);
    static readonly TimeSpan Idle = TimeSpan.FromHours(2);
    static readonly TimeSpan Noticed = TimeSpan.FromMinutes(1);
    static readonly TimeSpan InvitationHolds = TimeSpan.FromHours(24);

    /// <returns>What the cookie holds.</returns>
    public string Open(string account, IdentityStrength strength)
    {
        var ticket = Tickets.New();
        Run("DELETE FROM sessions WHERE created < ?1 OR seen < ?2", Ago(Whole), Ago(Idle));
        Run("INSERT INTO sessions (ticket, account, strength, created, seen) VALUES (?1, ?2, ?3, ?4, ?4)", Tickets.Hash(ticket), account, strength.ToString(), Now);
        return ticket;
    }

    /// <summary>Who is behind a cookie; null when the session is over.</summary>
    /// <param name="seen">Somebody is there, so that the session holds on.</param>
    public Caller? CallerOf(string ticket, bool seen = true)
    {
        var hash = Tickets.Hash(ticket);
        if (Rows("SELECT account, strength, seen FROM sessions WHERE ticket = ?1 AND created >= ?2 AND seen >= ?3",
            r => (Account: r.GetString(0), Strength: r.GetString(1), Seen: Moment(r.GetString(2))), hash, Ago(Whole), Ago(Idle)) is not [var session])
            return null;
        if (Find(session.Account) is not { Disabled: false } account)
            return null;
        if (seen && _time.GetUtcNow() - session.Seen > Noticed)
            Run("UPDATE sessions SET seen = ?2 WHERE ticket = ?1", hash, Now);
        var caller = new Caller { Account = account.Name, Grants = account.Grants, Strength = Enum.Parse<IdentityStrength>(session.Strength), Via = Ways.Page, Session = hash, Names = account.Names };
        return caller.Strength != IdentityStrength.Oidc ? caller : SignOn is null ? null : WithProvider(caller, account, now: true);
    }

    public void Close(string session) => Run("DELETE FROM sessions WHERE ticket = ?1", session);

    /// <summary>A link with which the owner of an account sets its password, once.</summary>
    public string Invite(string account)
    {
        var ticket = Tickets.New();
        Run("DELETE FROM invitations WHERE account = ?1 OR expires < ?2", account, Now);
        Run("INSERT INTO invitations (ticket, account, expires) VALUES (?1, ?2, ?3)", Tickets.Hash(ticket), account, Later(InvitationHolds));
        return ticket;
    }

    /// <summary>The account that an invitation is for, as long as it holds.</summary>
    public string? Invited(string ticket) =>
        Rows("SELECT account FROM invitations WHERE ticket = ?1 AND expires >= ?2", r => r.GetString(0), Tickets.Hash(ticket), Now) is [var account] ? account : null;

    /// <summary>False when somebody was faster.</summary>
    public bool UseUp(string ticket) => Run("DELETE FROM invitations WHERE ticket = ?1 AND expires >= ?2", Tickets.Hash(ticket), Now) == 1;

    /// <summary>A secret of this server that outlives it, so that a form that was open before a restart still counts.</summary>
    public byte[] Key(string purpose)
    {
        Run("INSERT INTO keys (purpose, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING", purpose, Tickets.New());
        return System.Text.Encoding.UTF8.GetBytes(One("SELECT key FROM keys WHERE purpose = ?1", r => r.GetString(0), purpose));
    }

    string Ago(TimeSpan span) => (_time.GetUtcNow() - span).ToString("O");
    string Later(TimeSpan span) => (_time.GetUtcNow() + span).ToString("O");
}
