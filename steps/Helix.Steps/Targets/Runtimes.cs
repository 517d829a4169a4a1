using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

/// <summary>Makes the runtime that a target's options describe.</summary>
public static class Runtimes
{
    /// <exception cref="RunbookException">The target has no runtime, or an incomplete one.</exception>
    public static Runtime Of(RunningTarget target) => target.Runtime switch
    {
        { Process: { } process } => new ProcessRuntime(process, target.Name),
        _ => throw new RunbookException($"Target '{target.Name}' has no runtime: it cannot be stopped, started or entered.",
            "Give it one: runtime: {compose: …, service: …}, {docker: …} or {process: …}."),
    };
}
