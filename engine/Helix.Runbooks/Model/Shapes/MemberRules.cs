using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Shapes;

/// <summary>The validation attributes of a property, asked about one value.</summary>
sealed record MemberRules(Type Type, IReadOnlyList<ValidationAttribute> Attributes)
{
    public static MemberRules? Of(PropertyInfo property)
    {
        var rules = property.GetCustomAttributes<ValidationAttribute>(inherit: true).Where(a => a is not RequiredAttribute).ToList();
        return rules.Count == 0 ? null : new MemberRules(property.PropertyType, rules);
    }

    /// <summary>What is wrong with the value, in a sentence; nothing when it does not even bind.</summary>
    public IEnumerable<string> Faults(string name, JsonNode value)
    {
        object? bound;
        try
        {
            bound = value.Deserialize(Type, StepJson.Options);
        }
        catch (JsonException)
        {
            yield break;
        }
        foreach (var rule in Attributes)
            if (bound is not null && !rule.IsValid(bound))
                yield return rule.FormatErrorMessage($"'{name}'");
    }
}
