using System.Text.RegularExpressions;
using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model;

/// <summary>Defaults and limits of inputs against their types.</summary>
sealed class InputChecks(ProblemList problems)
{
    public void Check(MapNode? inputs, Runbook runbook)
    {
        foreach (var (key, node) in inputs?.Entries ?? [])
            if (node is MapNode map && runbook.Inputs.TryGetValue(key.Text, out var input))
                Check(key.Text, map, input);
    }

    void Check(string name, MapNode map, Input input)
    {
        if (input.Type == InputType.Choice && input.Choices.Count == 0 && map["choices"] is null or ListNode { Items.Count: 0 })
            problems.Error("missing", map.Position, $"The choice '{name}' lacks 'choices'.", "Add choices: [a, b].");
        else if (map["default"] is { } value)
            new ValueReader(problems, templates: false).Read(value, InputShapes.Of(input.Type, input.Choices), null, $"inputs.{name}.default");
        Only(map, "choices", input.Type == InputType.Choice, "a choice");
        Only(map, "pattern", input.Type == InputType.String, "text");
        Only(map, "minimum", input.Type == InputType.Number, "numbers");
        Only(map, "maximum", input.Type == InputType.Number, "numbers");
        Only(map, "target", input.Type == InputType.Backup, "a backup");
        Only(map, "prefix", input.Type == InputType.Backup, "a backup");
        if (input.Type == InputType.Backup && map["target"] is null)
            problems.Error("missing", map.Position, $"The backup '{name}' lacks 'target'.", "Add the target that holds it.");
        CheckPattern(map, input);
        if (input is { Minimum: { } least, Maximum: { } most } && least > most)
            problems.Error("range", map["minimum"]!.Position, $"The minimum of '{name}' is above its maximum.");
    }

    void Only(MapNode map, string field, bool fits, string what)
    {
        if (!fits && map[field] is { } given)
            problems.Error("input-field", given.Position, $"'{field}' is for {what} only.", "Leave it out.");
    }

    void CheckPattern(MapNode map, Input input)
    {
        if (input.Pattern is null)
            return;
        try
        {
            _ = new Regex(input.Pattern, RegexOptions.NonBacktracking);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            problems.Error("pattern", map["pattern"]!.Position, $"'{input.Pattern}' is no regular expression that can be used.", "Look-around and back-references are not allowed.");
        }
    }
}
