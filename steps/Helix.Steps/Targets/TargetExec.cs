using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;
using Helix.Steps.Commands;

namespace Helix.Steps.Targets;

public sealed record TargetExecOptions : CommandOptions
{
    [Description("The service in which the command runs.")]
    [TargetName]
    [Fixed]
    [Example("redis")]
    public required string Target { get; init; }

    [Description("The executable and its arguments, each as it is.")]
    [MinLength(1)]
    [Example("[redis-cli, PING]")]
    public required IReadOnlyList<string> Argv { get; init; }

    [Description("Run it in a new process beside the service, with its image and volumes: works while the service is stopped.")]
    public bool OneOff { get; init; }
}

[Step("target.exec", "Runs a command inside a service, never with a terminal.", StatesEffect = true)]
public sealed class TargetExec : Step<TargetExecOptions, DeclaredOutputs>
{
    public override IEnumerable<TargetEffect> Effects(TargetExecOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(TargetExecOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"Run {CommandCall.Line(options.Argv)} {(options.OneOff ? "beside" : "inside")} {options.Target}."] });

    public override Task<DeclaredOutputs> Run(TargetExecOptions options, StepContext context)
    {
        var service = context.Target<RunningTarget>(options.Target).Service;
        var tool = options.OneOff ? service.OneOff(context, options.Argv) : service.Exec(context, options.Argv);
        return CommandCall.Run(options.WorkingDirectory is { } folder ? tool with { WorkingDirectory = folder } : tool, options, context);
    }

    public override Task<ProbeResult<DeclaredOutputs>> Probe(TargetExecOptions options, StepContext context) =>
        Task.FromResult(CommandCall.Probe(null, options, context));
}
