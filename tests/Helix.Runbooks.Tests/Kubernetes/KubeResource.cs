using System.Text.Json.Nodes;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>The kinds that the stub knows.</summary>
sealed record KubeResource(string Group, string Version, string Plural, string Kind, bool Namespaced = true, bool Scales = false)
{
    public static IReadOnlyList<KubeResource> All { get; } =
    [
        new("", "v1", "namespaces", "Namespace", Namespaced: false),
        new("", "v1", "pods", "Pod"),
        new("", "v1", "services", "Service"),
        new("", "v1", "secrets", "Secret"),
        new("", "v1", "configmaps", "ConfigMap"),
        new("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
        new("apps", "v1", "deployments", "Deployment", Scales: true),
        new("apps", "v1", "statefulsets", "StatefulSet", Scales: true),
        new("networking.k8s.io", "v1", "ingresses", "Ingress"),
    ];

    public string GroupVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";
    public string Root => Group.Length == 0 ? $"/api/{Version}" : $"/apis/{GroupVersion}";

    public JsonObject Discovery() => new()
    {
        ["name"] = Plural,
        ["singularName"] = Kind.ToLowerInvariant(),
        ["namespaced"] = Namespaced,
        ["kind"] = Kind,
        ["shortNames"] = new JsonArray(Kind switch { "PersistentVolumeClaim" => "pvc", "Deployment" => "deploy", "StatefulSet" => "sts", "Ingress" => "ing", _ => Plural[..2] + Plural }),
        ["verbs"] = new JsonArray("create", "delete", "get", "list", "patch", "update", "watch"),
    };

    public IEnumerable<JsonObject> DiscoveryOfAll() => Scales
        ? [Discovery(), new JsonObject { ["name"] = $"{Plural}/scale", ["singularName"] = "", ["namespaced"] = true, ["group"] = "autoscaling", ["version"] = "v1", ["kind"] = "Scale", ["verbs"] = new JsonArray("get", "patch", "update") }]
        : [Discovery()];

    /// <summary>The part of the OpenAPI document that tells kubectl that the server checks fields itself.</summary>
    public KeyValuePair<string, JsonNode?> OpenApiPath() => new(Namespaced ? $"{Root}/namespaces/{{namespace}}/{Plural}/{{name}}" : $"{Root}/{Plural}/{{name}}", new JsonObject
    {
        ["patch"] = new JsonObject
        {
            ["parameters"] = new JsonArray(Parameter("dryRun"), Parameter("fieldManager"), Parameter("fieldValidation"), Parameter("force")),
            ["x-kubernetes-action"] = "patch",
            ["x-kubernetes-group-version-kind"] = new JsonObject { ["group"] = Group, ["version"] = Version, ["kind"] = Kind },
            ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
        },
    });

    static JsonObject Parameter(string name) => new() { ["name"] = name, ["in"] = "query", ["schema"] = new JsonObject { ["type"] = "string" } };
}
