using Helix.Runbooks.Steps;

namespace Helix.Server.Accounts;

/// <summary>What somebody may do. Each includes that of a viewer; an administrator may do all.</summary>
public enum Role
{
    /// <summary>Sees runs, runbooks, backups and records.</summary>
    Viewer,
    /// <summary>Starts, pauses, cancels and resumes; answers steps that failed or are done by hand; adds notes.</summary>
    Operator,
    /// <summary>Answers approvals, where the runbook names the person or a group of the person; adds notes.</summary>
    Approver,
    /// <summary>Sees the text of runbooks with its problems, and what a plan would do.</summary>
    Author,
    /// <summary>Everything, and accounts.</summary>
    Admin,
}

/// <summary>A role on one environment, or on all (<c>*</c>).</summary>
public sealed record Grant(Role Role, string Environment)
{
    public const string Everywhere = "*";

    /// <summary>Written as operator:production, or viewer:* for all.</summary>
    /// <exception cref="RunbookException">It is not.</exception>
    public static Grant Parse(string text) => text.Split(':', 2) is [var role, var environment] && Enum.TryParse<Role>(role, ignoreCase: true, out var parsed) && environment.Length > 0
        ? new Grant(parsed, environment)
        : throw new RunbookException($"'{text}' is no role on an environment.", "Write it as operator:production, or operator:* for all.");

    public bool Covers(string environment) => Environment == Everywhere || Environment == environment;
    public override string ToString() => $"{Role.ToString().ToLowerInvariant()} on {(Environment == Everywhere ? "all" : Environment)}";
}
