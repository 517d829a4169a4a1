using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;

namespace Helix.Server.Accounts;

sealed partial class AccountStore
{
    const string Prefix = "helix_", HookScope = "hook:";

    /// <summary>A token for programs: shown once, kept as a hash, limited to some roles and a time.</summary>
    /// <param name="hook">It calls this hook and does nothing else.</param>
    public string NewToken(string account, string name, IReadOnlyList<Role> scopes, TimeSpan holds, string? hook = null)
    {
        if (string.IsNullOrWhiteSpace(name))
            throw new RunbookException("A token needs a name, so that it is known later what it was for.");
        if (holds <= TimeSpan.Zero || holds > TimeSpan.FromDays(366))
            throw new RunbookException("A token holds for a day at least and a year at most.");
        var token = Prefix + Tickets.New();
        Run("INSERT INTO tokens (id, ticket, account, name, scopes, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            Tickets.New()[..12], Tickets.Hash(token), account, name.Trim(), hook is null ? string.Join(',', scopes.Distinct()) : HookScope + hook, Now, Later(holds));
        return token;
    }

    public IReadOnlyList<ApiToken> TokensOf(string account) => Rows(
        "SELECT id, name, scopes, created, expires, used FROM tokens WHERE account = ?1 ORDER BY created",
        r => new ApiToken(r.GetString(0), r.GetString(1), Scopes(r.GetString(2)), Moment(r.GetString(3)), Moment(r.GetString(4)), r.IsDBNull(5) ? null : Moment(r.GetString(5)), HookOf(r.GetString(2))), account);

    public bool Revoke(string account, string id) => Run("DELETE FROM tokens WHERE account = ?1 AND id = ?2", account, id) == 1;

    /// <summary>Who is behind a token; null when it is unknown, over or revoked.</summary>
    public Caller? CallerOfToken(string token, bool seen = true)
    {
        var hash = Tickets.Hash(token);
        if (Rows("SELECT account, scopes, used FROM tokens WHERE ticket = ?1 AND expires >= ?2",
            r => (Account: r.GetString(0), Scopes: Scopes(r.GetString(1)), Hook: HookOf(r.GetString(1)), Used: r.IsDBNull(2) ? (DateTimeOffset?)null : Moment(r.GetString(2))), hash, Now) is not [var found])
            return null;
        if (Find(found.Account) is not { Disabled: false } account)
            return null;
        if (seen && (found.Used is null || _time.GetUtcNow() - found.Used > Noticed))
            Run("UPDATE tokens SET used = ?2 WHERE ticket = ?1", hash, Now);
        return WithProvider(new Caller { Account = account.Name, Grants = account.Grants, Strength = IdentityStrength.Password, Via = Ways.Api, Scopes = found.Scopes, Hook = found.Hook, Names = account.Names }, account, now: false);
    }

    static string? HookOf(string scopes) => scopes.StartsWith(HookScope, StringComparison.Ordinal) ? scopes[HookScope.Length..] : null;

    /// <summary>A token for a hook starts what its triggers start, as far as its account may.</summary>
    static List<Role> Scopes(string text) => HookOf(text) is not null ? [Role.Operator] : [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Enum.Parse<Role>)];
}

public sealed record ApiToken(string Id, string Name, IReadOnlyList<Role> Scopes, DateTimeOffset Created, DateTimeOffset Expires, DateTimeOffset? Used, string? Hook);
