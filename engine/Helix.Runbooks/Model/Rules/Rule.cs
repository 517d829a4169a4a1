namespace Helix.Runbooks.Model.Rules;

/// <summary>One thing that is allowed by the language and still wrong, or nearly always wrong.</summary>
abstract class Rule
{
    public abstract IEnumerable<Problem> Check(RuleScope scope);

    protected Problem Warn(Position place, string message, string? hint = null) =>
        new(place, message, hint, Severity.Warning) { Rule = Name };

    protected Problem Fail(Position place, string message, string? hint = null) => new(place, message, hint) { Rule = Name };

    /// <summary>The class name in kebab-case.</summary>
    protected string Name => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(GetType().Name);
}
