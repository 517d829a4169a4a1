using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Docker;

/// <summary>A service in one or more containers of a Docker engine. How they are found, created and counted is the kind's own.</summary>
abstract class ContainerRuntime(DockerEngine engine) : Runtime
{
    protected DockerEngine Engine { get; } = engine;

    public override IReadOnlyList<string> Tools => ["docker"];

    /// <summary>The service in words: "service redis of project helix".</summary>
    protected abstract string Words { get; }

    /// <summary>Which one of the engine's, for its place.</summary>
    protected abstract string Inside { get; }

    /// <summary>All containers of the service, also stopped ones.</summary>
    protected abstract Task<IReadOnlyList<Container>> Find(PlanContext context);

    /// <summary>Why there is none, and what there is instead (DOC-01).</summary>
    protected abstract Task<StepFailedException> NoneThere(PlanContext context);

    /// <summary>The containers do not exist yet.</summary>
    protected abstract Task Create(StepContext context);

    public override async Task<RuntimeState> State(PlanContext context)
    {
        var all = await Find(context);
        if (all.Count == 0)
            return new(RuntimeStatus.Missing, Detail: $"{Words} has no container");
        var running = all.Where(c => c.Runs).ToList();
        if (running.Count == 0)
            return new(RuntimeStatus.Stopped, all.Max(c => c.ExitCode));
        var unwell = all.FirstOrDefault(c => c.Health is not (null or "none" or "healthy") || c.Status is "restarting" or "paused");
        return new(RuntimeStatus.Running,
            Health: running.Count < all.Count ? $"{running.Count} of {all.Count} containers run"
                : unwell is not null ? unwell.Status == "running" ? unwell.Health : unwell.Status
                : all.Any(c => c.Health == "healthy") ? "healthy" : null,
            Detail: unwell?.HealthOutput?.Trim());
    }

    public override async Task<RuntimeState> Stop(StepContext context, TimeSpan grace)
    {
        if (await Find(context) is not [_, ..] all)
            throw await NoneThere(context);
        var running = all.Where(c => c.Runs).Select(c => c.Id).ToList();
        if (running.Count == 0)
            return await State(context);
        var seconds = ((int)Math.Ceiling(grace.TotalSeconds)).ToString();
        await DockerEngine.Ask(Engine.Call(context, grace == TimeSpan.Zero ? ["kill", .. running] : ["stop", "-t", seconds, .. running]).Quietly());
        var state = await State(context);
        return state with { Detail = state.ExitCode == 137 ? $"killed after {new Duration(grace)}" : state.Detail };
    }

    public override async Task Start(StepContext context)
    {
        var all = await Find(context);
        if (all.Count == 0)
            await Create(context);
        else if (all.Where(c => !c.Runs).Select(c => c.Id).ToList() is [_, ..] stopped)
            await DockerEngine.Ask(Engine.Call(context, ["start", .. stopped]).Quietly());
        if (all.Where(c => c.Status == "paused").Select(c => c.Id).ToList() is [_, ..] paused)
            await DockerEngine.Ask(Engine.Call(context, ["unpause", .. paused]).Quietly());
    }

    public override async Task<int?> Instances(PlanContext context) => (await Find(context)).Count(c => c.Runs);

    /// <summary>The variables of the call become those of the command inside; their values stay out of the argument list.</summary>
    public override Tool Exec(PlanContext context, params IReadOnlyList<string> command)
    {
        var (mark, entered) = ($"HELIX_CALL={Guid.NewGuid():N}", "");
        return LaterTool.For(context, command, async inner =>
        {
            var container = await One(context);
            if (!container.Runs)
                throw StepFailedException.Conflict($"{container.Name} does not run, so {command[0]} cannot be run inside.", "Start it first, or use a one-off process.");
            entered = container.Id;
            return Outer(inner, ["exec", "-i", "-e", mark, .. inner.Options, container.Id, .. command]);
        }, () => EndInside(context, entered, mark));
    }

