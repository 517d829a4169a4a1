using System.Text.Json.Nodes;

namespace Helix.Steps.Kubernetes;

/// <summary>What the cluster says of one pod.</summary>
sealed class Pod(JsonObject json)
{
    public JsonObject Json => json;
    public string Name => json["metadata"]!["name"]!.ToString();
    public bool Ends => json["metadata"]!["deletionTimestamp"] is not null;
    public string Phase => json["status"]?["phase"]?.ToString() ?? "Unknown";

    /// <summary>Evicted or completed: it does nothing any more, and may lie about for long.</summary>
    public bool IsOver => Phase is "Succeeded" or "Failed";
    public bool Ready => !Ends && Condition("Ready") is { } ready && ready["status"]?.ToString() == "True";
    public string FirstContainer => json["spec"]!["containers"]![0]!["name"]!.ToString();

    IEnumerable<JsonObject> Containers => (json["status"]?["initContainerStatuses"] as JsonArray ?? []).Concat(json["status"]?["containerStatuses"] as JsonArray ?? []).OfType<JsonObject>();

    /// <summary>Why it is not ready, as one line: phase, and what each container waits for or ended with.</summary>
    public string State => $"{Name} {(Ends ? "ends" : Phase)}{(Reasons.ToList() is { Count: > 0 } reasons ? $" ({string.Join("; ", reasons)})" : "")}";

    IEnumerable<string> Reasons =>
    [
        .. Condition("PodScheduled") is { } scheduled && scheduled["status"]?.ToString() == "False" ? new[] { $"not scheduled: {scheduled["message"] ?? scheduled["reason"]}" } : [],
        .. json["status"]?["message"] is { } message ? new[] { message.ToString() } : [],
        .. Containers.Select(Reason).OfType<string>(),
    ];

    static string? Reason(JsonObject container)
    {
        var (name, restarts) = (container["name"], container["restartCount"]?.GetValue<int>() ?? 0);
        var again = restarts > 0 ? $", {restarts} restarts" : "";
        if (container["state"]?["waiting"] is JsonObject waiting)
            return $"{name} waits: {waiting["reason"]}{(waiting["message"] is { } words ? $", {words}" : "")}{Last(container)}{again}";
        if (container["state"]?["terminated"] is JsonObject ended && ended["exitCode"]?.GetValue<int>() != 0)
            return $"{name} ended with {ended["exitCode"]}: {ended["reason"]}{again}";
        return container["ready"]?.GetValue<bool>() == false ? $"{name} is not ready{again}" : null;
    }

    static string Last(JsonObject container) =>
        container["lastState"]?["terminated"] is JsonObject ended ? $", ended last with {ended["exitCode"]} ({ended["reason"]})" : "";

    JsonObject? Condition(string type) => (json["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(c => c["type"]?.ToString() == type);
}
