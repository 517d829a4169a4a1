using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

public sealed record KubernetesRolloutOptions
{
    [Description("The cluster and namespace.")]
    [TargetName("kubernetes")]
    [Fixed]
    [Example("cluster")]
    public required string Target { get; init; }

    [Description("The workloads to wait for, as kind/name.")]
    [MinLength(1)]
    [Example("[deployment/dashboard-green]")]
    public required IReadOnlyList<string> Workloads { get; init; }

    [Description("Replace their pods first, a few at a time.")]
    [Fixed]
    public bool Restart { get; init; }

    [Description("How long each may take.")]
    public Duration Limit { get; init; } = new(TimeSpan.FromMinutes(10));
}

public sealed record KubernetesRolloutOutputs
{
    [Description("Ready pods of each workload.")]
    public required IReadOnlyDictionary<string, int> Ready { get; init; }
    public required IReadOnlyList<string> Images { get; init; }
}

[Step("kubernetes.rollout", "Waits until all pods of workloads are new and ready, and says why when they are not.")]
public sealed class KubernetesRollout : Step<KubernetesRolloutOptions, KubernetesRolloutOutputs>
{
    const string RestartedBy = "helix-runbooks/restarted-by";
    const string Key = "mark";

    public override IEnumerable<TargetEffect> Effects(KubernetesRolloutOptions options) =>
        [options.Restart ? TargetEffect.Changes(options.Target) : TargetEffect.Reads(options.Target)];

    public override Task<StepPlan> Plan(KubernetesRolloutOptions options, PlanContext context)
    {
        var names = options.Workloads.Select(w => Name(w).ToString());
        return Task.FromResult(new StepPlan { Lines = [$"{(options.Restart ? "Restart" : "Wait for")} {string.Join(", ", names)}, at most {options.Limit} each."] });
    }

    public override async Task<KubernetesRolloutOutputs> Run(KubernetesRolloutOptions options, StepContext context)
    {
        var kubectl = new Kubectl(context.Target<KubernetesTarget>(options.Target), context);
        var names = options.Workloads.Select(Name).ToList();
        var mark = options.Restart ? await Mark(context) : "";
        foreach (var name in options.Restart ? names : [])
            await Restart(kubectl, name, mark);
        var (ready, images) = (new Dictionary<string, int>(), new List<string>());
        foreach (var name in names)
        {
            var done = await new Rollout(kubectl, context).Finished(name, options.Limit);
            ready[name.ToString()] = done.Ready;
            images.AddRange(done.Images);
        }
        return new() { Ready = ready, Images = [.. images.Distinct()] };
    }

    /// <summary>Another round restarts again.</summary>
    static Task<string> Mark(StepContext context) =>
        context.OncePerRound(Key, mark => $"{context.Run.Id}.{context.Path.Replace('/', '.').Replace('[', '_').Replace(']', '_')}.{mark}");

    /// <summary>The pods get the mark of this round of this step: a resume that finds it does not replace them again.</summary>
    static async Task Restart(Kubectl kubectl, WorkloadName name, string mark)
    {
        if (new Workload(await kubectl.Get(name.ToString())).Template["metadata"]?["annotations"]?[RestartedBy]?.ToString() == mark)
            return;
        var annotations = new JsonObject { ["annotations"] = new JsonObject { [RestartedBy] = mark } };
        var patch = new JsonObject { ["spec"] = new JsonObject { ["template"] = new JsonObject { ["metadata"] = annotations } } }.ToJsonString();
        await kubectl.Ask("patch", name.ToString(), "--type=merge", "-p", patch);
    }

    public override Task<ProbeResult<KubernetesRolloutOutputs>> Probe(KubernetesRolloutOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<KubernetesRolloutOutputs>.NotDone("waiting again does no harm, and pods that this step replaced are not replaced again"));

    static WorkloadName Name(string text) => WorkloadName.Parse(text) is { Kind: not "pod" } name ? name : throw new RunbookException($"{text} has no rollout.", "Name its deployment, stateful set or daemon set.");
}
