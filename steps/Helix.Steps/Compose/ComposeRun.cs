using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;
using Helix.Steps.Commands;
using Helix.Steps.Targets;

namespace Helix.Steps.Compose;

public sealed record ComposeRunOptions : CommandOptions
{
    [Description("The Compose project.")]
    [TargetName("compose")]
    [Fixed]
    [Example("stack")]
    public required string Target { get; init; }

    [Description("The service whose image, volumes and variables the new process gets.")]
    [Fixed]
    [Example("neo4j")]
    public required string Service { get; init; }

    [Description("The executable and its arguments, each as it is.")]
    [MinLength(1)]
    [Example("[neo4j-admin, --version]")]
    public required IReadOnlyList<string> Argv { get; init; }
}

[Step("compose.run", "Runs a command in a new container of a Compose service and removes it; other services are left alone.", StatesEffect = true)]
public sealed class ComposeRun : Step<ComposeRunOptions, DeclaredOutputs>
{
    public override IEnumerable<TargetEffect> Effects(ComposeRunOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(ComposeRunOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"Run {CommandCall.Line(options.Argv)} in a new container of {options.Service} of {options.Target}."] });

    public override Task<DeclaredOutputs> Run(ComposeRunOptions options, StepContext context)
    {
        Runtime service = new ComposeRuntime(context.Target<ComposeTarget>(options.Target), options.Service, index: null);
        var tool = service.OneOff(context, options.Argv);
        return CommandCall.Run(options.WorkingDirectory is { } folder ? tool with { WorkingDirectory = folder } : tool, options, context);
    }

    public override Task<ProbeResult<DeclaredOutputs>> Probe(ComposeRunOptions options, StepContext context) =>
        Task.FromResult(CommandCall.Probe(null, options, context));
}
