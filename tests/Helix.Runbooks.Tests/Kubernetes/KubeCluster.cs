using System.Globalization;
using System.Text.Json.Nodes;

namespace Helix.Runbooks.Tests.Kubernetes;

sealed record KubeKey(KubeResource Resource, string Space, string Name);

/// <summary>The objects of the cluster, and the controllers that make pods of workloads. An image decides how its pods fare.</summary>
sealed class KubeCluster(string folder)
{
    readonly Dictionary<KubeKey, JsonObject> _objects = [];
    readonly Dictionary<KubeKey, KubeOwners> _owners = [];
    readonly Dictionary<string, int> _looks = [];
    int _version = 100;

    public const string Uid = "5a1f6c1e-8f0f-4a35-9d0a-0e3b6f6f2c11";
    public Lock Gate { get; } = new();

    /// <summary>The account may not look at kube-system.</summary>
    public bool Forbidden { get; set; }

    /// <summary>What the namespace says of itself.</summary>
    public string? Environment { get; set; }

    /// <summary>The namespace is not there yet.</summary>
    public bool IsNew { get; set; }

    /// <summary>Bytes of standard output after which an exec is cut, and says that all went well.</summary>
    public long? CutExecAfter { get; set; }

    /// <summary>Pods by name that find no node.</summary>
    public HashSet<string> Homeless { get; } = [];

    /// <summary>Pods by name that were evicted: they stay when their workload is scaled.</summary>
    public HashSet<string> Evicted { get; } = [];

    /// <summary>How often a pod that is scaled away can still be seen, while it ends.</summary>
    public int EndingLooks { get; set; }

    /// <summary>Changes the status of a workload after its controller has written it, at each look.</summary>
    public Action<JsonObject> Amend { get; set; } = _ => { };
    public KubePods Pods { get; } = new(folder);

    public KubeOwners Owners(KubeKey key) => _owners.TryGetValue(key, out var owners) ? owners : _owners[key] = new();

    public JsonObject? Find(KubeKey key)
    {
        if (key is { Resource.Kind: "Namespace" } && (key.Name == "kube-system" || (key.Name == KubeServer.Namespace && !IsNew)))
            return new() { ["kind"] = "Namespace", ["apiVersion"] = "v1", ["metadata"] = new JsonObject { ["name"] = key.Name, ["uid"] = Uid, ["labels"] = new JsonObject { ["helix.runbooks/environment"] = Environment } } };
        if (_objects.GetValueOrDefault(key) is not { } found)
            return null;
        if (key.Resource.Scales)
            WriteStatus(key, found);
        return found;
    }

    /// <summary>For tests: an object by kind and name.</summary>
    public JsonObject? this[string kind, string name]
    {
        get
        {
            lock (Gate)
                return (JsonObject?)Find(new(KubeResource.All.First(r => r.Kind == kind), KubeServer.Namespace, name))?.DeepClone();
        }
    }

    /// <summary>For tests: makes objects as somebody else's tool did.</summary>
    public void Make(params IEnumerable<string> json)
    {
        lock (Gate)
            foreach (var text in json)
            {
                var value = (JsonObject)JsonNode.Parse(text)!;
                var key = new KubeKey(KubeResource.All.First(r => r.Kind == value["kind"]!.ToString()), KubeServer.Namespace, value["metadata"]!["name"]!.ToString());
                Owners(key).Take(value, "somebody-else");
                Put(key, value);
            }
    }

    public IEnumerable<JsonObject> List(KubeResource resource, string space, string selector)
    {
        var wanted = selector.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(s => s.Split('=', 2)).ToList();
        return _objects.Keys.Where(k => k.Resource == resource && (space.Length == 0 || k.Space == space)).ToList()
            .Select(k => Looked(k, Find(k)!)).Where(o => wanted.TrueForAll(w => o["metadata"]!["labels"]?[w[0]]?.ToString() == w[1]));
    }

