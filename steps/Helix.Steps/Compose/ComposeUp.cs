using System.ComponentModel;
using Helix.Runbooks.Steps;
using Helix.Steps.Docker;
using Helix.Steps.Targets;

namespace Helix.Steps.Compose;

public sealed record ComposeUpOptions
{
    [Description("The Compose project.")]
    [TargetName("compose")]
    [Fixed]
    [Example("stack")]
    public required string Target { get; init; }

    [Description("The services; none: all. What they depend on is started too.")]
    [Example("[redis, neo4j]")]
    public IReadOnlyList<string> Services { get; init; } = [];

    [Description("Replace containers that exist, also when their configuration did not change.")]
    public bool Recreate { get; init; }

    [Description("How long it may take until all containers run and are healthy.")]
    public Duration Limit { get; init; } = new(TimeSpan.FromMinutes(5));
}

public sealed record ComposeUpOutputs
{
    public required IReadOnlyList<string> Containers { get; init; }
}

[Step("compose.up", "Creates and starts the services of a Compose project and waits until they are healthy.")]
public sealed class ComposeUp : Step<ComposeUpOptions, ComposeUpOutputs>
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    public override IEnumerable<TargetEffect> Effects(ComposeUpOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(ComposeUpOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"Create and start {Words(options)} of {options.Target}{(options.Recreate ? ", replacing its containers" : "")}."] });

    public override async Task<ComposeUpOutputs> Run(ComposeUpOptions options, StepContext context)
    {
        var stack = context.Target<ComposeTarget>(options.Target);
        string[] recreate = options.Recreate ? ["--force-recreate"] : [];
        var up = await stack.Complete(context, context.Tool("docker"), ["up", "-d", .. recreate, .. options.Services]);
        var before = (await stack.Containers(context)).Where(c => !c.Runs).Select(LastRun).ToHashSet();
        await up.Run();
        var containers = await WaitUntilHealthy(stack, options, before, context);
        await context.TakeBack(RunningTargets.StoppedKey(options.Target));
        return new() { Containers = [.. containers.Select(c => c.Name).Order(StringComparer.Ordinal)] };
    }

    static (string, string) LastRun(Docker.Container c) => (c.Id, c.StartedAt);

    /// <summary>What had ended before and was not started now is left out: a service that the files name no more, or one of a profile that is not asked for.</summary>
    static async Task<IReadOnlyList<Docker.Container>> WaitUntilHealthy(ComposeTarget stack, ComposeUpOptions options, HashSet<(string, string)> before, StepContext context)
    {
        var start = context.Time.GetTimestamp();
        while (true)
        {
            var containers = (await Chosen(stack, options, context)).Where(c => !before.Contains(LastRun(c))).ToList();
            if (containers.Count > 0 && containers.All(Fine))
                return containers;
            if (containers.FirstOrDefault(c => c.Status == "exited" && c.ExitCode != 0) is { } ended)
                throw StepFailedException.Transient($"{ended.Name} ended with exit code {ended.ExitCode} after its start.");
            if (context.Time.GetElapsedTime(start) >= options.Limit.Value)
                throw new StepFailedException(FailureClass.TimedOut, $"{Words(options)} of {stack.Name} was not healthy within {options.Limit}: {string.Join(", ", containers.Where(c => !Fine(c)).Select(c => $"{c.Name} is {c.Status} {c.Health} {c.HealthOutput?.Trim()}".TrimEnd()))}.");
            await context.Delay(Look);
        }
    }

    /// <summary>A container that did its work and ended is fine, too.</summary>
    static bool Fine(Docker.Container c) => c is { Status: "running", Health: null or "none" or "healthy" } or { Status: "exited", ExitCode: 0 };

    static async Task<IReadOnlyList<Docker.Container>> Chosen(ComposeTarget stack, ComposeUpOptions options, StepContext context) =>
        [.. (await stack.Containers(context)).Where(c => options.Services.Count == 0 || options.Services.Contains(c.Service))];

    public override async Task<ProbeResult<ComposeUpOutputs>> Probe(ComposeUpOptions options, StepContext context)
    {
        if (options.Recreate)
            return ProbeResult<ComposeUpOutputs>.NotDone("recreating may be repeated");
        var containers = await Chosen(context.Target<ComposeTarget>(options.Target), options, context);
        return containers.Count > 0 && containers.All(Fine) && options.Services.Count > 0 && options.Services.All(s => containers.Any(c => c.Service == s))
            ? ProbeResult<ComposeUpOutputs>.Done(new() { Containers = [.. containers.Select(c => c.Name).Order(StringComparer.Ordinal)] }, "all run")
            : ProbeResult<ComposeUpOutputs>.NotDone("starting what runs is harmless");
    }

    static string Words(ComposeUpOptions options) => options.Services.Count == 0 ? "all services" : string.Join(", ", options.Services);
}
