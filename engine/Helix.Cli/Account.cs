using Helix.Runbooks.Journal;

namespace Helix.Cli;

/// <summary>Who sits here, as the kernel and the password file say.</summary>
static class Account
{
    /// <summary>Never SUDO_USER, USER or LOGNAME: anybody can set those.</summary>
    public static Person Operator() => new(Name(), IdentityStrength.Os, "cli");

    /// <summary>.NET asks getpwuid for the effective user; an id without an entry is named by its number.</summary>
    static string Name() => Environment.UserName is { Length: > 0 } name ? name : $"uid-{UserId()}";

    static string UserId() =>
        File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("Uid:", StringComparison.Ordinal))?.Split('\t', StringSplitOptions.RemoveEmptyEntries)[2] ?? "unknown";
}
