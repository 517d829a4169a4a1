namespace Helix.Runbooks.Model;

/// <summary>What may be lost of a series of backups.</summary>
public static class SeriesObjective
{
    /// <summary>The strictest RPO among the runbooks that restore it; null when none has one.</summary>
    public static TimeSpan? Of(IEnumerable<Runbook> runbooks, string prefix) =>
        runbooks.Where(r => r.Inputs.Values.Any(i => i.Type == InputType.Backup && i.Prefix == prefix)).Min(r => r.Objectives.Rpo);
}
