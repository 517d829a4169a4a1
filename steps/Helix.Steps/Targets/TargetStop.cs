using System.ComponentModel;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Targets;

public sealed record TargetStopOptions
{
    [Description("The targets to stop, in this order.")]
    [TargetName]
    [Fixed]
    [Example("[dashboard, mcp, neo4j]")]
    public required IReadOnlyList<string> Targets { get; init; }

    [Description("How long each may take to end by itself before it is killed; 0s: it is killed at once.")]
    public Duration Grace { get; init; } = new(TimeSpan.FromSeconds(30));
}

public sealed record TargetStopOutputs
{
    /// <summary>Those that ran before.</summary>
    public required IReadOnlyList<string> Stopped { get; init; }
    public required IReadOnlyList<string> StoppedBefore { get; init; }

    /// <summary>Those that did not end by themselves: their data may need recovery.</summary>
    public required IReadOnlyList<string> Killed { get; init; }
    public required IReadOnlyDictionary<string, int?> ExitCodes { get; init; }
}

[Step("target.stop", "Stops services and leaves their data as it is.")]
public sealed class TargetStop : Step<TargetStopOptions, TargetStopOutputs>
{
    public override IEnumerable<TargetEffect> Effects(TargetStopOptions options) => options.Targets.Select(TargetEffect.Interrupts);

    public override async Task<StepPlan> Plan(TargetStopOptions options, PlanContext context)
    {
        var lines = new List<string>();
        foreach (var name in options.Targets)
            lines.Add($"Stop {name} ({await RunningTargets.Now(context, name)}), at most {options.Grace}.");
        return new() { Lines = lines };
    }

    public override async Task<TargetStopOutputs> Run(TargetStopOptions options, StepContext context)
    {
        var (stopped, before, killed, codes) = (new List<string>(), new List<string>(), new List<string>(), new Dictionary<string, int?>());
        foreach (var name in options.Targets)
        {
            var target = context.Target<RunningTarget>(name);
            var service = target.Service;
            var ran = (await service.State(context)).Status == RuntimeStatus.Running;
            // A scratch target is meant to be stopped: nobody misses it.
            if (ran && !target.Scratch)
                await context.Leave(RunningTargets.Stopped(name, service));
            var state = await service.Stop(context, options.Grace);
            if (state.Status == RuntimeStatus.Running)
                throw StepFailedException.Transient($"{name} still runs after it was stopped: {ServiceTarget.Words(state)}.", "Something starts it again, as a restart policy or a supervisor.");
            (ran ? stopped : before).Add(name);
            codes[name] = state.ExitCode;
            if (ran && state.ExitCode == 137)
                killed.Add(name);
            context.Log($"{name}: {ServiceTarget.Words(state)}");
        }
        return new() { Stopped = stopped, StoppedBefore = before, Killed = killed, ExitCodes = codes };
    }

    public override async Task<ProbeResult<TargetStopOutputs>> Probe(TargetStopOptions options, StepContext context)
    {
        var codes = new Dictionary<string, int?>();
        foreach (var name in options.Targets)
        {
            var state = await context.Target<RunningTarget>(name).Service.State(context);
            if (state.Status == RuntimeStatus.Running)
                return ProbeResult<TargetStopOutputs>.NotDone($"{name} runs");
            codes[name] = state.ExitCode;
        }
        // Which of them ran before the crash is in the residue; for the outputs all of them did.
        var killed = codes.Where(c => c.Value == 137).Select(c => c.Key).ToList();
        return ProbeResult<TargetStopOutputs>.Done(new() { Stopped = options.Targets, StoppedBefore = [], Killed = killed, ExitCodes = codes }, "all are stopped");
    }
}

/// <summary>What the steps that stop and start have in common.</summary>
static class RunningTargets
{
    public static string StoppedKey(string name) => $"stopped:{name}";

    public static Residue Stopped(string name, Runtime service) => new()
    {
        Key = StoppedKey(name),
        Kind = ResidueKind.Stopped,
        Target = name,
        What = $"{name} is stopped",
        Command = service.StartCommand,
        Undo = new("target.start", new JsonObject { ["targets"] = new JsonArray(name) }),
    };

    /// <summary>For the plan; unknown is no error there.</summary>
    public static async Task<string> Now(PlanContext context, string name)
    {
        try
        {
            return "now " + ServiceTarget.Words(await context.Target<RunningTarget>(name).Service.State(context));
        }
        catch (StepFailedException e)
        {
            return $"its state is unknown: {e.Message}";
        }
    }
}
