using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Kubernetes;

/// <summary>A pod with the image, volumes and claims of a workload, beside it: for work on its data while it is scaled to nothing. It ends by itself if nobody ends it, and the next attempt of the same step ends it first: two must not work on one volume.</summary>
sealed class ScratchPod(Kubectl kubectl, Workload workload, string? container, int index)
{
    const int LongestLife = 24 * 60 * 60;
    static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);
    static readonly TimeSpan EndLimit = TimeSpan.FromMinutes(2);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    static readonly string[] OfThePod = ["serviceAccountName", "securityContext", "imagePullSecrets", "nodeSelector", "tolerations", "affinity", "priorityClassName", "runtimeClassName"];
    static readonly string[] OfTheContainer = ["image", "imagePullPolicy", "env", "envFrom", "volumeMounts", "securityContext", "resources", "workingDir"];

    readonly StepContext? _step = kubectl.Context as StepContext;

    string Name { get; } = $"helix-once-{Mark(kubectl.Context, $"\n{workload.Name}\n{index}\n{container}")}";
    string Key => $"scratch:{Name}";

    /// <summary>The same for each attempt of a step, so that one finds what the other left.</summary>
    static string Mark(PlanContext context, string what) => context is StepContext step ? Unfinished.Mark(step, what) : Guid.NewGuid().ToString("N")[..16];

    public async Task<PodShell> Start()
    {
        await Clear();
        await Leave();
        await kubectl.Send(Manifest().ToJsonString(), "create", "-f", "-");
        var start = kubectl.Context.Time.GetTimestamp();
        while (true)
        {
            var pod = new Pod(await kubectl.Get($"pod/{Name}"));
            if (pod.Phase == "Running")
                return new PodShell(kubectl, Name, pod.FirstContainer);
            if (pod.IsOver || kubectl.Context.Time.GetElapsedTime(start) >= StartLimit)
                throw StepFailedException.Transient($"The scratch pod of {workload.Name} does not run: {pod.State}.", "If its claim is held by another node or pod, stop the workload first. The image must hold `sleep`.");
            await kubectl.Context.Delay(Look);
        }
    }

    /// <summary>Also after a cancel; what cannot be removed now ends by itself.</summary>
    public async Task End()
    {
        var ended = await (kubectl.Call("delete", "pod", Name, "--ignore-not-found", "--grace-period=1", "--wait=true", "--timeout=30s") with { Cancelled = CancellationToken.None }).Accept(0, 1).Run();
        if (ended.ExitCode == 0 && _step is not null)
            await _step.TakeBack(Key);
    }

    /// <summary>What an attempt left whose host crashed may still be writing.</summary>
    async Task Clear()
    {
        if (await kubectl.Find($"pod/{Name}") is null)
            return;
        await kubectl.Ask("delete", "pod", Name, "--ignore-not-found", "--grace-period=1", "--wait=false");
        var start = kubectl.Context.Time.GetTimestamp();
        while (await kubectl.Find($"pod/{Name}") is not null)
        {
            if (kubectl.Context.Time.GetElapsedTime(start) >= EndLimit)
                throw StepFailedException.Conflict($"The pod {Name} of an earlier attempt is still there.", "Is its node reachable?");
            await kubectl.Context.Delay(Look);
        }
    }

    Task Leave() => _step is null ? Task.CompletedTask : _step.Leave(new()
    {
        Key = Key,
        Kind = ResidueKind.Other,
        Target = kubectl.Target.Name,
        What = $"the pod {Name} works on the data of {workload.Name}",
        Command = $"{kubectl.Target.Shell} delete pod {Name}",
    });

    JsonObject Manifest()
    {
        var spec = (JsonObject)workload.Template["spec"]!;
        var all = spec["containers"]!.AsArray();
        var of = (JsonObject)(all.FirstOrDefault(c => container is null || c!["name"]!.ToString() == container)
            ?? throw StepFailedException.Missing($"{workload.Name} has no container '{container}'. It has: {string.Join(", ", all.Select(c => c!["name"]))}."));
        var own = Picked(of, OfTheContainer);
        own["name"] = of["name"]!.ToString();
        own["command"] = new JsonArray("sleep", $"{LongestLife}");
        var pod = Picked(spec, OfThePod);
        pod["restartPolicy"] = "Never";
        pod["activeDeadlineSeconds"] = LongestLife;
        pod["terminationGracePeriodSeconds"] = 1;
        pod["containers"] = new JsonArray(own);
        pod["volumes"] = Volumes(spec);
        return new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            // None of the workload's own labels: a service would send it traffic.
            ["metadata"] = new JsonObject { ["name"] = Name, ["labels"] = new JsonObject { ["app.kubernetes.io/managed-by"] = Kubectl.Manager } },
            ["spec"] = pod,
        };
    }

    /// <summary>A stateful set gives each pod claims of its own; those of the replica with this index are taken, counted from 1.</summary>
    JsonArray Volumes(JsonObject spec)
    {
        var volumes = (JsonArray)(spec["volumes"]?.DeepClone() ?? new JsonArray());
        foreach (var claim in workload.Json["spec"]!["volumeClaimTemplates"] as JsonArray ?? [])
        {
            var name = claim!["metadata"]!["name"]!.ToString();
            volumes.Add(new JsonObject { ["name"] = name, ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = $"{name}-{workload.Json["metadata"]!["name"]}-{index - 1}" } });
        }
        return volumes;
    }

    static JsonObject Picked(JsonObject from, IEnumerable<string> names) =>
        new(names.Where(n => from[n] is not null).Select(n => KeyValuePair.Create(n, from[n]?.DeepClone())));
}
