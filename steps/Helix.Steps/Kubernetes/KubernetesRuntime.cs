using System.Globalization;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Kubernetes;

/// <summary>A service that is a workload of a cluster. Stopped means scaled to nothing; how many there were is kept on the workload itself.</summary>
sealed class KubernetesRuntime(KubernetesTarget cluster, WorkloadName workload, string? container, int? index) : Runtime
{
    const string Replicas = "helix-runbooks/replicas";
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan KillLimit = TimeSpan.FromMinutes(2);

    public override string Address => $"{cluster.Address}/{workload}";
    public override IReadOnlyList<string> Tools => ["kubectl"];
    public override string StartCommand => $"{cluster.Shell} scale {workload} --replicas=\"$({cluster.Shell} get {workload} -o jsonpath='{{.metadata.annotations.helix-runbooks/replicas}}')\"";

    public override Task<string> ScaleCommand(PlanContext context, int replicas) => Task.FromResult($"{cluster.Shell} scale {workload} --replicas={replicas}");

    public override async Task<string?> Place(PlanContext context) => await cluster.ReadPlace(context) is { } place ? $"{place}/{workload}" : null;

    public override async Task<RuntimeState> State(PlanContext context)
    {
        var kubectl = new Kubectl(cluster, context);
        if (await kubectl.Find(workload.ToString()) is not { } json)
            return new(RuntimeStatus.Missing, Detail: $"{cluster.Context}/{cluster.Namespace} has no {workload}");
        if (workload.Kind == "pod")
            return new Pod(json) is var pod && pod.Phase == "Running" ? new(RuntimeStatus.Running, Health: pod.Ready ? "healthy" : pod.State) : new(RuntimeStatus.Stopped);
        var now = new Workload(json);
        var pods = (await kubectl.Pods(now.Selector)).Where(p => !p.IsOver).ToList();
        if (now.Wanted == 0)
            return pods.Count == 0 ? new(RuntimeStatus.Stopped) : new(RuntimeStatus.Running, Health: $"{pods.Count} pods end");
        var unready = pods.Where(p => !p.Ready).Select(p => p.State).Take(3).ToList();
        return new(RuntimeStatus.Running, Health: now.Unfinished is { } open ? open : "healthy", Detail: unready.Count > 0 ? string.Join(", ", unready) : null);
    }

    public override async Task<RuntimeState> Stop(StepContext context, TimeSpan grace)
    {
        var kubectl = new Kubectl(cluster, context);
        var now = new Workload(await kubectl.Get(workload.ToString()));
        if (now.Wanted > 0)
        {
            // Before the scale: a crash between the two must not forget it.
            await kubectl.Ask("annotate", workload.ToString(), "--overwrite", $"{Replicas}={now.Wanted}");
            await ScaleTo(kubectl, 0);
        }
        if (await Gone(kubectl, now, grace))
            return new(RuntimeStatus.Stopped);
        var late = await kubectl.Pods(now.Selector);
        context.Log($"{string.Join(", ", late.Select(p => p.Name))} did not end within {new Duration(grace)} and are killed.");
        // Never --force: that only forgets the pod, and its process may go on writing.
        await kubectl.Ask(["delete", "pod", .. late.Select(p => p.Name), "--ignore-not-found", "--grace-period=1", "--wait=false"]);
        return await Gone(kubectl, now, KillLimit)
            ? new(RuntimeStatus.Stopped, ExitCode: 137, Detail: $"killed after {new Duration(grace)}")
            : throw StepFailedException.Conflict($"Pods of {workload} are still there: {string.Join(", ", (await kubectl.Pods(now.Selector)).Select(p => p.State))}.", "Is their node reachable?");
    }

    async Task<bool> Gone(Kubectl kubectl, Workload now, TimeSpan limit)
    {
        var start = kubectl.Context.Time.GetTimestamp();
        while ((await kubectl.Pods(now.Selector)).Any(p => !p.IsOver))
        {
            if (kubectl.Context.Time.GetElapsedTime(start) >= limit)
                return false;
            await kubectl.Context.Delay(Look);
        }
        return true;
    }

    public override async Task Start(StepContext context)
    {
        var kubectl = new Kubectl(cluster, context);
        var now = new Workload(await kubectl.Get(workload.ToString()));
        if (now.Wanted == 0)
        {
            var remembered = int.TryParse(now.Annotation(Replicas), NumberStyles.None, CultureInfo.InvariantCulture, out var replicas);
            if (!remembered)
                context.Log($"Nobody noted how many pods {workload} had: it gets one.");
            await ScaleTo(kubectl, remembered ? replicas : 1);
        }
        if (now.Annotation(Replicas) is not null)
            await kubectl.Ask("annotate", workload.ToString(), $"{Replicas}-");
    }

    public override async Task Scale(StepContext context, int replicas)
    {
        var kubectl = new Kubectl(cluster, context);
        await ScaleTo(kubectl, replicas);
        await new Rollout(kubectl, context).Scaled(workload, replicas, TimeSpan.FromMinutes(5));
    }

    Task<ToolResult> ScaleTo(Kubectl kubectl, int replicas) => workload.Kind is "deployment" or "statefulset"
        ? kubectl.Ask("scale", workload.ToString(), string.Create(CultureInfo.InvariantCulture, $"--replicas={replicas}"))
        : throw new RunbookException($"{workload} cannot be scaled, stopped or started.", "Only a deployment and a stateful set can.");

    public override async Task<int?> Instances(PlanContext context)
    {
        var kubectl = new Kubectl(cluster, context);
        return (await kubectl.Pods(new Workload(await kubectl.Get(workload.ToString())).Selector)).Count(p => p.Ready);
    }

