namespace Helix.Cli;

/// <summary>What a YAML file is.</summary>
enum DocumentKind
{
    Runbook,
    Environment,
    Simulation,
    Schedules,
    SignOn,
    Triggers,
    /// <summary>Not of this tool: a compose file or a manifest of Kubernetes in the same folder.</summary>
    Foreign,
}

static class Document
{
    /// <summary>From its top-level keys: the readers are strict, so one must be chosen first.</summary>
    public static DocumentKind KindOf(string path)
    {
        var keys = File.ReadLines(path).Take(100_000)
            .Where(l => l.Length > 0 && char.IsAsciiLetter(l[0]) && l.Contains(':'))
            .Select(l => l[..l.IndexOf(':')].TrimEnd())
            .ToHashSet(StringComparer.Ordinal);
        if (keys.Contains("scenarios"))
            return DocumentKind.Simulation;
        if (keys.Contains("targets"))
            return DocumentKind.Environment;
        if (keys.Contains("schedules"))
            return DocumentKind.Schedules;
        if (keys.Contains("triggers") && keys.Contains("hooks"))
            return DocumentKind.Triggers;
        if (keys.Contains("issuer") && keys.Contains("clientId"))
            return DocumentKind.SignOn;
        return keys.Contains("steps") || (keys.Contains("apiVersion") && !keys.Contains("kind")) ? DocumentKind.Runbook : DocumentKind.Foreign;
    }
}
