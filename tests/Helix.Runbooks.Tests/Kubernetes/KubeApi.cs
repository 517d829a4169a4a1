using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>What the API answers: discovery, objects, their scale.</summary>
sealed class KubeApi(KubeCluster cluster)
{
    public KubeAnswer Answer(KubeRequest request, HttpRequest http)
    {
        lock (cluster.Gate)
            return Discovery(request.Path) ?? Object(request, http);
    }

    static KubeAnswer? Discovery(string path)
    {
        var groups = KubeResource.All.Where(r => r.Group.Length > 0).Select(r => r.GroupVersion).Distinct().ToList();
        switch (path)
        {
            case "/version":
                return KubeAnswer.Ok(new JsonObject { ["major"] = "1", ["minor"] = "32", ["gitVersion"] = "v1.32.0-stub" });
            case "/api":
                return KubeAnswer.Ok(new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1") });
            case "/apis":
                return KubeAnswer.Ok(new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = new JsonArray([.. groups.Select(Group)]) });
            case "/openapi/v3":
                return KubeAnswer.Ok(new JsonObject { ["paths"] = new JsonObject(groups.Select(g => $"apis/{g}").Prepend("api/v1").Select(g => KeyValuePair.Create(g, (JsonNode?)new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{g}" }))) });
            case var p when p.StartsWith("/openapi/v3/", StringComparison.Ordinal):
                var root = p["/openapi/v3".Length..];
                return KubeAnswer.Ok(new JsonObject
                {
                    ["openapi"] = "3.0.0",
                    ["info"] = new JsonObject { ["title"] = "stub", ["version"] = "1" },
                    ["paths"] = new JsonObject(KubeResource.All.Where(r => r.Root == root).Select(r => r.OpenApiPath())),
                });
            default:
                var resources = KubeResource.All.Where(r => r.Root == path).ToList();
                return resources.Count == 0 ? null : KubeAnswer.Ok(new JsonObject
                {
                    ["kind"] = "APIResourceList",
                    ["apiVersion"] = "v1",
                    ["groupVersion"] = resources[0].GroupVersion,
                    ["resources"] = new JsonArray([.. resources.SelectMany(r => r.DiscoveryOfAll())]),
                });
        }
    }

    static JsonObject Group(string groupVersion)
    {
        JsonObject Version() => new() { ["groupVersion"] = groupVersion, ["version"] = groupVersion.Split('/')[1] };
        return new() { ["name"] = groupVersion.Split('/')[0], ["versions"] = new JsonArray(Version()), ["preferredVersion"] = Version() };
    }

    KubeAnswer Object(KubeRequest request, HttpRequest http)
    {
        var resource = KubeResource.All.FirstOrDefault(r => request.Path.StartsWith(r.Root + "/", StringComparison.Ordinal)
            && Parts(r, request.Path) is var p && (p.Length <= (r.Namespaced ? 1 : 2) && p[0] == r.Plural || p is ["namespaces", _, var plural, ..] && plural == r.Plural));
        if (resource is null)
            return KubeAnswer.Failure(404, "NotFound", "the server could not find the requested resource");
        var parts = Parts(resource, request.Path);
        var space = resource.Namespaced && parts[0] == "namespaces" ? parts[1] : "";
        var rest = resource.Namespaced && parts[0] == "namespaces" ? parts[3..] : parts[1..];
        if (space == "kube-system" && cluster.Forbidden || (resource.Kind == "Namespace" && rest is ["kube-system"] && cluster.Forbidden))
            return KubeAnswer.Failure(403, "Forbidden", "namespaces \"kube-system\" is forbidden: User \"ops\" cannot get it");
        var key = new KubeKey(resource, space, rest.Length > 0 ? rest[0] : "");
        return (request.Method, rest) switch
        {
            ("GET", []) => List(resource, space, http),
            ("POST", []) => Create(resource, space, request, http),
            (_, [_, "log"]) => new(200, cluster.Log(key), "text/plain"),
            ("GET", [_, "scale"]) => cluster.Find(key) is { } of ? KubeAnswer.Ok(Scale(of)) : Missing(key),
            ("PATCH", [_, "scale"]) => ChangeScale(key, request),
            ("GET", [_]) => cluster.Find(key) is { } one ? KubeAnswer.Ok(one.DeepClone()) : Missing(key),
            ("DELETE", [_]) => Delete(key, http),
            ("PATCH" or "PUT", [_]) => Change(key, request, http),
            _ => KubeAnswer.Failure(405, "MethodNotAllowed", $"the stub does not do {request.Method} {request.Path}"),
        };
    }

    static string[] Parts(KubeResource resource, string path) => path[(resource.Root.Length + 1)..].Split('/');

    static KubeAnswer Missing(KubeKey key) => KubeAnswer.Failure(404, "NotFound",
        $"{key.Resource.Plural}{(key.Resource.Group.Length > 0 ? $".{key.Resource.Group}" : "")} \"{key.Name}\" not found");

    KubeAnswer List(KubeResource resource, string space, HttpRequest http) => KubeAnswer.Ok(new JsonObject
    {
        ["kind"] = $"{resource.Kind}List",
        ["apiVersion"] = resource.GroupVersion,
        ["metadata"] = new JsonObject { ["resourceVersion"] = "1" },
        ["items"] = new JsonArray([.. cluster.List(resource, space, http.Query["labelSelector"].ToString()).Select(o => o.DeepClone())]),
    });

    KubeAnswer Create(KubeResource resource, string space, KubeRequest request, HttpRequest http)
    {
        var made = (JsonObject)JsonNode.Parse(request.Body)!;
        var key = new KubeKey(resource, space, made["metadata"]!["name"]!.ToString());
        if (cluster.Find(key) is not null)
            return KubeAnswer.Failure(409, "AlreadyExists", $"{resource.Plural} \"{key.Name}\" already exists");
        return Put(key, made, http, 201);
    }

    KubeAnswer Change(KubeKey key, KubeRequest request, HttpRequest http)
    {
        var type = http.ContentType?.Split(';')[0];
        var there = (JsonObject?)cluster.Find(key)?.DeepClone();
        if (there is null && type != "application/apply-patch+yaml")
            return Missing(key);
        try
        {
            var body = JsonNode.Parse(request.Body)!;
            var changed = type switch
            {
                "application/json-patch+json" => KubePatch.Json(there!, body.AsArray()),
                "application/apply-patch+yaml" => cluster.Owners(key).Apply(there ?? [], body.AsObject(), http.Query["fieldManager"].ToString(), http.Query["force"] == "true", http.Query.ContainsKey("dryRun")),
                "application/merge-patch+json" or "application/strategic-merge-patch+json" => KubePatch.Merge(there!, body.AsObject()),
                _ => body.AsObject(),
            };
            return Put(key, changed, http, there is null ? 201 : 200);
        }
        catch (KubeRefusal e)
        {
            return KubeAnswer.Failure(e.Status, e.Reason, e.Message);
        }
    }

    KubeAnswer Put(KubeKey key, JsonObject value, HttpRequest http, int status)
    {
        if (key.Resource.Namespaced && cluster.Find(new(KubeResource.All[0], "", key.Space)) is null)
            return KubeAnswer.Failure(404, "NotFound", $"namespaces \"{key.Space}\" not found");
        if (KubePatch.FaultOf(key, value) is { } fault)
            return KubeAnswer.Failure(fault.Status, fault.Reason, fault.Message);
        return KubeAnswer.Ok(http.Query.ContainsKey("dryRun") ? KubeCluster.Complete(key, value) : cluster.Put(key, value).DeepClone(), status);
    }

    KubeAnswer Delete(KubeKey key, HttpRequest http)
    {
        if (cluster.Find(key) is not { } there)
            return Missing(key);
        if (!http.Query.ContainsKey("dryRun"))
            cluster.Remove(key);
        return KubeAnswer.Ok(there.DeepClone());
    }

    static JsonObject Scale(JsonObject of) => new()
    {
        ["kind"] = "Scale",
        ["apiVersion"] = "autoscaling/v1",
        ["metadata"] = new JsonObject { ["name"] = of["metadata"]!["name"]!.ToString(), ["namespace"] = of["metadata"]!["namespace"]!.ToString(), ["resourceVersion"] = of["metadata"]!["resourceVersion"]!.ToString() },
        ["spec"] = new JsonObject { ["replicas"] = of["spec"]!["replicas"]?.DeepClone() ?? 1 },
        ["status"] = new JsonObject { ["replicas"] = of["status"]?["replicas"]?.DeepClone() ?? 0 },
    };

    KubeAnswer ChangeScale(KubeKey key, KubeRequest request)
    {
        if (cluster.Find(key) is not { } there)
            return Missing(key);
        var changed = (JsonObject)there.DeepClone();
        changed["spec"]!["replicas"] = JsonNode.Parse(request.Body)!["spec"]!["replicas"]!.DeepClone();
        return KubeAnswer.Ok(Scale(cluster.Put(key, changed)));
    }
}
