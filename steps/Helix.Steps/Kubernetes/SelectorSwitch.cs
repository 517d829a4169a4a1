using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Kubernetes;

/// <summary>Changes labels in the selector of a service, and reads them back.</summary>
sealed class SelectorSwitch(Kubectl kubectl, KubernetesSwitchOptions options, StepContext context)
{
    string Name => $"service/{options.Service}";

    public async Task<KubernetesSwitchOutputs> Run()
    {
        var now = await Selector();
        var wanted = now.ToDictionary();
        foreach (var (label, value) in options.Selector)
            wanted[label] = value;
        await KubernetesSwitch.MustBeReady(kubectl, $"pods with {KubernetesSwitch.Labels(wanted)}", string.Join(',', wanted.Select(l => $"{l.Key}={l.Value}")), options.EvenIfNotReady);
        var saved = context.Saved("before") as JsonObject ?? new JsonObject(options.Selector.Keys.Where(now.ContainsKey).Select(l => KeyValuePair.Create(l, (JsonNode?)now[l])));
        await context.Save("before", saved.DeepClone());
        await Patch(options.Selector, "--dry-run=server");
        await Patch(options.Selector);
        var after = await Selector();
        if (options.Selector.FirstOrDefault(l => after.GetValueOrDefault(l.Key) != l.Value) is { Key: { } lost })
            throw StepFailedException.Conflict($"The label {lost} in the selector of {Name} was changed back.", "Something in the cluster manages it, too.");
        var before = saved.ToDictionary(l => l.Key, l => l.Value!.ToString());
        context.Log($"{Name} leads to pods with {KubernetesSwitch.Labels(options.Selector)}; before with {KubernetesSwitch.Labels(before)}.");
        return new()
        {
            Before = options.Service,
            SelectorBefore = before,
            Now = KubernetesSwitch.Labels(options.Selector),
            // A label that was not there before has to go again: null takes it out.
            WayBack = $"{kubectl.Target.Shell} patch {Name} --type=merge -p '{Merge(options.Selector.Keys.Select(l => KeyValuePair.Create(l, before.GetValueOrDefault(l)))).ToJsonString()}'",
        };
    }

    async Task<Dictionary<string, string>> Selector() =>
        ((await kubectl.Get(Name))["spec"]?["selector"] as JsonObject ?? []).ToDictionary(l => l.Key, l => l.Value!.ToString());

    Task<ToolResult> Patch(IReadOnlyDictionary<string, string> labels, params string[] more) =>
        kubectl.Ask(["patch", Name, "--type=merge", $"--field-manager={Kubectl.Manager}", "-o", "name", .. more, "-p", Merge(labels.Select(l => KeyValuePair.Create(l.Key, (string?)l.Value))).ToJsonString()]);

    static JsonObject Merge(IEnumerable<KeyValuePair<string, string?>> labels) =>
        new() { ["spec"] = new JsonObject { ["selector"] = new JsonObject(labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value))) } };
}
