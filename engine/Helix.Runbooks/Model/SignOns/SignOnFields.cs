using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.SignOns;

// The fields of a file for signing on, as they are written.

sealed record SignOnFields
{
    public const string RolePattern = @"^(viewer|operator|approver|author|admin):(\*|[a-z0-9]+(-[a-z0-9]+)*)$";

    [Description("The version of the language: helix.runbooks/v1."), Required]
    public ApiVersion? ApiVersion { get; init; }

    [Description("Equals the file name, in kebab-case."), Required, RegularExpression(Names.KebabPattern)]
    public string? Name { get; init; }

    [Description("The address of the provider, exactly as its tokens name it."), Required]
    public string? Issuer { get; init; }

    [Description("How the provider calls this server."), Required]
    public string? ClientId { get; init; }

    [Description("What this server proves itself with. Without it only PKCE protects the code.")]
    public Secret? ClientSecret { get; init; }

    [Description("The words on the button of the login page.")]
    public string? Button { get; init; }

    [Description("What the provider is asked for, beside openid. Default: profile.")]
    public IReadOnlyList<string>? Scopes { get; init; }

    [Description("The claim that names the person. Default: preferred_username.")]
    public string? AccountClaim { get; init; }

    [Description("The claim with the groups of the person. Default: groups.")]
    public string? GroupsClaim { get; init; }

    [Description("true: the provider calls people as the machines do, and nobody can change the own name there. Then who is alice at the provider is alice at a terminal and in runbooks. false: who signs on is a person of whom nothing more is known until `people` or an administrator says it.")]
    public bool? SameNames { get; init; }

    [Description("Single persons: the subject (`sub`) at the provider to the account that it is, here and on the machines.")]
    public IReadOnlyDictionary<string, string>? People { get; init; }

    [Description("Group at the provider to roles: viewer, operator, approver, author or admin on an environment, as operator:production, or on all: viewer:*.")]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Roles { get; init; }

    [Description("Group at the provider to groups that questions ask, as environments name them below people.groups.")]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Approvers { get; init; }

    [Description("For how long after a sign-on the tokens of a person still have the rights of the groups. Default: 24h.")]
    public Duration? FreshFor { get; init; }

    [Description("PEM file of the certificate authorities to trust instead of the system's; relative to this file.")]
    public string? CaFile { get; init; }
}
