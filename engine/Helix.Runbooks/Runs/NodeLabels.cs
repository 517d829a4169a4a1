using Helix.Runbooks.Model;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Runs;

/// <summary>What a machine has, and what a runbook needs: <c>site=a</c>.</summary>
public static class NodeLabels
{
    /// <exception cref="RunbookException">One is not of the form NAME=VALUE, or given twice.</exception>
    public static IReadOnlyDictionary<string, string> Parse(IEnumerable<string> texts)
    {
        var labels = new Dictionary<string, string>();
        foreach (var text in texts)
            if (text.Split('=', 2) is not [var name, { Length: > 0 } value] || !Names.IsId(name))
                throw new RunbookException($"'{text}' is no label.", "Write --label site=a.");
            else if (!labels.TryAdd(name, value) && labels[name] != value)
                throw new RunbookException($"The label '{name}' is given twice.", "Give it once.");
        return labels;
    }

    /// <summary>Null when all that is needed is there; else what is not, as site=a.</summary>
    public static string? Missing(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> needs)
    {
        var missing = Words(needs.Where(n => labels.GetValueOrDefault(n.Key) != n.Value));
        return missing.Length > 0 ? missing : null;
    }

    public static string Words(IEnumerable<KeyValuePair<string, string>> labels) => string.Join(", ", labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));
}
