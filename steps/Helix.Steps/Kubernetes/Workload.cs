using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

/// <summary>The name of a workload, as <c>statefulset/neo4j</c>.</summary>
sealed record WorkloadName(string Kind, string Name)
{
    static readonly Dictionary<string, string> Kinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["deployment"] = "deployment",
        ["deployments"] = "deployment",
        ["deploy"] = "deployment",
        ["statefulset"] = "statefulset",
        ["statefulsets"] = "statefulset",
        ["sts"] = "statefulset",
        ["daemonset"] = "daemonset",
        ["daemonsets"] = "daemonset",
        ["ds"] = "daemonset",
        ["pod"] = "pod",
        ["pods"] = "pod",
    };

    /// <exception cref="RunbookException">It is no kind and name, or no workload.</exception>
    public static WorkloadName Parse(string text) =>
        text.Split('/') is [var kind, { Length: > 0 } name] && Kinds.TryGetValue(kind, out var known)
            ? new(known, name)
            : throw new RunbookException($"'{text}' names no workload.", "Write deployment/NAME, statefulset/NAME, daemonset/NAME or pod/NAME.");

    public override string ToString() => $"{Kind}/{Name}";
}

/// <summary>What the cluster says of a deployment, a stateful set or a daemon set.</summary>
sealed class Workload(JsonObject json)
{
    public JsonObject Json => json;
    public string Name => $"{json["kind"]!.ToString().ToLowerInvariant()}/{json["metadata"]!["name"]}";
    bool IsDaemonSet => json["kind"]!.ToString() == "DaemonSet";
    public int Wanted => IsDaemonSet ? Status("desiredNumberScheduled") : json["spec"]!["replicas"]?.GetValue<int>() ?? 1;
    public int Ready => Status(IsDaemonSet ? "numberReady" : "readyReplicas");
    public int There => Status(IsDaemonSet ? "currentNumberScheduled" : "replicas");
    public bool Observed => Status("observedGeneration") >= (json["metadata"]!["generation"]?.GetValue<int>() ?? 0);
    public string? Annotation(string name) => json["metadata"]!["annotations"]?[name]?.ToString();
    public JsonObject Template => (JsonObject)json["spec"]!["template"]!;
    public IReadOnlyList<string> Images => [.. Template["spec"]!["containers"]!.AsArray().Select(c => c!["image"]!.ToString())];

    /// <summary>For a list of its pods.</summary>
    public string Selector => json["spec"]?["selector"]?["matchLabels"] is JsonObject { Count: > 0 } labels
        ? string.Join(',', labels.Select(l => $"{l.Key}={l.Value}"))
        : throw StepFailedException.InvalidData($"{Name} selects its pods by no labels that can be listed.");

    /// <summary>Null once every pod is of the newest form and ready.</summary>
    public string? Unfinished =>
        !Observed ? "its controller has not seen the change yet"
        : Status(IsDaemonSet ? "updatedNumberScheduled" : "updatedReplicas") < Wanted ? $"{Status(IsDaemonSet ? "updatedNumberScheduled" : "updatedReplicas")} of {Wanted} pods are new"
        : There > Wanted ? $"{There - Wanted} old pods are left"
        : Math.Min(Ready, IsDaemonSet ? Status("numberAvailable") : json["kind"]!.ToString() == "Deployment" ? Status("availableReplicas") : Ready) < Wanted ? $"{Ready} of {Wanted} pods are ready"
        : null;

    /// <summary>Why waiting would be in vain; null as long as the status is that of an older form, which may have failed for itself.</summary>
    public string? Hopeless =>
        !Observed ? null
        : json["spec"]!["paused"]?.GetValue<bool>() == true ? "it is paused"
        : json["spec"]!["updateStrategy"]?["type"]?.ToString() == "OnDelete" && Unfinished is not null ? "its update strategy is OnDelete: somebody has to delete the pods"
        : (json["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(c => c["reason"]?.ToString() == "ProgressDeadlineExceeded") is { } late ? late["message"]?.ToString() ?? "its progress deadline has passed"
        : null;

    int Status(string name) => json["status"]?[name]?.GetValue<int>() ?? 0;
}
