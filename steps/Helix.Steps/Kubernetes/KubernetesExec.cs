using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;
using Helix.Steps.Commands;
using Helix.Steps.Targets;

namespace Helix.Steps.Kubernetes;

public sealed record KubernetesExecOptions : CommandOptions
{
    [Description("The cluster and namespace.")]
    [TargetName("kubernetes")]
    [Fixed]
    [Example("cluster")]
    public required string Target { get; init; }

    [Description("The workload in one of whose pods the command runs, as kind/name.")]
    [Fixed]
    [Example("deployment/mcp-verification")]
    public required string Workload { get; init; }

    [Description("The container; default: the first.")]
    [Fixed]
    public string? Container { get; init; }

    [Description("The executable and its arguments, each as it is.")]
    [MinLength(1)]
    [Example("[node, dist/tools/verify-coverage.js]")]
    public required IReadOnlyList<string> Argv { get; init; }

    [Description("Run it in a new pod with the image, volumes and claims of the workload: works while that is scaled to nothing.")]
    public bool OneOff { get; init; }
}

[Step("kubernetes.exec", "Runs a command in a pod of a workload; its exit code is kept, and there is no terminal.", StatesEffect = true)]
public sealed class KubernetesExec : Step<KubernetesExecOptions, DeclaredOutputs>
{
    public override IEnumerable<TargetEffect> Effects(KubernetesExecOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(KubernetesExecOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"Run {CommandCall.Line(options.Argv)} {(options.OneOff ? "beside" : "in")} {WorkloadName.Parse(options.Workload)} of {options.Target}."] });

    public override Task<DeclaredOutputs> Run(KubernetesExecOptions options, StepContext context)
    {
        Runtime service = new KubernetesRuntime(context.Target<KubernetesTarget>(options.Target), WorkloadName.Parse(options.Workload), options.Container, index: null);
        var tool = options.OneOff ? service.OneOff(context, options.Argv) : service.Exec(context, options.Argv);
        return CommandCall.Run(options.WorkingDirectory is { } folder ? tool with { WorkingDirectory = folder } : tool, options, context);
    }

    public override Task<ProbeResult<DeclaredOutputs>> Probe(KubernetesExecOptions options, StepContext context) =>
        Task.FromResult(CommandCall.Probe(null, options, context));
}
