namespace Helix.Runbooks.Steps;

/// <summary>A target whose credentials run out unless they are renewed. Who drives a run renews them, whatever step runs or waits.</summary>
public interface IRenewsCredentials
{
    /// <returns>When to come again; null: there is nothing to renew.</returns>
    /// <exception cref="StepFailedException">It cannot be reached now, or refused.</exception>
    Task<TimeSpan?> Renew(PlanContext context);
}
