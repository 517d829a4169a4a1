using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model.Shapes;

/// <summary>The validation attributes of a property, asked about one value.</summary>
sealed record MemberRules(Type Type, IReadOnlyList<ValidationAttribute> Attributes)
{
    public static MemberRules? Of(PropertyInfo property, IEnumerable<Attribute> attributes)
    {
        var rules = attributes.OfType<ValidationAttribute>().Where(a => a is not RequiredAttribute).ToList();
        return rules.Count == 0 ? null : new MemberRules(property.PropertyType, rules);
    }

    /// <summary>What is wrong with the value, in a sentence; nothing when it does not even bind, unless it is a number too large for its type.</summary>
    public IEnumerable<string> Faults(string name, JsonNode value)
    {
        var bound = Bound(value);
        foreach (var rule in Attributes)
            if (bound is null ? rule is RangeAttribute && value.GetValueKind() == JsonValueKind.Number : !rule.IsValid(bound))
                yield return rule.FormatErrorMessage($"'{name}'");
    }

    object? Bound(JsonNode value)
    {
        try
        {
            return StepJson.Read(value, Type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
