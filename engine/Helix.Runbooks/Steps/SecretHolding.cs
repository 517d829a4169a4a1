namespace Helix.Runbooks.Steps;

/// <summary>A target that holds secrets: references of the form <c>vault:target/path#field</c> are read through it, each time they are needed.</summary>
public interface IHoldsSecrets
{
    /// <exception cref="StepFailedException">It is sealed, the credentials do not do, or there is no such field.</exception>
    Task<string> ReadSecret(string path, string field, PlanContext context);
}
