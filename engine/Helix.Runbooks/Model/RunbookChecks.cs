using Helix.Runbooks.Model.Yaml;

namespace Helix.Runbooks.Model;

/// <summary>What can be judged only when the whole runbook is read: names, order, expressions, and the rules of lint.</summary>
sealed class RunbookChecks(Reading reading, Runbook runbook, MapNode map, RunbookNotes notes, ValueReader values)
{
    public void Check()
    {
        _ = (reading, runbook, map, notes, values);
    }
}
