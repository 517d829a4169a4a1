using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

public sealed record TargetScaleOptions
{
    [Description("The service.")]
    [TargetName]
    [Fixed]
    [Example("mcp")]
    public required string Target { get; init; }

    [Description("How many instances there shall be.")]
    [Range(0, 1000)]
    [Example("2")]
    public required int Replicas { get; init; }

    [Description("More than this is refused: a typing error must not start or stop a hundred.")]
    [Range(1, 1000)]
    public int Maximum { get; init; } = 10;

    [Description("Fewer than this is refused. To scale a service down to nothing, say 0 here.")]
    [Range(0, 1000)]
    public int Minimum { get; init; } = 1;

    [Description("How long it may take until the instances are ready.")]
    public Duration Limit { get; init; } = new(TimeSpan.FromMinutes(5));
}

public sealed record TargetScaleOutputs
{
    public required int? Before { get; init; }
    public required int Now { get; init; }
}

[Step("target.scale", "Changes the number of instances of a service, within a minimum and a maximum.")]
public sealed class TargetScale : Step<TargetScaleOptions, TargetScaleOutputs>
{
    static string Key(string target) => $"scaled:{target}";

    public override IEnumerable<TargetEffect> Effects(TargetScaleOptions options) => [TargetEffect.Changes(options.Target)];

    public override async Task<StepPlan> Plan(TargetScaleOptions options, PlanContext context)
    {
        CheckCaps(options);
        return new() { Lines = [$"Scale {options.Target} ({await RunningTargets.Now(context, options.Target)}) to {options.Replicas}."] };
    }

    public override async Task<TargetScaleOutputs> Run(TargetScaleOptions options, StepContext context)
    {
        CheckCaps(options);
        var target = context.Target<RunningTarget>(options.Target);
        var before = await target.Service.Wanted(context);
        if (before > options.Replicas)
            await context.Leave(new()
            {
                Key = Key(options.Target),
                Kind = ResidueKind.ScaledDown,
                Target = options.Target,
                What = $"{options.Target} is scaled down from {before} to {options.Replicas}",
                Command = await target.Service.ScaleCommand(context, before.Value),
                Undo = new("target.scale", new JsonObject { ["target"] = options.Target, ["replicas"] = before, ["maximum"] = Math.Max(before.Value, options.Maximum) }),
            });
        await target.Service.Scale(context, options.Replicas);
        if (options.Replicas > 0)
            await Readiness.Wait(context, target, options.Limit);
        if (await target.Service.Instances(context) is { } now && now != options.Replicas)
            throw StepFailedException.Transient($"{options.Target} has {now} instances instead of {options.Replicas}.{await target.Service.LastLines(context)}");
        if (before < options.Replicas)
            await context.TakeBack(Key(options.Target));
        return new() { Before = before, Now = options.Replicas };
    }

    public override async Task<ProbeResult<TargetScaleOutputs>> Probe(TargetScaleOptions options, StepContext context)
    {
        var now = await context.Target<RunningTarget>(options.Target).Service.Instances(context);
        return now is null ? ProbeResult<TargetScaleOutputs>.Unknown("the runtime does not count instances")
            : now == options.Replicas ? ProbeResult<TargetScaleOutputs>.Done(new() { Before = null, Now = now.Value }, $"{now} run")
            : ProbeResult<TargetScaleOutputs>.NotDone($"{now} run");
    }

    static void CheckCaps(TargetScaleOptions options)
    {
        if (options.Replicas > options.Maximum)
            throw new RunbookException($"{options.Target} is not scaled to {options.Replicas}: the step allows at most {options.Maximum}.", "If it is meant, raise 'maximum'.");
        if (options.Replicas < options.Minimum)
            throw new RunbookException($"{options.Target} is not scaled to {options.Replicas}: the step keeps at least {options.Minimum}.", "If it is meant, lower 'minimum'.");
    }
}
