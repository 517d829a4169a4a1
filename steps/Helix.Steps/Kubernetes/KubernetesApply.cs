using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

public sealed record KubernetesApplyOptions
{
    [Description("The cluster and namespace.")]
    [TargetName("kubernetes")]
    [Fixed]
    [Example("cluster")]
    public required string Target { get; init; }

    [Description("Files with manifests, in order. They are pinned with the runbook.")]
    [PinnedFile]
    [MinLength(1)]
    [Example("[../k8s/dashboard-green.yaml]")]
    public required IReadOnlyList<string> Files { get; init; }

    [Description("Make the namespace first when it is not there, as in a new cluster.")]
    public bool CreateNamespace { get; init; }

    [Description("Take over fields that somebody else manages.")]
    [Fixed]
    public bool Force { get; init; }
}

public sealed record KubernetesApplyOutputs
{
    [Description("What was applied, as \"deployment.apps/dashboard-green\".")]
    public required IReadOnlyList<string> Objects { get; init; }
}

[Step("kubernetes.apply", "Brings objects of a namespace to what manifests say, by server-side apply.")]
public sealed class KubernetesApply : Step<KubernetesApplyOptions, KubernetesApplyOutputs>
{
    public override IEnumerable<TargetEffect> Effects(KubernetesApplyOptions options) => [TargetEffect.Changes(options.Target)];

    /// <summary>The server itself says what it would do; a cluster that is not there yet is no fault of the plan.</summary>
    public override async Task<StepPlan> Plan(KubernetesApplyOptions options, PlanContext context)
    {
        try
        {
            var objects = await Apply(options, context, "--dry-run=server");
            return new() { Lines = [$"Apply {string.Join(", ", objects)} in {options.Target}; the server would take it."] };
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return new() { Lines = [$"Apply {string.Join(", ", options.Files)} in {options.Target}."], Warnings = [$"The server was asked for a dry run, and: {e.Message}"] };
        }
    }

    public override async Task<KubernetesApplyOutputs> Run(KubernetesApplyOptions options, StepContext context)
    {
        if (options.CreateNamespace)
            await MakeNamespace(new(context.Target<KubernetesTarget>(options.Target), context), context);
        // All of it or nothing, as far as the server can tell before.
        await Apply(options, context, "--dry-run=server");
        var objects = await Apply(options, context);
        context.Log($"applied {string.Join(", ", objects)}");
        return new() { Objects = objects };
    }

    static async Task MakeNamespace(Kubectl kubectl, StepContext context)
    {
        var name = kubectl.Target.Namespace;
        if (await kubectl.Find($"namespace/{name}") is not null)
            return;
        var manifest = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } };
        await kubectl.Send(manifest.ToJsonString(), "apply", "--server-side", $"--field-manager={Kubectl.Manager}", "-f", "-");
        context.Log($"made the namespace {name}");
    }

    public override Task<ProbeResult<KubernetesApplyOutputs>> Probe(KubernetesApplyOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<KubernetesApplyOutputs>.NotDone("applying again changes nothing"));

    static async Task<IReadOnlyList<string>> Apply(KubernetesApplyOptions options, PlanContext context, params string[] more)
    {
        var kubectl = new Kubectl(context.Target<KubernetesTarget>(options.Target), context);
        string[] force = options.Force ? ["--force-conflicts"] : [];
        var result = await kubectl.Ask(["apply", "--server-side", $"--field-manager={Kubectl.Manager}", "-o", "name", .. force, .. more, .. FilesOf(options.Files, context)]);
        return Kubectl.Lines(result);
    }

    internal static IEnumerable<string> FilesOf(IEnumerable<string> files, PlanContext context) => files.SelectMany(f =>
        File.Exists(context.PinnedPath(f)) ? new[] { "-f", context.PinnedPath(f) } : throw StepFailedException.Missing($"There is no manifest {context.FullPath(f)}."));
}
