using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

/// <summary>Calls of kubectl for one target: context and namespace are always given, and no answer is waited for without end (K8S-05, K8S-07).</summary>
sealed class Kubectl(KubernetesTarget target, PlanContext context)
{
    /// <summary>On top of the tool's own limit, for its start and its retries.</summary>
    static readonly TimeSpan Slack = TimeSpan.FromSeconds(20);

    public const string Manager = "helix-runbooks";

    public KubernetesTarget Target => target;
    public PlanContext Context => context;

    public IReadOnlyList<string> Global =>
    [
        .. target.Kubeconfig is { } file ? new[] { "--kubeconfig", context.FullPath(file) } : [],
        "--context", target.Context, "--namespace", target.Namespace,
        // What is cached of one cluster must not be believed of another; a look has no folder of its own, and caches nothing.
        "--cache-dir", context is StepContext ? Path.Combine(context.Run.Work, ".kubectl") : "/dev/null",
        "--request-timeout", string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, (long)target.RequestTimeout.Value.TotalSeconds)}s"),
    ];

    public Tool Call(params IEnumerable<string> arguments) => context.Tool("kubectl", [.. Global, .. arguments]).Quietly();

    public Task<ToolResult> Ask(params IEnumerable<string> arguments) => Run(Call(arguments), target.RequestTimeout.Value);

    /// <summary>With a manifest on standard input, never in arguments (K8S-08).</summary>
    public async Task<ToolResult> Send(string manifest, params IEnumerable<string> arguments)
    {
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(manifest));
        return await Run(Call(arguments) with { Input = input }, target.RequestTimeout.Value);
    }

    public async Task<JsonObject> Json(params IEnumerable<string> arguments) =>
        await JsonOrNull(arguments) ?? throw StepFailedException.InvalidData($"kubectl gave no JSON for {string.Join(' ', arguments.Take(3))}.");

    /// <summary>An object such as <c>deployment/web</c>; null when there is none.</summary>
    public Task<JsonObject?> Find(string resource) => JsonOrNull(["get", resource, "--ignore-not-found", "-o", "json"]);

    public async Task<JsonObject> Get(string resource) => await Find(resource) ?? throw StepFailedException.Missing(
        $"There is no {resource} in namespace {target.Namespace} of {target.Context}.", "Check the name, the namespace and the context.");

    public async Task<IReadOnlyList<Pod>> Pods(string selector) =>
        [.. ((await Json("get", "pods", "-l", selector, "-o", "json"))["items"] as JsonArray ?? []).Select(p => new Pod((JsonObject)p!)).OrderBy(p => p.Name, StringComparer.Ordinal)];

    public static IReadOnlyList<string> Lines(ToolResult result) => result.Stdout.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    async Task<JsonObject?> JsonOrNull(IEnumerable<string> arguments)
    {
        using var output = new MemoryStream();
        await Run(Call(arguments) with { Output = output }, target.RequestTimeout.Value);
        try
        {
            return output.Length == 0 ? null : JsonNode.Parse(output.ToArray()) as JsonObject;
        }
        catch (JsonException)
        {
            throw StepFailedException.InvalidData($"kubectl gave no whole JSON for {string.Join(' ', arguments.Take(3))}.");
        }
    }

    /// <summary>Runs a call that ends by itself soon, or is ended.</summary>
    public async Task<ToolResult> Run(Tool tool, TimeSpan limit)
    {
        using var over = new CancellationTokenSource(limit + Slack, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(over.Token, context.Cancelled);
        try
        {
            var result = await (tool.Accept(0, 1) with { Cancelled = both.Token, Grace = TimeSpan.FromSeconds(2) }).Run();
            return result.ExitCode == 0 ? result : throw KubeFailure.Of(result.Stderr, target);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Cancelled && !context.Cancelled.IsCancellationRequested)
        {
            throw new StepFailedException(FailureClass.TimedOut, $"kubectl was ended: the cluster behind {target.Context} gave no answer within {new Duration(limit + Slack)}.", "Is the cluster overloaded, or the way to it cut?", e);
        }
    }
}
