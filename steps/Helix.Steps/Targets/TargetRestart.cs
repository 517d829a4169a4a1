using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

public sealed record TargetRestartOptions
{
    [Description("The targets to restart, one after the other.")]
    [TargetName]
    [Fixed]
    [Example("[redis]")]
    public required IReadOnlyList<string> Targets { get; init; }

    [Description("How long each may take to end by itself before it is killed.")]
    public Duration Grace { get; init; } = new(TimeSpan.FromSeconds(30));

    [Description("How long each may take until it is ready.")]
    public Duration Limit { get; init; } = new(TimeSpan.FromMinutes(5));
}

public sealed record TargetRestartOutputs
{
    /// <summary>What each said of itself when it was ready.</summary>
    public required IReadOnlyDictionary<string, string> Found { get; init; }
}

[Step("target.restart", "Stops services and starts them again, one after the other, until they are ready.")]
public sealed class TargetRestart : Step<TargetRestartOptions, TargetRestartOutputs>
{
    public override IEnumerable<TargetEffect> Effects(TargetRestartOptions options) => options.Targets.Select(TargetEffect.Interrupts);

    public override async Task<StepPlan> Plan(TargetRestartOptions options, PlanContext context)
    {
        var lines = new List<string>();
        foreach (var name in options.Targets)
            lines.Add($"Restart {name} ({await RunningTargets.Now(context, name)}).");
        return new() { Lines = lines };
    }

    public override async Task<TargetRestartOutputs> Run(TargetRestartOptions options, StepContext context)
    {
        var found = new Dictionary<string, string>();
        foreach (var name in options.Targets)
        {
            var target = context.Target<RunningTarget>(name);
            await context.Leave(RunningTargets.Stopped(name, target.Service));
            await target.Service.Stop(context, options.Grace);
            found[name] = await TargetStart.StartAndWait(context, target, options.Limit);
            await context.Save($"found:{name}", found[name]);
        }
        return new() { Found = found };
    }

    /// <summary>Each that was ready again is on record.</summary>
    public override Task<ProbeResult<TargetRestartOutputs>> Probe(TargetRestartOptions options, StepContext context)
    {
        var found = options.Targets.Select(t => (Name: t, Answer: (string?)context.Saved($"found:{t}"))).ToList();
        return Task.FromResult(found.Find(f => f.Answer is null) is { Name: { } open }
            ? ProbeResult<TargetRestartOutputs>.NotDone($"{open} was not restarted to the end; a restart may be repeated")
            : ProbeResult<TargetRestartOutputs>.Done(new() { Found = found.ToDictionary(f => f.Name, f => f.Answer!) }, "all were ready again"));
    }
}
