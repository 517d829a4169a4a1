using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

public sealed record TargetStartOptions
{
    [Description("The targets to start, in this order; each is ready before the next is started.")]
    [TargetName]
    [Fixed]
    [Example("[neo4j, mcp, dashboard]")]
    public required IReadOnlyList<string> Targets { get; init; }

    [Description("How long each may take until it is ready: its health check and its own answer.")]
    public Duration Limit { get; init; } = new(TimeSpan.FromMinutes(5));
}

public sealed record TargetStartOutputs
{
    /// <summary>Those that did not run before.</summary>
    public required IReadOnlyList<string> Started { get; init; }

    /// <summary>What each said of itself when it was ready.</summary>
    public required IReadOnlyDictionary<string, string> Found { get; init; }
}

[Step("target.start", "Starts services and waits until they are ready.")]
public sealed class TargetStart : Step<TargetStartOptions, TargetStartOutputs>
{
    public override IEnumerable<TargetEffect> Effects(TargetStartOptions options) => options.Targets.Select(TargetEffect.Changes);

    public override async Task<StepPlan> Plan(TargetStartOptions options, PlanContext context)
    {
        var lines = new List<string>();
        foreach (var name in options.Targets)
            lines.Add($"Start {name} ({await RunningTargets.Now(context, name)}) and wait until it is ready, at most {options.Limit}.");
        return new() { Lines = lines };
    }

    public override async Task<TargetStartOutputs> Run(TargetStartOptions options, StepContext context)
    {
        var (started, found) = (new List<string>(), new Dictionary<string, string>());
        foreach (var name in options.Targets)
        {
            var target = context.Target<RunningTarget>(name);
            var runs = (await target.Service.State(context)).Status == RuntimeStatus.Running;
            if (!runs)
                started.Add(name);
            found[name] = await StartAndWait(context, target, options.Limit, started: !runs);
        }
        return new() { Started = started, Found = found };
    }

    internal static async Task<string> StartAndWait(StepContext context, RunningTarget target, TimeSpan limit, bool started = true)
    {
        await target.Service.Start(context);
        var answer = await Readiness.Wait(context, target, limit, started);
        context.Log($"{target.Name}: {answer}");
        await context.TakeBack(RunningTargets.StoppedKey(target.Name));
        return answer;
    }

    public override async Task<ProbeResult<TargetStartOutputs>> Probe(TargetStartOptions options, StepContext context)
    {
        var found = new Dictionary<string, string>();
        foreach (var name in options.Targets)
        {
            var target = context.Target<RunningTarget>(name);
            try
            {
                await ServiceTarget.CheckRuns(target.Service, name, context);
                found[name] = await target.Check(context);
            }
            catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
            {
                return ProbeResult<TargetStartOutputs>.NotDone(e.Message);
            }
            await context.TakeBack(RunningTargets.StoppedKey(name));
        }
        return ProbeResult<TargetStartOutputs>.Done(new() { Started = options.Targets, Found = found }, "all are ready");
    }
}
