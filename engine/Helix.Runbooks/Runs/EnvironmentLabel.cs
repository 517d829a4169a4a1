using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>A target that says of itself that it belongs to another environment is not touched, whatever the credentials open (PM-06).</summary>
static class EnvironmentLabel
{
    /// <summary>Null when nothing speaks against it; else what does.</summary>
    public static string? Fault(Target target, string environment, string? label) => (label, target.Identity?.Label) switch
    {
        (null, null) => null,
        (null, { } wanted) => $"'{target.Name}' does not say to which environment it belongs, and it must be '{wanted}'",
        ({ } said, var wanted) when said == (wanted ?? environment) => null,
        ({ } said, var wanted) => $"'{target.Name}' says of itself that it belongs to '{said}', and this is '{wanted ?? environment}'",
    };

    public const string Hint = "Credentials of another environment may be set here: check them before anything else.";
}
