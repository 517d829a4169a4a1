using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

public sealed record KubernetesSwitchOptions
{
    [Description("The cluster and namespace.")]
    [TargetName("kubernetes")]
    [Fixed]
    [Example("cluster")]
    public required string Target { get; init; }

    [Description("The ingress whose traffic is led to another service.")]
    [Fixed]
    [Example("helix-ingress")]
    public string? Ingress { get; init; }

    [Description("Only the rules of this host; default: all.")]
    [Example("dashboard.example.com")]
    public string? Host { get; init; }

    [Description("Only this path; default: all of the host.")]
    public string? Path { get; init; }

    [Description("With 'ingress': the service that the traffic goes to. Without: the service whose selector is changed.")]
    [Example("dashboard-green")]
    public required string Service { get; init; }

    [Description("The port of the service, a number or a name; default: as before.")]
    public string? Port { get; init; }

    [Description("Without 'ingress': labels of the pods that the service leads to from now on; others of its labels stay.")]
    [Example("{ color: green }")]
    public IReadOnlyDictionary<string, string> Selector { get; init; } = new Dictionary<string, string>();

    [Description("Switch although the service that is switched to has no ready pod: for a way back when there is nothing better.")]
    [Fixed]
    public bool EvenIfNotReady { get; init; }
}

public sealed record KubernetesSwitchOutputs
{
    [Description("The service that the traffic went to before: what to switch back to.")]
    public required string Before { get; init; }

    [Description("The selector before, of those labels that were changed.")]
    public required IReadOnlyDictionary<string, string> SelectorBefore { get; init; }
    public required string Now { get; init; }

    [Description("The command that switches back.")]
    public required string WayBack { get; init; }
}

[Step("kubernetes.switch-service", "Leads the traffic of an ingress or of a service elsewhere, and reads back that it is so.")]
public sealed class KubernetesSwitch : Step<KubernetesSwitchOptions, KubernetesSwitchOutputs>
{
    public override IEnumerable<TargetEffect> Effects(KubernetesSwitchOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(KubernetesSwitchOptions options, PlanContext context)
    {
        Check(options);
        var cluster = context.Target<KubernetesTarget>(options.Target);
        return Task.FromResult(new StepPlan
        {
            Lines = [$"{(options.Ingress is { } ingress ? $"Lead the traffic of ingress {ingress}{(options.Host is { } host ? $", host {host}," : "")} to the service {options.Service}" : $"Lead the service {options.Service} to pods with {Labels(options.Selector)}")} in {cluster.Context}/{cluster.Namespace}."],
        });
    }

    public override Task<KubernetesSwitchOutputs> Run(KubernetesSwitchOptions options, StepContext context)
    {
        Check(options);
        var kubectl = new Kubectl(context.Target<KubernetesTarget>(options.Target), context);
        return options.Ingress is { } ingress ? new IngressSwitch(kubectl, ingress, options, context).Run() : new SelectorSwitch(kubectl, options, context).Run();
    }

    /// <summary>The first attempt saved what there was before.</summary>
    public override Task<ProbeResult<KubernetesSwitchOutputs>> Probe(KubernetesSwitchOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<KubernetesSwitchOutputs>.NotDone("switching again to the same changes nothing"));

    static void Check(KubernetesSwitchOptions options)
    {
        if (options.Ingress is null == (options.Selector.Count == 0))
            throw new RunbookException($"The switch to {options.Service} is not complete.", "Give either 'ingress', or 'selector' for a service.");
    }

    internal static string Labels(IEnumerable<KeyValuePair<string, string>> labels) => string.Join(", ", labels.Select(l => $"{l.Key}={l.Value}"));

    /// <summary>Nobody is led to where nobody answers.</summary>
    internal static async Task MustBeReady(Kubectl kubectl, string service, string selector, bool evenIfNot)
    {
        if (evenIfNot)
            return;
        var pods = await kubectl.Pods(selector);
        if (!pods.Any(p => p.Ready))
            throw StepFailedException.Conflict($"The traffic is not led to {service}: it has no ready pod{(pods.Count > 0 ? $". There are: {string.Join(", ", pods.Take(5).Select(p => p.State))}" : $" ({selector})")}.", "Wait for its rollout first.");
    }
}
