using System.ComponentModel;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Docker;
using Helix.Steps.Targets;

namespace Helix.Steps.Compose;

public sealed record ComposeDownOptions
{
    [Description("The Compose project.")]
    [TargetName("compose")]
    [Fixed]
    [Example("stack")]
    public required string Target { get; init; }

    [Description("Remove the project's volumes too: all its data is lost.")]
    [Fixed]
    public bool Volumes { get; init; }

    [Description("How long each container may take to end by itself before it is killed.")]
    public Duration Grace { get; init; } = new(TimeSpan.FromSeconds(30));
}

public sealed record ComposeDownOutputs
{
    /// <summary>The containers that there were.</summary>
    public required IReadOnlyList<string> Containers { get; init; }
    public required IReadOnlyList<string> Volumes { get; init; }
}

[Step("compose.down", "Stops a Compose project and removes its containers and networks, and its volumes if asked.")]
public sealed class ComposeDown : Step<ComposeDownOptions, ComposeDownOutputs>
{
    public override IEnumerable<TargetEffect> Effects(ComposeDownOptions options) =>
        [options.Volumes ? TargetEffect.Destroys(options.Target, "all volumes of the project with their data") : TargetEffect.Changes(options.Target)];

    public override async Task<StepPlan> Plan(ComposeDownOptions options, PlanContext context)
    {
        var stack = context.Target<ComposeTarget>(options.Target);
        var containers = await stack.Containers(context);
        var volumes = options.Volumes ? await Volumes(stack, context) : [];
        return new()
        {
            Lines = [$"Remove the containers {Listed(containers.Select(c => c.Name))}.", .. options.Volumes ? [$"Remove the volumes {Listed(volumes)} with all their data."] : Array.Empty<string>()],
        };
    }

    public override async Task<ComposeDownOutputs> Run(ComposeDownOptions options, StepContext context)
    {
        var stack = context.Target<ComposeTarget>(options.Target);
        var containers = await stack.Containers(context);
        var volumes = options.Volumes ? await Volumes(stack, context) : [];
        if (containers.Any(c => c.Runs))
            await context.Leave(await Down(stack, options, context));
        var seconds = Math.Max(1, (int)Math.Ceiling(options.Grace.Value.TotalSeconds)).ToString();
        string[] also = options.Volumes ? ["-v"] : [];
        foreach (var volume in volumes)
            await Volume.RemoveHelpers(stack.Engine, context, volume);
        await stack.Call(context, ["down", "-t", seconds, .. also]).Run();
        var left = (await stack.Containers(context)).Select(c => c.Name).Concat(options.Volumes ? await Volumes(stack, context) : []).ToList();
        return left.Count == 0
            ? new() { Containers = [.. containers.Select(c => c.Name)], Volumes = volumes }
            : throw StepFailedException.Conflict($"Of {options.Target} these are left: {Listed(left)}.", "They may belong to services that the Compose files no longer name, or be used by others.");
    }

    static async Task<Residue> Down(ComposeTarget stack, ComposeDownOptions options, StepContext context) => new()
    {
        Key = RunningTargets.StoppedKey(options.Target),
        Kind = ResidueKind.Stopped,
        Target = options.Target,
        What = $"the Compose project {stack.Project} is down{(options.Volumes ? " and its volumes are removed" : "")}",
        Command = await stack.Line(context, "up", "-d"),
        Undo = new("compose.up", new JsonObject { ["target"] = options.Target }),
    };

    static Task<IReadOnlyList<string>> Volumes(ComposeTarget stack, PlanContext context) =>
        stack.Engine.Lines(context, "volume", "ls", "-q", "--filter", $"label={DockerEngine.ProjectLabel}={stack.Project}");

    public override async Task<ProbeResult<ComposeDownOutputs>> Probe(ComposeDownOptions options, StepContext context)
    {
        var stack = context.Target<ComposeTarget>(options.Target);
        var left = (await stack.Containers(context)).Select(c => c.Name).Concat(options.Volumes ? await Volumes(stack, context) : []).ToList();
        return left.Count == 0
            ? ProbeResult<ComposeDownOutputs>.Done(new() { Containers = [], Volumes = [] }, "nothing of it is left")
            : ProbeResult<ComposeDownOutputs>.NotDone($"left: {Listed(left)}");
    }

    static string Listed(IEnumerable<string> names) => string.Join(", ", names) is { Length: > 0 } list ? list : "(none)";
}