    public override async Task<int?> Wanted(PlanContext context) => new Workload(await new Kubectl(cluster, context).Get(workload.ToString())).Wanted;

    public override async Task<string> LastLines(PlanContext context)
    {
        var kubectl = new Kubectl(cluster, context);
        if (await Pods(kubectl) is not [var pod, ..])
            return "";
        var logs = await kubectl.Call("logs", pod.Name, "--tail=5", "-c", container ?? pod.FirstContainer).Accept(0, 1).Run();
        var lines = logs.Stdout.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0 ? "" : $" Last lines of {pod.Name}: {string.Join(" | ", lines)}";
    }

    public override Tool Exec(PlanContext context, params IReadOnlyList<string> command) =>
        LaterTool.For(context, command, async inner => (await Entered(new(cluster, context))
            ?? throw StepFailedException.Conflict($"{(Replica is { } pod ? $"The pod {pod} of {workload} does not run" : $"{workload} has no running pod")}, so {command[0]} cannot be run inside.", "Start it first, or use a one-off process.")).Complete(inner, command));

    public override Tool OneOff(PlanContext context, params IReadOnlyList<string> command)
    {
        var tool = LaterTool.For(context, command, inner => Task.FromResult(inner.Tool with { Launcher = new InScratchPod(this, context, inner, command) }));
        return tool;
    }

    public override Task<long> CopyOut(StepContext context, string path, Stream to) => Inside(context, async shell => (await new PodFiles(shell, context).Out(path, to)).Size);

    public override Task CopyIn(StepContext context, Stream from, string path, FileOwner owner) => Inside(context, shell => new PodFiles(shell, context).In(from, path, owner));

    public override Task Remove(StepContext context, string path) => Path.GetDirectoryName(path) is null or "/"
        ? throw new RunbookException($"{workload}:{path} is not removed: it is a top-level folder.")
        : Inside(context, shell => shell.Call(context, "rm", "-rf", path).Run());

    /// <summary>In a pod of the workload; while it is stopped in a scratch pod on its claims.</summary>
    internal async Task<T> Inside<T>(StepContext context, Func<PodShell, Task<T>> work)
    {
        var kubectl = new Kubectl(cluster, context);
        if (await Entered(kubectl) is { } shell)
            return await work(shell);
        var scratch = await Beside(kubectl, instead: true);
        try
        {
            return await work(await scratch.Start());
        }
        finally
        {
            await scratch.End();
        }
    }

    /// <summary>A pod on the data of the replica that 'index' says.</summary>
    /// <param name="instead">Because the replica itself does not run.</param>
    async Task<ScratchPod> Beside(Kubectl kubectl, bool instead)
    {
        var now = new Workload(await kubectl.Get(workload.ToString()));
        if (instead && Replica is { } pod && now.Wanted >= index)
            throw StepFailedException.Conflict($"The pod {pod} of {workload} does not run, though it should.", "Let it start, or stop the workload: then a pod of its own is made on the data.");
        var several = int.TryParse(now.Annotation(Replicas), NumberStyles.None, CultureInfo.InvariantCulture, out var had) ? Math.Max(had, now.Wanted) : now.Wanted;
        if (index is null && workload.Kind == "statefulset" && several > 1)
            throw WhichOne($"{workload} has {several} replicas, each with data of its own.");
        return new(kubectl, now, container, index ?? 1);
    }

    static StepFailedException WhichOne(string why) => StepFailedException.Conflict(why, "Say which one with 'index' in the target's runtime, from 1.");

    /// <summary>The replicas of a stateful set have data of their own: 'index' means the pod of this name, whichever others run.</summary>
    string? Replica => index is { } at && workload.Kind == "statefulset" ? string.Create(CultureInfo.InvariantCulture, $"{workload.Name}-{at - 1}") : null;

    /// <summary>The one pod to enter; null when none runs.</summary>
    async Task<PodShell?> Entered(Kubectl kubectl)
    {
        var running = (await Pods(kubectl)).Where(p => p is { Phase: "Running", Ends: false }).ToList();
        if (running.Count > 1 && index is null && running.Count(p => p.Ready) != 1 && workload.Kind == "statefulset")
            throw WhichOne($"{workload} has {running.Count} pods, each with data of its own: {string.Join(", ", running.Select(p => p.Name))}.");
        var pod = Replica is { } name ? running.Find(p => p.Name == name)
            : index is { } at ? running.ElementAtOrDefault(at - 1)
            : running.Find(p => p.Ready) ?? running.FirstOrDefault();
        return pod is null ? null : new PodShell(kubectl, pod.Name, container ?? pod.FirstContainer);
    }

    async Task<IReadOnlyList<Pod>> Pods(Kubectl kubectl)
    {
        var json = await kubectl.Get(workload.ToString());
        return workload.Kind == "pod" ? [new Pod(json)] : await kubectl.Pods(new Workload(json).Selector);
    }

    sealed class InScratchPod(KubernetesRuntime runtime, PlanContext context, InnerCall inner, IReadOnlyList<string> command) : ToolLauncher
    {
        public override async Task<ToolResult> Run(Tool tool)
        {
            var kubectl = new Kubectl(runtime.Cluster, context);
            var scratch = await runtime.Beside(kubectl, instead: false);
            try
            {
                return await (await scratch.Start()).Complete(inner with { Tool = tool with { Launcher = inner.Tool.Launcher } }, command).Run();
            }
            finally
            {
                await scratch.End();
            }
        }
    }

    KubernetesTarget Cluster => cluster;
}
