using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Terraform;

/// <summary>One resource that a plan would touch.</summary>
sealed record PlannedChange(string Address, string Action)
{
    /// <summary>What the resource holds is lost.</summary>
    public bool Destroys => Action is "delete" or "replace";
    public override string ToString() => $"{Action} {Address}";

    public static IEnumerable<PlannedChange> In(JsonNode? changes) =>
        (changes as JsonArray ?? []).Select(c => new PlannedChange(c!["address"]!.ToString(), ActionOf(c["change"]!["actions"]!.AsArray()))).Where(c => c.Action is not ("no-op" or "read"));

    static string ActionOf(JsonArray actions) => actions.Count == 2 ? "replace" : actions[0]!.ToString();
}

/// <summary>What a saved plan really holds, from its JSON form.</summary>
sealed class PlanContents(JsonObject json)
{
    public IReadOnlyList<PlannedChange> Changes { get; } = [.. PlannedChange.In(json["resource_changes"])];

    /// <summary>What was changed behind terraform's back since the last apply.</summary>
    public IReadOnlyList<PlannedChange> Drift { get; } = [.. PlannedChange.In(json["resource_drift"])];

    /// <summary>What the state said of a drifted resource before the plan looked at it. Null: it had not drifted.</summary>
    public JsonNode? BeforeDrift(string address) => (json["resource_drift"] as JsonArray ?? []).FirstOrDefault(d => d!["address"]!.ToString() == address)?["change"]?["before"];

    public bool Destroys => Changes.Any(c => c.Destroys);
    public int Count(string action) => Changes.Count(c => c.Action == action);

    /// <summary>How it differs from the state before: null is unknown.</summary>
    public JsonNode? PriorValues => json["prior_state"]?["values"];

    public IEnumerable<JsonObject> Resources => (json["resource_changes"] as JsonArray ?? []).OfType<JsonObject>();

    /// <summary>Outputs whose values the apply would change, by name.</summary>
    public IEnumerable<(string Name, JsonObject Change)> OutputChanges =>
        (json["output_changes"] as JsonObject ?? []).Select(o => (o.Key, (JsonObject)o.Value!)).Where(o => o.Item2["actions"]?[0]?.ToString() != "no-op");

    /// <summary>A mistyped address gives an empty plan and no error, so it is looked for in all that the plan knows (TF-03). A removal of what is gone knows it from the configuration alone.</summary>
    public void MustKnow(IEnumerable<string> addresses)
    {
        var known = Resources.Select(r => r["address"]!.ToString())
            .Concat(AddressesIn(json["planned_values"]?["root_module"])).Concat(AddressesIn(PriorValues?["root_module"])).Concat(Configured(json["configuration"]?["root_module"])).Distinct().ToList();
        foreach (var address in addresses)
            if (!known.Exists(k => Covers(address, k)))
                throw StepFailedException.InvalidData($"'{address}' names no resource of the configuration or the state.",
                    known.Count == 0 ? null : $"There are: {string.Join(", ", known.Order(StringComparer.Ordinal).Take(20))}.");
    }

    public void MustStayWithin(IReadOnlyList<string> allowed)
    {
        var beyond = Changes.Where(c => !allowed.Any(a => Covers(a, c.Address))).ToList();
        if (beyond.Count > 0)
            throw StepFailedException.Conflict($"The plan would also {string.Join(", ", beyond)}, which nobody allowed.",
                "A target pulls in what it depends on, and a destroy what depends on it. If that is meant, name them in 'allow'.");
    }

    /// <summary>The address itself, an instance of it, or what is in the module.</summary>
    static bool Covers(string allowed, string address) =>
        address == allowed || (address.Length > allowed.Length && address.StartsWith(allowed, StringComparison.Ordinal) && address[allowed.Length] is '.' or '[');

    /// <summary>There an address is that within its module.</summary>
    static IEnumerable<string> Configured(JsonNode? module, string within = "") => module is not JsonObject of ? [] :
        [.. (of["resources"] as JsonArray ?? []).Select(r => within + r!["address"]), .. (of["module_calls"] as JsonObject ?? []).SelectMany(m => Configured(m.Value!["module"], $"{within}module.{m.Key}."))];

    public static IEnumerable<string> AddressesIn(JsonNode? module) => ResourcesIn(module).Select(r => r["address"]!.ToString());

    public static IEnumerable<JsonObject> ResourcesIn(JsonNode? module) => module is not JsonObject of ? [] :
        [.. (of["resources"] as JsonArray ?? []).OfType<JsonObject>(), .. (of["child_modules"] as JsonArray ?? []).SelectMany(ResourcesIn)];
}
