using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Commands;

public sealed record CommandRunOptions : CommandOptions
{
    [Description("The executable and its arguments, each as it is: nothing is split or expanded.")]
    [MinLength(1)]
    [Example("[pg_isready, -h, db1]")]
    public required IReadOnlyList<string> Argv { get; init; }

    [Description("The targets that it acts on; the stated effect is on them. None: only files of this machine.")]
    [TargetName]
    [Fixed]
    public IReadOnlyList<string> Targets { get; init; } = [];

    [Description("A path that exists once the command has done its work: after a crash it tells whether to run it again.")]
    public string? Creates { get; init; }
}

[Step("command.run", "Runs an executable with an argument list.", StatesEffect = true)]
public sealed class CommandRun : Step<CommandRunOptions, DeclaredOutputs>
{
    public override IEnumerable<TargetEffect> Effects(CommandRunOptions options) => CommandCall.Effects(options.Targets);

    public override Task<StepPlan> Plan(CommandRunOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"Run {CommandCall.Line(options.Argv)}."] });

    public override Task<DeclaredOutputs> Run(CommandRunOptions options, StepContext context) =>
        CommandCall.Run(context.Tool(options.Argv[0], options.Argv.Skip(1)) with
        {
            WorkingDirectory = options.WorkingDirectory is { } folder ? context.FullPath(folder) : context.Run.BaseDirectory,
        }, options, context);

    public override Task<ProbeResult<DeclaredOutputs>> Probe(CommandRunOptions options, StepContext context) =>
        Task.FromResult(CommandCall.Probe(options.Creates, options, context));
}
