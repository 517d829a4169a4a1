namespace Helix.Runbooks.Steps;

/// <summary>A target that holds backups: an input of type <c>backup</c> is resolved through it when the run starts.</summary>
public interface IHoldsBackups
{
    /// <summary>The backup that a selector means now: <c>latest</c>, <c>latest-proven</c>, <c>before:TIMESTAMP</c>, <c>age:DURATION</c>, a key, or <see cref="BackupChoice.Pinned"/>.</summary>
    /// <exception cref="RunbookException">The selector or the prefix is malformed or empty.</exception>
    /// <exception cref="StepFailedException">There is no such backup, or it may not be used.</exception>
    Task<BackupChoice> Choose(string prefix, string selector, PlanContext context);
}

public sealed record BackupChoice(string Key, string Sha256, DateTimeOffset RecoveryPoint, bool Proven)
{
    /// <summary>A selector that means this backup for ever, and these bytes.</summary>
    public string Pinned => $"{Key}@sha256:{Sha256}";
}