    /// <summary>The end of the docker command does not end the command inside; its mark finds it, where the image has a shell.</summary>
    Task<ToolResult> EndInside(PlanContext context, string container, string mark) =>
        (Engine.Call(context, "exec", "-u", "0", container, "sh", "-c",
            """for p in /proc/[0-9]*; do tr '\0' '\n' <"$p/environ" 2>/dev/null | grep -qxF "$0" && kill -KILL "${p#/proc/}"; done""", mark)
            with
        { Cancelled = CancellationToken.None }).Quietly().Accept([.. Enumerable.Range(0, 256)]).Run();

    /// <summary>A new container with image, volumes, user, network and variables of the service's own.</summary>
    public override Tool OneOff(PlanContext context, params IReadOnlyList<string> command)
    {
        var name = $"helix-once-{Guid.NewGuid():N}";
        return LaterTool.For(context, command, async inner =>
        {
            var container = await One(context);
            var own = container.Environment.Select(e => e.Split('=', 2)).Where(e => e.Length == 2 && !NeededHere.Contains(e[0]) && !inner.Variables.Contains(e[0])).ToList();
            var all = inner.Tool.Environment.ToDictionary();
            own.ForEach(e => all[e[0]] = e[1]);
            inner = new(inner.Tool with { Environment = all }, [.. inner.Variables, .. own.Select(e => e[0])]);
            var user = container.User.Length > 0 ? new[] { "-u", container.User } : [];
            return Outer(inner, ["run", "--rm", "-i", "--pull=never", "--name", name, "--network", container.Network, "--volumes-from", container.Id,
                .. user, .. inner.Options, container.Image, .. command]);
        }, () => RemoveAfterCancel(context, name));
    }

    /// <summary>The end of the docker command does not end the container.</summary>
    protected Task RemoveAfterCancel(PlanContext context, string name) =>
        (Engine.Call(context, "rm", "-f", name) with { Cancelled = CancellationToken.None }).Quietly().Accept(0, 1).Run();

    // The docker command itself needs these of its own machine.
    static readonly string[] NeededHere = ["PATH", "HOME", "HOSTNAME", "DOCKER_HOST"];

    public override async Task<long> CopyOut(StepContext context, string path, Stream to) => await new ContainerFiles(Engine, context, await One(context)).CopyOut(path, to);
    public override async Task CopyIn(StepContext context, Stream from, string path, FileOwner owner) => await new ContainerFiles(Engine, context, await One(context)).CopyIn(from, path, owner);
    public override async Task Remove(StepContext context, string path) => await new ContainerFiles(Engine, context, await One(context)).Remove(path);

    public override async Task<string?> Place(PlanContext context)
    {
        try
        {
            return $"{await Engine.Machine(context)}/{Inside}";
        }
        catch (StepFailedException)
        {
            return null;
        }
    }

    public override async Task<string> LastLines(PlanContext context)
    {
        if (await Find(context) is not [var first, ..])
            return "";
        var logs = await Engine.Call(context, "logs", "--tail", "5", first.Id).Quietly().Accept(0, 1).Run();
        var lines = (logs.Stdout + logs.Stderr).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0 ? "" : $" Last lines of {first.Name}: {string.Join(" | ", lines.TakeLast(5))}";
    }

    protected async Task<Container> One(PlanContext context) => await Find(context) switch
    {
        [] => throw await NoneThere(context),
        [var one] => one,
        var many => throw StepFailedException.Conflict($"{Words} has {many.Count} containers: {string.Join(", ", many.Select(c => c.Name))}.",
            "Say which one with 'index' in the target's runtime."),
    };

    Tool Outer(InnerCall inner, IEnumerable<string> arguments) =>
        Engine.At(inner.Tool with { File = "docker", Arguments = [.. arguments], WorkingDirectory = null });
}
