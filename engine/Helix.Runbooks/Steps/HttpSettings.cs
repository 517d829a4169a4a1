namespace Helix.Runbooks.Steps;

/// <summary>How to reach an HTTP server.</summary>
public sealed record HttpSettings
{
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For one request, headers and body.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>PEM file of the certificate authorities to trust instead of the system's.</summary>
    public string? CaFile { get; init; }

    public bool FollowRedirects { get; init; } = true;
}