    public JsonObject Put(KubeKey key, JsonObject value)
    {
        var before = _objects.GetValueOrDefault(key);
        var made = Complete(key, value);
        var metadata = made["metadata"]!.AsObject();
        var changed = before is null || !JsonNode.DeepEquals(before["spec"], made["spec"]);
        metadata["generation"] = (before?["metadata"]!["generation"]?.GetValue<int>() ?? 0) + (changed ? 1 : 0);
        metadata["resourceVersion"] = (++_version).ToString(CultureInfo.InvariantCulture);
        metadata["uid"] ??= Guid.NewGuid().ToString();
        _objects[key] = made;
        if (key.Resource.Kind == "Pod" && before is null)
            Begin(key, made);
        if (key.Resource.Scales)
            Reconcile(key, made);
        return made;
    }

    public static JsonObject Complete(KubeKey key, JsonObject value)
    {
        var made = (JsonObject)value.DeepClone();
        made["kind"] = key.Resource.Kind;
        made["apiVersion"] = key.Resource.GroupVersion;
        var metadata = made["metadata"] as JsonObject ?? [];
        made["metadata"] = metadata;
        metadata["name"] = key.Name;
        if (key.Resource.Namespaced)
            metadata["namespace"] = key.Space;
        if (made["stringData"] is JsonObject plain)
        {
            made["data"] ??= new JsonObject();
            foreach (var (name, text) in plain)
                made["data"]![name] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text!.ToString()));
            made.Remove("stringData");
        }
        return made;
    }

    public void Remove(KubeKey key)
    {
        _objects.Remove(key);
        _owners.Remove(key);
        foreach (var pod in PodsOf(key))
            _objects.Remove(pod);
        if (key.Resource.Kind == "Pod")
            foreach (var (owner, value) in _objects.Where(o => o.Key.Resource.Scales && o.Key.Space == key.Space).ToList())
                Reconcile(owner, value);
    }

    public string Log(KubeKey pod) => $"last words of {pod.Name}\n";

    List<KubeKey> PodsOf(KubeKey workload) =>
        [.. _objects.Where(o => o.Key.Resource.Kind == "Pod" && o.Value["metadata"]!["annotations"]?["stub/owner"]?.ToString() == $"{workload.Resource.Kind}/{workload.Name}" && o.Key.Space == workload.Space).Select(o => o.Key)];

    static string HashOf(JsonObject workload) => Math.Abs((workload["spec"]!["template"]?.ToJsonString() ?? "").GetHashCode(StringComparison.Ordinal) % 100000).ToString("x", CultureInfo.InvariantCulture);

    void Reconcile(KubeKey key, JsonObject workload)
    {
        var (wanted, hash) = (workload["spec"]!["replicas"]?.GetValue<int>() ?? 1, HashOf(workload));
        if (workload["spec"]!["paused"]?.GetValue<bool>() == true)
            return;
        foreach (var old in PodsOf(key).Where(p => _objects[p]["metadata"]!["annotations"]!["stub/hash"]!.ToString() != hash))
            _objects.Remove(old);
        var there = PodsOf(key).OrderBy(p => p.Name, StringComparer.Ordinal).ToList();
        foreach (var over in there.Skip(wanted))
            End(over);
        for (var i = 0; i < wanted; i++)
        {
            var pod = new KubeKey(KubeResource.All[1], key.Space, key.Resource.Kind == "StatefulSet" ? $"{key.Name}-{i}" : $"{key.Name}-{hash}-{i}");
            if (!_objects.ContainsKey(pod))
                Put(pod, PodOf(key, workload, hash, i));
        }
    }

    void End(KubeKey pod)
    {
        if (Evicted.Contains(pod.Name))
            return;
        if (EndingLooks == 0)
            _objects.Remove(pod);
        else if (!Ends(pod))
        {
            _objects[pod]["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";
            _looks[pod.Name] = -EndingLooks;
        }
    }

    bool Ends(KubeKey pod) => _objects[pod]["metadata"]!["deletionTimestamp"] is not null;

    static JsonObject PodOf(KubeKey key, JsonObject workload, string hash, int ordinal)
    {
        var template = (JsonObject)workload["spec"]!["template"]!.DeepClone();
        var metadata = template["metadata"] as JsonObject ?? [];
        template["metadata"] = metadata;
        metadata["annotations"] = new JsonObject { ["stub/owner"] = $"{key.Resource.Kind}/{key.Name}", ["stub/hash"] = hash };
        foreach (var claim in workload["spec"]!["volumeClaimTemplates"] as JsonArray ?? [])
        {
            var name = claim!["metadata"]!["name"]!.ToString();
            ((JsonArray)(template["spec"]!["volumes"] ??= new JsonArray())).Add(new JsonObject { ["name"] = name, ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = $"{name}-{key.Name}-{ordinal}" } });
        }
        return template;
    }

    void Begin(KubeKey key, JsonObject pod)
    {
        Pods.Make(key, pod);
        WritePodStatus(key, pod);
    }

    /// <summary>A slow one is ready at the third look.</summary>
    JsonObject Looked(KubeKey key, JsonObject value)
    {
        if (key.Resource.Kind == "Pod")
        {
            _looks[key.Name] = _looks.GetValueOrDefault(key.Name) + 1;
            WritePodStatus(key, value);
            if (Ends(key) && _looks[key.Name] >= 0)
                _objects.Remove(key);
        }
        return value;
    }

    void WritePodStatus(KubeKey key, JsonObject pod)
    {
        var container = pod["spec"]!["containers"]![0]!;
        var image = container["image"]!.ToString();
        var waiting = Homeless.Contains(key.Name) ? ("ContainerCreating", "no node")
            : image.Contains("crash", StringComparison.Ordinal) ? ("CrashLoopBackOff", "back-off 10s restarting failed container")
            : image.Contains("nopull", StringComparison.Ordinal) ? ("ImagePullBackOff", $"Back-off pulling image \"{image}\"") : ((string, string)?)null;
        var ready = waiting is null && !image.Contains("never", StringComparison.Ordinal) && (!image.Contains("slow", StringComparison.Ordinal) || _looks.GetValueOrDefault(key.Name) >= 3);
        pod["status"] = new JsonObject
        {
            ["phase"] = Evicted.Contains(key.Name) ? "Failed" : waiting is null ? "Running" : "Pending",
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready ? "True" : "False" }),
            ["containerStatuses"] = new JsonArray(new JsonObject
            {
                ["name"] = container["name"]!.ToString(),
                ["image"] = image,
                ["ready"] = ready,
                ["restartCount"] = waiting?.Item1 == "CrashLoopBackOff" ? 4 : 0,
                ["state"] = waiting is { } w ? new JsonObject { ["waiting"] = new JsonObject { ["reason"] = w.Item1, ["message"] = w.Item2 } } : new JsonObject { ["running"] = new JsonObject() },
            }),
        };
    }

    void WriteStatus(KubeKey key, JsonObject workload)
    {
        // Those of a deployment that end count no more; those of a stateful set do.
        var pods = PodsOf(key).Where(p => !Evicted.Contains(p.Name) && (key.Resource.Kind == "StatefulSet" || !Ends(p))).ToList();
        var ready = pods.Count(p => _objects[p]["status"]!["conditions"]![0]!["status"]!.ToString() == "True");
        workload["status"] = new JsonObject
        {
            ["observedGeneration"] = workload["metadata"]!["generation"]!.GetValue<int>(),
            ["replicas"] = pods.Count,
            ["updatedReplicas"] = pods.Count,
            ["readyReplicas"] = ready,
            ["availableReplicas"] = ready,
            ["currentRevision"] = HashOf(workload),
            ["updateRevision"] = HashOf(workload),
        };
        Amend(workload["status"]!.AsObject());
    }
}
