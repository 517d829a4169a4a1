using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>The rule of a prune as it is typed elsewhere than in a runbook: the same options with the same defaults and limits.</summary>
/// <param name="Name">As in a runbook: keepDaily.</param>
public sealed record PruneRule(string Name, string Description)
{
    public static IReadOnlyList<PruneRule> All { get; } =
    [
        .. from property in typeof(BackupPruneOptions).GetProperties()
           where property.GetCustomAttribute<DescriptionAttribute>() is not null && property.Name is not (nameof(BackupPruneOptions.Target) or nameof(BackupPruneOptions.Prefix))
           orderby property.DeclaringType == typeof(BackupPruneOptions)
           select new PruneRule(JsonNamingPolicy.CamelCase.ConvertName(property.Name), property.GetCustomAttribute<DescriptionAttribute>()!.Description),
    ];

    /// <param name="typed">By name; what is empty keeps its default.</param>
    /// <returns>Null when no rule was typed at all.</returns>
    /// <exception cref="RunbookException">A value does not fit.</exception>
    public static BackupPruneOptions? Of(string target, string prefix, Func<string, string?> typed)
    {
        var given = All.Select(r => (r.Name, Value: typed(r.Name))).Where(g => !string.IsNullOrEmpty(g.Value)).ToList();
        if (given.Count == 0)
            return null;
        var with = new JsonObject { ["target"] = target, ["prefix"] = prefix };
        foreach (var (name, value) in given)
            with[name] = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : value;
        return (BackupPruneOptions)StepJson.Bind(with, typeof(BackupPruneOptions));
    }
}
