using System.Net;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Model.SignOns;
using Helix.Runbooks.Steps;

namespace Helix.Server;

/// <summary>What <c>helix serve</c> was told.</summary>
public sealed record ServerSettings
{
    public required IPEndPoint Listen { get; init; }

    /// <summary>Holds the runbooks, and below it <c>environments/</c>.</summary>
    public required string Runbooks { get; init; }
    public required string StorePath { get; init; }
    public string? SecondStore { get; init; }

    /// <summary>Its name among the servers of the store. Null: that of the machine.</summary>
    public string? Node { get; init; }

    /// <summary>What it has, for runbooks that need it.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>PEM files for TLS.</summary>
    public string? Certificate { get; init; }
    public string? CertificateKey { get; init; }

    /// <summary>How people reach the server when a proxy stands before it; cookies, links and the check of the origin go by it.</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>Listens beyond this machine without TLS: passwords and sessions can be read on the way.</summary>
    public bool Insecure { get; init; }

    /// <summary>Prints a link with which another administrator is made, although there are accounts.</summary>
    public bool NewAdministrator { get; init; }

    /// <summary>How people sign on through an identity provider; null: with passwords only.</summary>
    public SignOn? SignOn { get; init; }

    /// <summary>Rounds of PBKDF2 for new passwords; tests take fewer.</summary>
    internal int PasswordRounds { get; init; } = 210_000;

    /// <summary>How long others, as a shelf of backups or the identity provider, may take to answer while a page waits for them. Null: as it fits each; tests wait longer.</summary>
    internal TimeSpan? Patience { get; init; }

    /// <summary>For files of runs under way; beside the store's file unless it is said.</summary>
    public string DataFolder
    {
        get => field ?? Path.GetDirectoryName(Path.GetFullPath(StorePath))!;
        init;
    }

    /// <summary>Accounts, sessions and tokens; nothing about runs. Several servers share them as they share the store.</summary>
    public string AccountsPath => StorePlace.IsShared(StorePath) ? StorePath : Path.Combine(DataFolder, "server.db");

    public bool UsesTls => Certificate is not null;

    /// <summary>Browsers reach it by https, here or at the proxy.</summary>
    public bool IsSecure => UsesTls || PublicUrl?.Scheme == Uri.UriSchemeHttps;

    /// <exception cref="RunbookException">The address would show passwords to the network, or a file is not there.</exception>
    public void Check()
    {
        if (!IPAddress.IsLoopback(Listen.Address) && !UsesTls && !Insecure)
            throw new RunbookException($"{Listen} can be reached from other machines, and without TLS everybody on the way can read passwords and sessions.",
                "Give --tls-certificate and --tls-key, or listen on 127.0.0.1 behind a proxy that speaks TLS. --insecure does it all the same.");
        if (Certificate is not null != CertificateKey is not null)
            throw new RunbookException("TLS needs a certificate and its key.", "Give both --tls-certificate and --tls-key, as PEM files.");
        foreach (var file in new[] { Certificate, CertificateKey }.OfType<string>().Where(f => !File.Exists(f)))
            throw new RunbookException($"There is no file '{file}'.", "--tls-certificate and --tls-key name PEM files.");
        if (SignOn is not null && PublicUrl is null && !IPAddress.IsLoopback(Listen.Address))
            throw new RunbookException("The identity provider sends people back to an address of this server, and which that is was not said.", "Give --public-url, as https://helix.example.com, and register that address with /login/oidc/callback at the provider.");
        if (!Directory.Exists(Runbooks))
            throw new RunbookException($"There is no folder '{Runbooks}'.", "--runbooks names the folder with the runbooks, and with their environments below environments/.");
    }
}
