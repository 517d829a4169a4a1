using Helix.Runbooks.Steps;
using Helix.Steps.Docker;
using Helix.Steps.Targets;

namespace Helix.Steps.Compose;

/// <summary>One service of a Compose project, or one of its containers.</summary>
sealed class ComposeRuntime(ComposeTarget stack, string service, int? index) : ContainerRuntime(stack.Engine)
{
    protected override string Words => $"service {service} of Compose project {stack.Project}";
    protected override string Inside => $"{stack.Project}/{service}";
    public override string Address => $"compose:{Engine.Name}/{stack.Project}/{service}";

    /// <summary>Works from any folder and with any version of Compose.</summary>
    public override string StartCommand =>
        $"{Engine.ShellPrefix}docker start $({Engine.ShellPrefix}docker ps -aq --filter label={DockerEngine.ProjectLabel}={stack.Project} --filter label={DockerEngine.ServiceLabel}={service} --filter label={DockerEngine.OneOffLabel}=False)";

    /// <summary>Containers that a smaller number removed are gone, and only Compose makes new ones.</summary>
    public override Task<string> ScaleCommand(PlanContext context, int replicas) => stack.Line(context, "up", "-d", "--no-deps", "--no-recreate", "--scale", $"{service}={replicas}", service);

    protected override async Task<IReadOnlyList<Container>> Find(PlanContext context)
    {
        var all = await stack.Containers(context, $"label={DockerEngine.ServiceLabel}={service}");
        return [.. all.Where(c => index is null || c.Number == index).OrderBy(c => c.Number)];
    }

    protected override async Task<StepFailedException> NoneThere(PlanContext context)
    {
        var services = await stack.Services(context);
        var instead = services.Count > 0
            ? $"Services there: {string.Join(", ", services)}."
            : $"The project has no container on this engine ({Engine.Name}); projects there: {await Projects(context)}.";
        return StepFailedException.Missing($"There is no container of {Words}{(index is null ? "" : $" with number {index}")}. {instead}", "Check the names, or create it with compose.up.");
    }

    async Task<string> Projects(PlanContext context)
    {
        var names = await Engine.Lines(context, "ps", "-a", "--format", $"{{{{.Label \"{DockerEngine.ProjectLabel}\"}}}}");
        return names.Count == 0 ? "none" : string.Join(", ", names.Distinct().Order(StringComparer.Ordinal));
    }

    protected override Task Create(StepContext context) => stack.Call(context, "up", "-d", "--no-deps", "--no-recreate", service).Run();

    /// <summary>The one form that every version of Compose has.</summary>
    public override Task Scale(StepContext context, int replicas) =>
        stack.Call(context, "up", "-d", "--no-deps", "--no-recreate", "--scale", $"{service}={replicas}", service).Run();

    public override Tool OneOff(PlanContext context, params IReadOnlyList<string> command)
    {
        var name = $"helix-once-{Guid.NewGuid():N}";
        return LaterTool.For(context, command,
            inner => stack.Complete(context, inner.Tool, ["run", "--rm", "--no-deps", "-T", "--name", name, .. inner.Options, service, .. command]),
            () => RemoveAfterCancel(context, name));
    }
}
