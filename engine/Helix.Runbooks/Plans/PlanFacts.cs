using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Plans;

/// <summary>What expressions can see of an environment.</summary>
public static class PlanFacts
{
    public static JsonObject Vars(Model.Environment environment) =>
        new(environment.Vars.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)v.Value.DeepClone())));

    /// <summary>The public fields of the targets: all options but secrets.</summary>
    public static JsonObject Targets(Model.Environment environment)
    {
        var all = new JsonObject();
        foreach (var (name, target) in environment.Targets.All)
        {
            var facts = StepJson.ToJson(target);
            foreach (var secret in target.GetType().GetProperties().Where(p => p.PropertyType == typeof(Secret)))
                facts.Remove(System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(secret.Name));
            facts["name"] = name;
            facts["kind"] = StepCatalog.KindOf(target);
            all[name] = facts;
        }
        return all;
    }
}
