using System.Globalization;
using System.Text.Json.Nodes;

namespace Helix.Runbooks.Tests.Kubernetes;

sealed class KubeRefusal(int status, string reason, string message) : Exception(message)
{
    public int Status { get; } = status;
    public string Reason { get; } = reason;
}

/// <summary>How objects are changed and checked.</summary>
static class KubePatch
{
    public static JsonObject Merge(JsonObject there, JsonObject patch)
    {
        foreach (var (name, value) in patch)
            if (value is null)
                there.Remove(name);
            else if (value is JsonObject map && there[name] is JsonObject inner)
                Merge(inner, map);
            else
                there[name] = value.DeepClone();
        return there;
    }

    public static JsonObject Json(JsonObject there, JsonArray patch)
    {
        foreach (var operation in patch)
        {
            var path = operation!["path"]!.ToString().Split('/')[1..].Select(p => p.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)).ToList();
            JsonNode? at = there;
            foreach (var part in path[..^1])
                at = Step(at, part) ?? throw new KubeRefusal(422, "Invalid", $"the path {operation["path"]} does not exist");
            switch (operation["op"]!.ToString())
            {
                case "test" when !JsonNode.DeepEquals(Step(at, path[^1]), operation["value"]):
                    throw new KubeRefusal(422, "Invalid", $"testing path {operation["path"]} failed");
                case "remove":
                    at!.AsObject().Remove(path[^1]);
                    break;
                case "add" or "replace":
                    at!.AsObject()[path[^1]] = operation["value"]!.DeepClone();
                    break;
                default:
                    break;
            }
        }
        return there;
    }

    static JsonNode? Step(JsonNode? at, string part) => at is JsonArray list ? list[int.Parse(part, CultureInfo.InvariantCulture)] : at?[part];

    /// <summary>What the v1 form of an Ingress does not know (K8S-06), and a name that belongs elsewhere.</summary>
    public static KubeRefusal? FaultOf(KubeKey key, JsonObject value)
    {
        if (key.Resource.Kind != "Ingress")
            return null;
        foreach (var path in (value["spec"]?["rules"] as JsonArray ?? []).SelectMany(r => r?["http"]?["paths"] as JsonArray ?? []))
        {
            var backend = path!["backend"] as JsonObject ?? [];
            if (backend.Select(b => b.Key).FirstOrDefault(k => k is not ("service" or "resource")) is { } unknown)
                return new(400, "BadRequest", $"Ingress in version \"v1\" cannot be handled as a Ingress: strict decoding error: unknown field \"spec.rules[0].http.paths[0].backend.{unknown}\"");
            if (backend["service"]?["name"] is null || path["pathType"] is null)
                return new(422, "Invalid", "Ingress.networking.k8s.io is invalid: spec.rules[0].http.paths[0].backend.service.name: Required value");
        }
        return null;
    }
}

/// <summary>Who applied which field of one object, for server-side apply.</summary>
sealed class KubeOwners
{
    readonly Dictionary<string, string> _owner = [];

    public JsonObject Apply(JsonObject there, JsonObject applied, string manager, bool force, bool dryRun)
    {
        var leaves = Leaves("", applied).Where(l => !l.Path.StartsWith("/metadata/name", StringComparison.Ordinal) && l.Path is not ("/kind" or "/apiVersion")).ToList();
        var now = Leaves("", there).ToDictionary(l => l.Path, l => l.Value);
        var conflicts = leaves.Where(l => !force && _owner.TryGetValue(l.Path, out var owner) && owner != manager && now.TryGetValue(l.Path, out var value) && !JsonNode.DeepEquals(value, l.Value)).ToList();
        if (conflicts.Count > 0)
            throw new KubeRefusal(409, "Conflict", $"Apply failed with {conflicts.Count} conflict: conflict with \"{_owner[conflicts[0].Path]}\": {conflicts[0].Path.Replace('/', '.')}");
        foreach (var gone in _owner.Where(o => o.Value == manager && !leaves.Exists(l => l.Path == o.Key)).Select(o => o.Key).ToList())
            Remove(there, gone);
        if (!dryRun)
            foreach (var (path, _) in leaves)
                _owner[path] = manager;
        return KubePatch.Merge(there, (JsonObject)applied.DeepClone());
    }

    public void Take(JsonObject value, string manager)
    {
        foreach (var (path, _) in Leaves("", value))
            _owner[path] = manager;
    }

    static void Remove(JsonObject there, string path)
    {
        var parts = path.Split('/')[1..];
        JsonNode? at = there;
        foreach (var part in parts[..^1])
            at = at?[part];
        (at as JsonObject)?.Remove(parts[^1]);
    }

    static IEnumerable<(string Path, JsonNode? Value)> Leaves(string path, JsonNode? value) =>
        value is JsonObject map ? map.SelectMany(m => Leaves($"{path}/{m.Key}", m.Value)) : [(path, value)];
}
