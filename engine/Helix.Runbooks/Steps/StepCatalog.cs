using System.Collections.Concurrent;
using System.Reflection;

namespace Helix.Runbooks.Steps;

/// <summary>A step type as the catalogue knows it.</summary>
public sealed class StepType
{
    readonly Lazy<StepAttribute> _about;
    readonly Lazy<Step> _step;

    public StepType(string name, StepAttribute about, Step step)
    {
        Name = name;
        Assembly = step.GetType().Assembly;
        _about = new(about);
        _step = new(step);
    }

    internal StepType(MarkedType type)
    {
        Name = type.Name;
        Assembly = type.Assembly;
        _about = new(() => type.Load().GetCustomAttribute<StepAttribute>()!);
        _step = new(() => (Step)Activator.CreateInstance(type.Load())!);
    }

    public string Name { get; }
    public Assembly Assembly { get; }
    public StepAttribute About => _about.Value;
    public Step Step => _step.Value;
    public Type OptionsType => Step.OptionsType;
    public Type OutputsType => Step.OutputsType;

    /// <summary>The runbook declares its outputs under <c>with.outputs</c>.</summary>
    public bool DeclaresOutputs => typeof(IDeclaresOutputs).IsAssignableFrom(OptionsType);
}

public sealed class TargetKind
{
    readonly Lazy<Type> _type;

    internal TargetKind(MarkedType type)
    {
        Name = type.Name;
        _type = new(type.Load);
    }

    public string Name { get; }
    public Type Type => _type.Value;
    public TargetAttribute About => Type.GetCustomAttribute<TargetAttribute>()!;
}

/// <summary>All step types and kinds of targets, found by attribute.</summary>
public sealed class StepCatalog
{
    static readonly ConcurrentDictionary<Type, string> Kinds = [];

    public IReadOnlyDictionary<string, StepType> Steps { get; }
    public IReadOnlyDictionary<string, TargetKind> TargetKinds { get; }

    /// <exception cref="InvalidOperationException">Two classes claim one name: a bug, seen at start-up.</exception>
    public StepCatalog(params IEnumerable<Assembly> assemblies)
    {
        var steps = new Dictionary<string, StepType>();
        var kinds = new Dictionary<string, TargetKind>();
        foreach (var assembly in assemblies)
        {
            foreach (var type in TypeIndex.Find(assembly, typeof(StepAttribute)))
                if (!steps.TryAdd(type.Name, new(type)))
                    throw new InvalidOperationException($"Two step types are named {type.Name}; one is {type.TypeName}.");
            foreach (var type in TypeIndex.Find(assembly, typeof(TargetAttribute)))
                if (!kinds.TryAdd(type.Name, new(type)))
                    throw new InvalidOperationException($"Two kinds of target are named {type.Name}; one is {type.TypeName}.");
        }
        Steps = Sorted(steps);
        TargetKinds = Sorted(kinds);
    }

    /// <summary>A catalogue with further step types, which no assembly holds.</summary>
    internal StepCatalog(StepCatalog from, IEnumerable<StepType> further)
    {
        Steps = Sorted(from.Steps.Values.Concat(further).ToDictionary(s => s.Name));
        TargetKinds = from.TargetKinds;
    }

    /// <summary>Enumerated in the order of the names. A sorted dictionary would be compiled anew at each start.</summary>
    static Dictionary<string, T> Sorted<T>(Dictionary<string, T> all) where T : class
    {
        string[] names = [.. all.Keys];
        Array.Sort(names, StringComparer.Ordinal);
        var sorted = new Dictionary<string, T>(names.Length);
        foreach (var name in names)
            sorted.Add(name, all[name]);
        return sorted;
    }

    public static string KindOf(Target target) => KindOf(target.GetType());
    public static string KindOf(Type type) =>
        Kinds.GetOrAdd(type, t => t.GetCustomAttribute<TargetAttribute>()?.Kind ?? t.Name.ToLowerInvariant());
}
