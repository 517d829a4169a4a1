using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Vault;

/// <summary>One Vault. Credentials are only needed by what asks for more than its state.</summary>
[Target("vault", "A HashiCorp Vault, or OpenBao: one server, or a cluster behind one address.")]
public sealed record VaultTarget : RunningTarget, IHoldsSecrets, IRenewsCredentials
{
    [Description("Its address.")]
    [Example("https://vault:8200")]
    [RegularExpression("^https?://[^/?#\\s]+/?$", ErrorMessage = "{0} must be http://host:port or https://host:port, without a path.")]
    public required string Url { get; init; }

    [Description("A token. Better is a login, which a long run can repeat.")]
    [Example("env:VAULT_TOKEN")]
    public Secret? Token { get; init; }

    [Description("Log in by AppRole instead of with a token.")]
    public VaultAppRole? AppRole { get; init; }

    [Description("Log in with name and password instead of with a token.")]
    public VaultUserpass? Userpass { get; init; }

    [Description("The namespace, where there are several.")]
    public string? Namespace { get; init; }

    [Description("PEM file of the certificate authorities to trust instead of the system's.")]
    [FilePath]
    public string? CaFile { get; init; }

    [Description("How long one request may take before it counts as unanswered.")]
    public Duration Timeout { get; init; } = new(TimeSpan.FromSeconds(20));

    [Description("How long a run may need it. The pre-flight compares what is left of a token's life with this.")]
    public Duration NeededFor { get; init; } = new(TimeSpan.FromHours(1));

    [JsonIgnore]
    public override string Address => Uri.TryCreate(Url, UriKind.Absolute, out var url) ? $"vault:{url.Authority}" : $"vault:{Url}";

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => Runtime is null ? [] : Service.Tools;

    /// <summary>It can log in anew, however long a run takes.</summary>
    internal bool LogsIn => AppRole is not null || Userpass is not null;

    /// <summary>A token that was given lives only as long as somebody renews it; a login is repeated when it is needed.</summary>
    public async Task<TimeSpan?> Renew(PlanContext context)
    {
        if (Token is null || LogsIn)
            return null;
        await using var token = new VaultToken(this, context);
        return await token.Renew();
    }

    /// <summary>The id of the cluster; a sealed or uninitialised Vault does not tell it.</summary>
    public override async Task<string?> ReadPlace(PlanContext context)
    {
        try
        {
            using var http = new VaultHttp(this, context);
            return (await VaultHealth.Read(http)).ClusterId;
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return null;
        }
    }

    /// <summary>Its <c>cluster_name</c>, where the environment names one: else it is a made-up name that says nothing.</summary>
    public override async Task<string?> ReadLabel(PlanContext context)
    {
        if (Identity?.Label is null)
            return null;
        try
        {
            using var http = new VaultHttp(this, context);
            return (await VaultHealth.Read(http)).ClusterName;
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return null;
        }
    }

    public override async Task<string> Check(PlanContext context)
    {
        using var http = new VaultHttp(this, context);
        var health = await VaultHealth.Read(http);
        if (!health.IsOpen || (Token is null && !LogsIn))
            return health.ToString();
        await using var session = new VaultSession(this, context);
        return $"{health}, {await session.CheckLife(NeededFor.Value)}";
    }

    public async Task<string> ReadSecret(string path, string field, PlanContext context)
    {
        await using var session = new VaultSession(this, context);
        return (await KvSecret.Read(session, path)).Field(field);
    }
}

public sealed record VaultAppRole
{
    [Description("The id of the role.")]
    [Example("env:VAULT_ROLE_ID")]
    public required Secret RoleId { get; init; }

    [Description("Its secret id.")]
    [Example("env:VAULT_SECRET_ID")]
    public required Secret SecretId { get; init; }

    [Description("Where the method is mounted.")]
    public string Mount { get; init; } = "approle";
}

public sealed record VaultUserpass
{
    [Description("The name of the user.")]
    [Example("helix")]
    public required string User { get; init; }

    [Description("The password.")]
    [Example("env:VAULT_PASSWORD")]
    public required Secret Password { get; init; }

    [Description("Where the method is mounted.")]
    public string Mount { get; init; } = "userpass";
}
