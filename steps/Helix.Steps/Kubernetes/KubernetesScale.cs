using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

public sealed record KubernetesScaleOptions
{
    [Description("The cluster and namespace.")]
    [TargetName("kubernetes")]
    [Fixed]
    [Example("cluster")]
    public required string Target { get; init; }

    [Description("The workload, as deployment/NAME or statefulset/NAME.")]
    [Fixed]
    [Example("deployment/mcp")]
    public required string Workload { get; init; }

    [Description("How many pods there shall be.")]
    [Range(0, 1000)]
    [Example("3")]
    public required int Replicas { get; init; }

    [Description("More than this is refused: a typing error must not start a hundred.")]
    [Range(1, 1000)]
    public int Maximum { get; init; } = 10;

    [Description("How long it may take until the pods are ready, or gone.")]
    public Duration Limit { get; init; } = new(TimeSpan.FromMinutes(5));
}

public sealed record KubernetesScaleOutputs
{
    public required int Before { get; init; }
    public required int Now { get; init; }
}

[Step("kubernetes.scale", "Changes the number of pods of a workload and waits until they are ready, or gone.")]
public sealed class KubernetesScale : Step<KubernetesScaleOptions, KubernetesScaleOutputs>
{
    static string Key(KubernetesScaleOptions options) => $"scaled:{options.Target}/{options.Workload}";

    public override IEnumerable<TargetEffect> Effects(KubernetesScaleOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(KubernetesScaleOptions options, PlanContext context)
    {
        Check(options);
        return Task.FromResult(new StepPlan { Lines = [$"Scale {options.Workload} of {options.Target} to {options.Replicas}."] });
    }

    public override async Task<KubernetesScaleOutputs> Run(KubernetesScaleOptions options, StepContext context)
    {
        var name = Check(options);
        var target = context.Target<KubernetesTarget>(options.Target);
        var kubectl = new Kubectl(target, context);
        var before = new Workload(await kubectl.Get(name.ToString())).Wanted;
        if (before > options.Replicas)
            await context.Leave(new()
            {
                Key = Key(options),
                Kind = ResidueKind.ScaledDown,
                Target = options.Target,
                What = $"{name} is scaled down from {before} to {options.Replicas}",
                Command = $"{target.Shell} scale {name} --replicas={before}",
                Undo = new("kubernetes.scale", new JsonObject { ["target"] = options.Target, ["workload"] = name.ToString(), ["replicas"] = before, ["maximum"] = Math.Max(before, options.Maximum) }),
            });
        await kubectl.Ask("scale", name.ToString(), $"--replicas={options.Replicas}");
        await new Rollout(kubectl, context).Scaled(name, options.Replicas, options.Limit);
        await new Rollout(kubectl, context).Finished(name, options.Limit);
        if (before < options.Replicas)
            await context.TakeBack(Key(options));
        return new() { Before = before, Now = options.Replicas };
    }

    public override Task<ProbeResult<KubernetesScaleOutputs>> Probe(KubernetesScaleOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<KubernetesScaleOutputs>.NotDone("scaling to the same number again changes nothing"));

    static WorkloadName Check(KubernetesScaleOptions options)
    {
        if (options.Replicas > options.Maximum)
            throw new RunbookException($"{options.Workload} is not scaled to {options.Replicas}: the step allows at most {options.Maximum}.", "If it is meant, raise 'maximum'.");
        return WorkloadName.Parse(options.Workload) is { Kind: "deployment" or "statefulset" } name ? name
            : throw new RunbookException($"{options.Workload} cannot be scaled.", "Only a deployment and a stateful set can.");
    }
}
