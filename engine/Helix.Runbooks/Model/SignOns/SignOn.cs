using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.SignOns;

/// <summary>How people sign on through an identity provider (OpenID Connect), and what its word about them counts for.</summary>
public sealed record SignOn
{
    public required string Issuer { get; init; }
    public required string ClientId { get; init; }
    public Secret? ClientSecret { get; init; }
    public required string Button { get; init; }
    public required IReadOnlyList<string> Scopes { get; init; }
    public required string AccountClaim { get; init; }
    public required string GroupsClaim { get; init; }

    /// <summary>Its names are those of the accounts on the machines.</summary>
    public required bool SameNames { get; init; }

    /// <summary>Subject → account.</summary>
    public required IReadOnlyDictionary<string, string> People { get; init; }

    /// <summary>Group → roles, as "operator:production".</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Roles { get; init; }

    /// <summary>Group → groups that questions name.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Approvers { get; init; }
    public required TimeSpan FreshFor { get; init; }
    public string? CaFile { get; init; }

    /// <summary>Relative <c>file:</c> references start here.</summary>
    public required string BaseDirectory { get; init; }
}
