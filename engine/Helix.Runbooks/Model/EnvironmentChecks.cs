using System.Text.Json.Nodes;
using Helix.Runbooks.Model.Yaml;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Model;

/// <summary>The names that a runbook takes from an environment: targets and groups of people.</summary>
sealed class EnvironmentChecks(ProblemList problems, Environment environment, RunbookNotes notes)
{
    readonly Dictionary<string, string> _kinds = environment.Targets.All.ToDictionary(t => t.Key, t => StepCatalog.KindOf(t.Value));

    public void Check(Runbook runbook, ValueReader head)
    {
        foreach (var (node, member) in head.TargetNames)
            TargetNames.Check(problems, node, member, _kinds);
        foreach (var step in Items.All(runbook).OfType<StepItem>())
        {
            foreach (var (node, member) in notes[step.Id].Options?.TargetNames ?? [])
                TargetNames.Check(problems, node, member, _kinds);
            if (EngineItems.All.ContainsKey(step.Uses))
                CheckPeople(step);
        }
    }

    void CheckPeople(StepItem step)
    {
        foreach (var option in new[] { "approvers", "assignees", "escalateTo", "oneFromEach" })
            foreach (var (path, text) in TextAt.All(option, step.With[option]))
                if (option == "oneFromEach" || text.StartsWith("group:", StringComparison.Ordinal))
                    CheckGroup(step, path, text.StartsWith("group:", StringComparison.Ordinal) ? text["group:".Length..] : text);
    }

    void CheckGroup(StepItem step, string path, string group)
    {
        if (!environment.Groups.ContainsKey(group) && !Template.Has(group))
            problems.Error("unknown-group", step.Places.GetValueOrDefault(path, step.Position), $"There is no group '{group}' in the environment.", Suggestion.Hint(group, environment.Groups.Keys, "Groups there"));
    }
}
