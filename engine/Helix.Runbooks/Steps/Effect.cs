namespace Helix.Runbooks.Steps;

/// <summary>What a step with its options does to a target, from harmless to irreversible. Ordered.</summary>
public enum Effect
{
    /// <summary>Only looks.</summary>
    Reads,
    /// <summary>Service is interrupted, data stays.</summary>
    Interrupts,
    /// <summary>Changes something that can be undone.</summary>
    Changes,
    /// <summary>Removes or overwrites what cannot be had back from the target itself.</summary>
    Destroys,
}

/// <summary>One effect on one target; <see cref="Target"/> null means files of this machine below the run's folders.</summary>
public sealed record TargetEffect(string? Target, Effect Effect)
{
    /// <summary>For <c>destroys</c>: what is lost, in words ("all keys of database 0").</summary>
    public string? What { get; init; }

    /// <summary>For a load: the option that names the file which replaces the data; lint and gate demand a verified backup there.</summary>
    public string? LoadsFrom { get; init; }

    public static TargetEffect Reads(string? target) => new(target, Effect.Reads);
    public static TargetEffect Interrupts(string? target) => new(target, Effect.Interrupts);
    public static TargetEffect Changes(string? target) => new(target, Effect.Changes);
    public static TargetEffect Destroys(string? target, string what) => new(target, Effect.Destroys) { What = what };
}
