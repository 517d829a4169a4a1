namespace Helix.Server.Accounts;

/// <summary>What somebody may do. Each includes that of a viewer; an administrator may do all.</summary>
public enum Role
{
    /// <summary>Sees runs, runbooks, backups and records.</summary>
    Viewer,
    /// <summary>Starts, pauses, cancels and resumes; answers steps that failed or are done by hand.</summary>
    Operator,
    /// <summary>Answers approvals, where the runbook names the person or a group of the person.</summary>
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

    public bool Covers(string environment) => Environment == Everywhere || Environment == environment;
    public override string ToString() => $"{Role.ToString().ToLowerInvariant()} on {(Environment == Everywhere ? "all" : Environment)}";
}
