using System.Text.Json.Nodes;
using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>What a step does to each target, with the runbook's statement and the environment's scratch targets taken in.</summary>
public sealed class EffectResolver(StepCatalog catalog, Model.Environment environment)
{
    /// <summary>From options that may still hold templates.</summary>
    public IReadOnlyList<TargetEffect> Of(StepItem item, JsonObject with) =>
        catalog.Steps.TryGetValue(item.Uses, out var type) ? Of(item, type, OptionStandIn.Bind(with, type.OptionsType)) : [];

    /// <summary>From the options of an attempt.</summary>
    public IReadOnlyList<TargetEffect> Of(StepItem item, StepType type, object options)
    {
        var effects = type.Step.EffectsOf(options);
        if (item.Effect is { } stated)
            effects = effects.Count == 0 ? [new TargetEffect(null, stated)] : [.. effects.Select(e => e with { Effect = stated, What = e.What ?? item.Name ?? item.Id })];
        return [.. effects.Select(Soften)];
    }

    /// <summary>What is loaded into a scratch target destroys nothing.</summary>
    TargetEffect Soften(TargetEffect effect) =>
        effect is { Effect: Effect.Destroys, Target: { } name } && environment.Targets.All.TryGetValue(name, out var target) && target.Scratch
            ? effect with { Effect = Effect.Changes }
            : effect;
}
