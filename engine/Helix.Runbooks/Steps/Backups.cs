namespace Helix.Runbooks.Steps;

/// <summary>A target that holds backups: inputs of type backup are resolved through it, once, when the run starts.</summary>
public interface IBackupShelf
{
    /// <param name="series">The prefix of the series.</param>
    /// <param name="selector">latest, latest-proven, before:TIMESTAMP, or a key.</param>
    /// <returns>The key.</returns>
    /// <exception cref="StepFailedException">No backup fits.</exception>
    Task<string> Resolve(PlanContext context, string series, string selector);
}
