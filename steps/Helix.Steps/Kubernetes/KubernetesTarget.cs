using System.ComponentModel;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

/// <summary>What a cluster is known by.</summary>
public enum ClusterIdentity
{
    /// <summary>The uid of its namespace kube-system, which no two clusters share.</summary>
    Uid,
    /// <summary>The address of its server: for one that is built anew, whose uid nobody can know before.</summary>
    Server,
}

[Target("kubernetes", "One namespace of a Kubernetes cluster. The context that happens to be selected is never used.")]
public sealed record KubernetesTarget : Target
{
    [Description("The context of the kubeconfig that leads to the cluster.")]
    [Example("helix-prod")]
    public required string Context { get; init; }

    [Description("The namespace that all steps work in.")]
    [Example("helix")]
    public required string Namespace { get; init; }

    [Description("The kubeconfig file; an earlier step may make it. Default: that of the account which runs helix.")]
    [FilePath]
    [Example("../infra/kubeconfig")]
    public string? Kubeconfig { get; init; }

    [Description("What its identity is read from: uid, of the namespace kube-system, or the server's address where that may not be read; server, the address always, for a cluster that a run builds anew.")]
    public ClusterIdentity IdentifyBy { get; init; }

    [Description("How long the cluster may take for one answer.")]
    public Duration RequestTimeout { get; init; } = new(TimeSpan.FromSeconds(30));

    [JsonIgnore]
    public override string Address => $"kubernetes:{Kubeconfig ?? ""}:{Context}/{Namespace}";

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => ["kubectl"];

    /// <summary>What commands for people begin with.</summary>
    internal string Shell => $"kubectl{(Kubeconfig is null ? "" : $" --kubeconfig {Kubeconfig}")} --context {Context} -n {Namespace}";

    /// <summary>The uid of the namespace kube-system, which no two clusters share; where that may not be read, the server's address.</summary>
    public override async Task<string?> ReadPlace(PlanContext context)
    {
        var kubectl = new Kubectl(this, context);
        try
        {
            return (IdentifyBy == ClusterIdentity.Uid ? await Uid(kubectl) : null) ?? await Server(kubectl);
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return null;
        }
    }

    /// <summary>The label <c>helix.runbooks/environment</c> of the namespace.</summary>
    public override async Task<string?> ReadLabel(PlanContext context)
    {
        try
        {
            return (await new Kubectl(this, context).Find($"namespace/{Namespace}"))?["metadata"]?["labels"]?["helix.runbooks/environment"]?.ToString();
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return null;
        }
    }

    async Task<string?> Uid(Kubectl kubectl)
    {
        try
        {
            return (await kubectl.Find("namespace/kube-system"))?["metadata"]?["uid"] is { } uid ? $"{uid}/{Namespace}" : null;
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Auth)
        {
            return null;
        }
    }

    async Task<string?> Server(Kubectl kubectl)
    {
        var server = (await kubectl.Ask("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")).Stdout.Trim();
        return server.Length > 0 ? $"{server}/{Namespace}" : null;
    }

    public override async Task<string> Check(PlanContext context)
    {
        var kubectl = new Kubectl(this, context);
        var version = await kubectl.Json("version", "-o", "json");
        var there = await kubectl.Find($"namespace/{Namespace}") is not null;
        return $"Kubernetes {version["serverVersion"]?["gitVersion"]} at {Context}, namespace {Namespace}{(there ? "" : " (not there yet)")}";
    }
}
