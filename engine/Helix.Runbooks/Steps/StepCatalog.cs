using System.Collections.Concurrent;
using System.Reflection;

namespace Helix.Runbooks.Steps;

/// <summary>A step type as the catalogue knows it.</summary>
public sealed record StepType(string Name, StepAttribute About, Step Step)
{
    public Type OptionsType => Step.OptionsType;
    public Type OutputsType => Step.OutputsType;

    /// <summary>The runbook declares its outputs under <c>with.outputs</c>.</summary>
    public bool DeclaresOutputs => typeof(IDeclaresOutputs).IsAssignableFrom(OptionsType);
}

public sealed record TargetKind(string Name, TargetAttribute About, Type Type);

/// <summary>All step types and kinds of targets, found by attribute.</summary>
public sealed class StepCatalog
{
    static readonly ConcurrentDictionary<Type, string> Kinds = [];

    public IReadOnlyDictionary<string, StepType> Steps { get; }
    public IReadOnlyDictionary<string, TargetKind> TargetKinds { get; }

    /// <exception cref="InvalidOperationException">Two classes claim one name: a bug, seen at start-up.</exception>
    public StepCatalog(params IEnumerable<Assembly> assemblies)
    {
        var steps = new SortedDictionary<string, StepType>(StringComparer.Ordinal);
        var kinds = new SortedDictionary<string, TargetKind>(StringComparer.Ordinal);
        foreach (var type in assemblies.SelectMany(a => a.GetTypes()).Where(t => !t.IsAbstract))
        {
            if (type.GetCustomAttribute<StepAttribute>() is { } step
                && !steps.TryAdd(step.Name, new(step.Name, step, (Step)Activator.CreateInstance(type)!)))
                throw new InvalidOperationException($"Two step types are named {step.Name}: {steps[step.Name].Step.GetType()} and {type}.");
            if (type.GetCustomAttribute<TargetAttribute>() is { } target && !kinds.TryAdd(target.Kind, new(target.Kind, target, type)))
                throw new InvalidOperationException($"Two kinds of target are named {target.Kind}.");
        }
        Steps = steps;
        TargetKinds = kinds;
    }

    /// <summary>A catalogue with further step types, which no assembly holds.</summary>
    internal StepCatalog(StepCatalog from, IEnumerable<StepType> further)
    {
        Steps = new SortedDictionary<string, StepType>(from.Steps.Values.Concat(further).ToDictionary(s => s.Name), StringComparer.Ordinal);
        TargetKinds = from.TargetKinds;
    }

    public static string KindOf(Target target) => KindOf(target.GetType());
    public static string KindOf(Type type) =>
        Kinds.GetOrAdd(type, t => t.GetCustomAttribute<TargetAttribute>()?.Kind ?? t.Name.ToLowerInvariant());
}
