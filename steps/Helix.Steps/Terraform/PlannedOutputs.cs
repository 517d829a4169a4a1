using System.Text.Json.Nodes;

namespace Helix.Steps.Terraform;

/// <summary>Which outputs of a plan the state holds. The values before are those of the changes: the prior state of a plan has the new ones already.</summary>
sealed class PlannedOutputs(PlanContents plan, JsonObject now)
{
    /// <summary>For people: those that the state does not hold as planned.</summary>
    public IEnumerable<string> Open => plan.OutputChanges.Where(o => !IsDone(o.Name, o.Change)).Select(o => $"output {o.Name}");

    public bool AsBefore => plan.OutputChanges.All(o => IsAsBefore(o.Name, o.Change));

    bool IsDone(string name, JsonObject change)
    {
        if (change["actions"]?[0]?.ToString() == "delete")
            return !now.ContainsKey(name);
        if (!now.ContainsKey(name))
            return false;
        // A value that comes from a resource may turn out to be the old one, and the resource tells.
        return IsUnknown(change) ? plan.Changes.Count > 0 || !IsAsBefore(name, change) : JsonNode.DeepEquals(change["after"], Value(name));
    }

    bool IsAsBefore(string name, JsonObject change) => change["actions"]?[0]?.ToString() == "create"
        ? !now.ContainsKey(name)
        : now.ContainsKey(name) && JsonNode.DeepEquals(change["before"], Value(name));

    JsonNode? Value(string name) => now[name]?["value"];

    static bool IsUnknown(JsonObject change) => change["after_unknown"]?.ToJsonString() is not (null or "false");
}
