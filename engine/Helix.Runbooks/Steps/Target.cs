using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Helix.Runbooks.Steps;

/// <summary>Names a kind of target (<c>redis</c>) and says in one line what it is.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class TargetAttribute(string kind, string summary) : Attribute
{
    public string Kind { get; } = kind;
    public string Summary { get; } = summary;
}

/// <summary>Marks an option (text, or list of text) that names a target of the environment. No kinds: any.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TargetNameAttribute(params string[] kinds) : Attribute
{
    public IReadOnlyList<string> Kinds { get; } = kinds;
}

/// <summary>Marks an option that decides the effect: it may use inputs and vars, never what a step puts out.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FixedAttribute : Attribute;

/// <summary>Marks an option (text, or list of text) that names a file which the run pins: it is read through <see cref="PlanContext.PinnedPath"/>, as it was at the start.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PinnedFileAttribute : Attribute;

/// <summary>An example value for schema, help and generated tests.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ExampleAttribute(string yaml) : Attribute
{
    public string Yaml { get; } = yaml;

    /// <summary>The example of the whole step shows this option although it may be left out: it needs this or another one.</summary>
    public bool Shown { get; init; }
}

/// <summary>A system that steps act on. Derived records hold the options of their kind, bound like step options.</summary>
public abstract record Target
{
    /// <summary>The name in the environment; set by the reader.</summary>
    [JsonIgnore]
    public string Name { get; init; } = "";

    /// <summary>The other targets of the same environment; set by the reader, for runtimes that name one.</summary>
    [JsonIgnore]
    public EnvironmentTargets Siblings { get; init; } = EnvironmentTargets.None;

    [Description("Data in it may be thrown away: loads into it are changes, not destruction.")]
    public bool Scratch { get; init; }

    [Description("What the target must turn out to be before anything in it is destroyed.")]
    public TargetIdentity? Identity { get; init; }

    /// <summary>Where it is, from the options alone, normalised: two targets with the same address are the same thing. Key of locks.</summary>
    [JsonIgnore]
    public abstract string Address { get; }

    /// <summary>Executables that steps on this target start; pre-flight looks for them.</summary>
    [JsonIgnore]
    public virtual IReadOnlyList<string> Tools => [];

    /// <summary>Asks the target itself where it is, in the form of <see cref="TargetIdentity.Place"/>. Never what is in it.</summary>
    /// <returns>Null when it cannot be read now.</returns>
    public virtual Task<string?> ReadPlace(PlanContext context) => Task.FromResult<string?>(Address);

    /// <summary>Asks the target itself to which environment it says that it belongs (PM-06).</summary>
    /// <returns>Null when it does not say, or cannot be read now.</returns>
    public virtual Task<string?> ReadLabel(PlanContext context) => Task.FromResult<string?>(null);

    /// <summary>Pre-flight: can it be reached with these credentials? Throws <see cref="StepFailedException"/> with the reason. At most 5 s are given.</summary>
    /// <returns>A short word on what was found ("Redis 7.0.15, master, 10,000 keys").</returns>
    public virtual Task<string> Check(PlanContext context) => Task.FromResult("not checked");
}

/// <summary>What identifies a target in the world.</summary>
public sealed record TargetIdentity
{
    [Description("Where it is, as the target itself tells: server and data folder, volume, bucket, cluster and namespace.")]
    [Example("helix-prod-1:/var/lib/redis")]
    public required string Place { get; init; }

    [Description("The environment that the target itself must say it belongs to. Without it a target that says another one than this is refused all the same.")]
    public string? Label { get; init; }
}

/// <summary>The targets of one environment by name.</summary>
public sealed class EnvironmentTargets
{
    readonly Dictionary<string, Target> _byName = [];

    public static EnvironmentTargets None { get; } = new();
    public IReadOnlyDictionary<string, Target> All => _byName;

    /// <summary>Used once, by the reader of environments.</summary>
    internal void Add(Target target) => _byName.Add(target.Name, target);

    /// <exception cref="RunbookException">No such target, or one of another kind.</exception>
    public T Get<T>(string name) where T : class =>
        !_byName.TryGetValue(name, out var target)
            ? throw new RunbookException($"There is no target '{name}' in the environment.", $"Targets there: {string.Join(", ", _byName.Keys)}.")
            : target as T ?? throw new RunbookException($"Target '{name}' is a {StepCatalog.KindOf(target)}, and a {StepCatalog.KindOf(typeof(T))} is needed here.");
}
