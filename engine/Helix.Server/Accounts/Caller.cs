using Helix.Runbooks.Journal;

namespace Helix.Server.Accounts;

/// <summary>Who makes a request, and what that person may do.</summary>
public sealed record Caller
{
    public required string Account { get; init; }
    public required IReadOnlyList<Grant> Grants { get; init; }
    public required IdentityStrength Strength { get; init; }

    /// <summary>One of <see cref="Ways"/>: the pages or the API.</summary>
    public required string Via { get; init; }

    /// <summary>For a request with a token: what the token may do at most. Null: all that the account may.</summary>
    public IReadOnlyList<Role>? Scopes { get; init; }

    /// <summary>For a token that was made for a hook: its name. It opens nothing else.</summary>
    public string? Hook { get; init; }

    /// <summary>For a request with a session: its id, to which the forms are bound.</summary>
    public string? Session { get; init; }

    /// <summary>Who vouches for the person, and as whom.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>Groups of approvers for which the identity provider vouches.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    public Person Person => new(Account, Strength, Via) { Names = Names, Groups = Groups.Count > 0 ? Groups : null };

    public bool May(Role role, string environment) =>
        (Scopes is null || role == Role.Viewer || Scopes.Contains(role) || Scopes.Contains(Role.Admin))
        && Grants.Any(g => g.Covers(environment) && (g.Role == role || g.Role == Role.Admin || role == Role.Viewer));

    /// <summary>The environments whose runs it may see; null: all, also those to come.</summary>
    public IReadOnlyList<string>? Sees => May(Role.Viewer, Grant.Everywhere) ? null : [.. Grants.Select(g => g.Environment).Distinct()];

    /// <summary>On some environment.</summary>
    public bool MaySomewhere(Role role) => Grants.Any(g => May(role, g.Environment));

    public bool IsAdmin => May(Role.Admin, Grant.Everywhere);
}
