using Helix.Runbooks.Journal;
using Helix.Runbooks.Model.SignOns;
using Helix.Runbooks.Steps;
using Helix.Server.SignOns;

namespace Helix.Server.Accounts;

sealed partial class AccountStore
{
    /// <summary>Null: nobody signs on through a provider.</summary>
    public SignOn? SignOn { get; init; }

    /// <summary>The account of somebody for whom the provider vouches, made when it is not there yet.</summary>
    /// <exception cref="SignOnRefusedException">The person may do nothing here.</exception>
    public Account SignedOn(Vouched who)
    {
        var (issuer, known) = (SignOn!.Issuer, AccountOf(SignOn.Issuer, who.Subject));
        var stated = SignOn.People.GetValueOrDefault(who.Subject) ?? known ?? (SignOn.SameNames && Name().IsMatch(who.Name) ? who.Name : null);
        if (stated is not null && stated != known && IdentitiesOf(stated).FirstOrDefault(i => i.Provider == issuer) is { } other && other.Subject != who.Subject)
            throw new SignOnRefusedException($"The account {stated} belongs to another person at the provider.");
        if ((stated is null ? null : Find(stated)) is { Disabled: true })
            throw new SignOnRefusedException($"The account {stated} is disabled.");
        if (GrantsOf(who.Groups).Count == 0 && (stated is null || Grants(stated).Count == 0))
            throw new SignOnRefusedException($"{who.Name} is in no group of the provider that may do anything here{(who.Groups.Count > 0 ? $" ({string.Join(", ", who.Groups)})" : "")}.");
        var (account, isNew) = stated is null ? Stranger(who) : (stated, Find(stated) is null);
        var done = Together(() =>
        {
            if (AccountOf(issuer, who.Subject) != known || (isNew && !Make(account, [])))
                return false;
            // Whoever states an account says who it is on the machines too; of a stranger nothing is known.
            if (stated is not null && stated != known && IdentitiesOf(account).Count == 0)
                Bind(Person.Machines, account, account, []);
            Bind(issuer, who.Subject, account, who.Groups);
            return true;
        });
        // At the same moment the person, in another window, or somebody else of this name was made an account: it is looked at anew.
        return done ? Find(account)! : SignedOn(who);
    }

    public IReadOnlyList<Identity> IdentitiesOf(string account) => Rows("SELECT provider, subject, groups, seen FROM identities WHERE account = ?1 ORDER BY provider, subject",
        r => new Identity(r.GetString(0), r.GetString(1), r.GetString(2).Split('\n', StringSplitOptions.RemoveEmptyEntries), Moment(r.GetString(3))), account);

    /// <summary>An administrator says who an account is elsewhere; what belonged to a stranger's account ends that one.</summary>
    public void SetIdentities(string account, IReadOnlyList<(string Provider, string Subject)> identities) => Together(() =>
    {
        var before = IdentitiesOf(account);
        Run("DELETE FROM identities WHERE account = ?1", account);
        foreach (var (provider, subject) in identities.Distinct())
        {
            var owner = AccountOf(provider, subject);
            if (owner is not null && Find(owner) is { Password: not null })
                throw new RunbookException($"'{subject}' is {owner} already.", "Take it from there first.");
            Bind(provider, subject, account, before.FirstOrDefault(i => (i.Provider, i.Subject) == (provider, subject))?.Groups ?? []);
            if (owner is not null)
                SetDisabled(owner, true);
        }
    });

    string? AccountOf(string provider, string subject) =>
        Rows("SELECT account FROM identities WHERE provider = ?1 AND subject = ?2", r => r.GetString(0), provider, subject) is [var account] ? account : null;

    void Bind(string provider, string subject, string account, IReadOnlyList<string> groups) => Run("""
        INSERT INTO identities (provider, subject, account, groups, seen) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (provider, subject) DO UPDATE SET account = excluded.account, groups = excluded.groups, seen = excluded.seen
        """, provider, subject, account, string.Join('\n', groups), Now);

    /// <summary>A name that no account of the machines can have, so that nobody signs on as somebody else by choosing a name at the provider.</summary>
    (string Account, bool IsNew) Stranger(Vouched who)
    {
        var wanted = "oidc:" + (Name().IsMatch(who.Name) ? who.Name : "person");
        if (Find(wanted) is null)
            return (wanted, true);
        var own = $"{wanted}-{Tickets.Hash(who.Subject)[..8]}";
        return (own, Find(own) is null);
    }

    /// <summary>What the groups of the provider may do here.</summary>
    List<Grant> GrantsOf(IReadOnlyList<string> groups) => [.. groups.SelectMany(g => SignOn?.Roles.GetValueOrDefault(g) ?? []).Select(Grant.Parse).Distinct()];

    /// <summary>Adds to a caller what the provider said of the person, as long as that counts.</summary>
    /// <param name="now">Signed on in this session; else it counts for a while after the last time.</param>
    Caller WithProvider(Caller caller, Account account, bool now)
    {
        var groups = account.Identities.Where(i => i.Provider == SignOn?.Issuer && (now || _time.GetUtcNow() - i.Seen <= SignOn.FreshFor)).SelectMany(i => i.Groups).Distinct().ToList();
        return caller with
        {
            Grants = [.. account.Grants.Concat(GrantsOf(groups)).Distinct()],
            Groups = [.. groups.SelectMany(g => SignOn!.Approvers.GetValueOrDefault(g) ?? []).Distinct()],
        };
    }
}

/// <summary>How a provider calls the person of an account.</summary>
/// <param name="Provider">The issuer, or <c>os</c> for the machines.</param>
public sealed record Identity(string Provider, string Subject, IReadOnlyList<string> Groups, DateTimeOffset Seen);
