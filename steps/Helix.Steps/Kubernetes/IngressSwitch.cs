using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

/// <summary>Changes the backend of an ingress in its v1 form (K8S-06): only where it still is what was read, tried by the server before, read back after.</summary>
sealed class IngressSwitch(Kubectl kubectl, string ingress, KubernetesSwitchOptions options, StepContext context)
{
    sealed record Backend(string At, string Service, JsonNode Port);

    string Name => $"ingress.networking.k8s.io/{ingress}";

    public async Task<KubernetesSwitchOutputs> Run()
    {
        var service = await kubectl.Get($"service/{options.Service}");
        await KubernetesSwitch.MustBeReady(kubectl, options.Service, Selector(service), options.EvenIfNotReady);
        var backends = await Backends();
        var before = context.Saved("before")?.GetValue<string>() ?? Before(backends);
        var ports = context.Saved("ports") as JsonObject ?? new JsonObject(backends.Select(b => KeyValuePair.Create(b.At, (JsonNode?)b.Port.DeepClone())));
        await context.Save("ports", ports.DeepClone());
        await context.Save("before", before);
        var patch = Patch(backends);
        if (patch.Count > 0)
        {
            await kubectl.Ask("patch", Name, "--type=json", "--dry-run=server", "-o", "name", "-p", patch.ToJsonString());
            await kubectl.Ask("patch", Name, "--type=json", $"--field-manager={Kubectl.Manager}", "-p", patch.ToJsonString());
        }
        if ((await Backends()).FirstOrDefault(b => b.Service != options.Service) is { } other)
            throw StepFailedException.Conflict($"The ingress {ingress} leads to {other.Service} again at {other.At}.", "Something in the cluster manages it, too.");
        context.Log($"The ingress {ingress} leads to {options.Service}; before it led to {before}.");
        return new()
        {
            Before = before,
            SelectorBefore = new Dictionary<string, string>(),
            Now = options.Service,
            WayBack = $"{kubectl.Target.Shell} patch {Name} --type=json -p '{Back(backends, before, ports).ToJsonString()}'",
        };
    }

    async Task<IReadOnlyList<Backend>> Backends()
    {
        var rules = (await kubectl.Get(Name))["spec"]?["rules"] as JsonArray ?? [];
        var found = rules.SelectMany((rule, r) => rule!["host"]?.ToString() == (options.Host ?? rule["host"]?.ToString())
            ? (rule["http"]?["paths"] as JsonArray ?? []).SelectMany((path, p) => Of(path!, string.Create(CultureInfo.InvariantCulture, $"/spec/rules/{r}/http/paths/{p}/backend/service"))) : []).ToList();
        return found.Count > 0 ? found : throw StepFailedException.Missing($"The ingress {ingress} has no rule{(options.Host is { } host ? $" for host {host}" : "")}{(options.Path is { } path ? $" and path {path}" : "")} with a service behind it.",
            $"Its hosts: {string.Join(", ", rules.Select(r => r!["host"]?.ToString() ?? "(any)"))}.");
    }

    IEnumerable<Backend> Of(JsonNode path, string at) =>
        path["path"]?.ToString() == (options.Path ?? path["path"]?.ToString()) && path["backend"]?["service"] is JsonObject service
            ? [new(at, service["name"]!.ToString(), service["port"] ?? new JsonObject())] : [];

    string Before(IReadOnlyList<Backend> backends) => backends.Select(b => b.Service).Distinct().ToList() is [var one]
        ? one
        : throw StepFailedException.Conflict($"The rules of ingress {ingress} lead to several services: {string.Join(", ", backends.Select(b => b.Service).Distinct())}.", "Name one rule with 'host' and 'path'.");

    JsonArray Patch(IReadOnlyList<Backend> backends)
    {
        var port = options.Port is not { } wanted ? null : int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? new JsonObject { ["number"] = number } : new JsonObject { ["name"] = wanted };
        var patch = new JsonArray();
        foreach (var backend in backends)
        {
            if (backend.Service != options.Service)
            {
                patch.Add(new JsonObject { ["op"] = "test", ["path"] = $"{backend.At}/name", ["value"] = backend.Service });
                patch.Add(Replace(backend.At, "name", options.Service));
            }
            if (port is not null && !JsonNode.DeepEquals(port, backend.Port))
                patch.Add(Replace(backend.At, "port", port.DeepClone()));
        }
        return patch;
    }

    /// <summary>To the service before, and to its ports where this step gives other ones.</summary>
    JsonArray Back(IReadOnlyList<Backend> backends, string before, JsonObject ports)
    {
        var back = new JsonArray();
        foreach (var backend in backends)
        {
            back.Add(Replace(backend.At, "name", before));
            if (options.Port is not null && ports[backend.At] is { } port)
                back.Add(Replace(backend.At, "port", port.DeepClone()));
        }
        return back;
    }

    static JsonObject Replace(string at, string name, JsonNode value) => new() { ["op"] = "replace", ["path"] = $"{at}/{name}", ["value"] = value };

    static string Selector(JsonObject service) => service["spec"]?["selector"] is JsonObject { Count: > 0 } labels
        ? string.Join(',', labels.Select(l => $"{l.Key}={l.Value}"))
        : throw StepFailedException.InvalidData($"The service {service["metadata"]!["name"]} selects no pods.");
}
