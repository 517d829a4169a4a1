using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>Whether a backup holds about as much as the one before it: a graph of which half was deleted agrees with itself.</summary>
static class CountChange
{
    /// <param name="before">What it is compared with; null: there is nothing to compare it with.</param>
    /// <param name="most">In percent, for counts of which the source itself does not say how much they may change; null: these may change as they like.</param>
    /// <exception cref="StepFailedException">Invalid data, where a count changed by more than is allowed.</exception>
    public static void Check(BackupManifest? before, BackupManifest backup, int? most, PlanContext context)
    {
        if (backup.Counts is not { } counts || before is null)
            return;
        var own = context.KnownTarget<IJudgesCounts>(backup.Source?.Target)?.MaxChanges ?? new Dictionary<string, int>();
        foreach (var (count, was) in before.Counts!)
        {
            var judged = own.TryGetValue(count, out var allowed);
            // A check that was taken out of the environment since is no loss.
            if ((!judged && most is null) || (IsCheck(count) && !counts.ContainsKey(count)))
                continue;
            (allowed, var now) = (judged ? allowed : most!.Value, counts.GetValueOrDefault(count));
            if (Math.Abs(now - was) * 100 > Math.Max(was, 1) * allowed)
                throw StepFailedException.InvalidData(
                    $"{count} went from {was} to {now} between {before.Key} and {backup.Key}; {allowed} % are allowed.",
                    $"If that is right, raise {(judged ? $"maxChangeFromLastBackup of target '{backup.Source!.Target}'" : "maxCountChange")}; else look for what was deleted, and when.");
        }
    }

    /// <summary>A count that only a target with this check has.</summary>
    public static bool IsCheck(string count) => count.StartsWith("check:", StringComparison.Ordinal);

    /// <summary>The newest earlier one of the same data.</summary>
    public static BackupManifest? Before(IReadOnlyList<BackupEntry> all, BackupManifest backup) => Earlier(all, backup).FirstOrDefault();

    /// <summary>The newest earlier one that was proven. What came since may lack the same data: several are made before one is restored.</summary>
    public static BackupManifest? ProvenBefore(IReadOnlyList<BackupEntry> all, BackupManifest backup) =>
        Earlier(all, backup).FirstOrDefault(m => m.Proven) ?? Before(all, backup);

    /// <param name="all">Of the series, newest recovery point first.</param>
    /// <returns>None whose restore was found bad: what is missing there would be missed nowhere after it.</returns>
    static IEnumerable<BackupManifest> Earlier(IReadOnlyList<BackupEntry> all, BackupManifest backup) => all
        .Where(e => e.State == BackupState.Complete).Select(e => e.Manifest!)
        .Where(m => m.RecoveryPoint < backup.RecoveryPoint && m.Counts is not null && m.Kind == backup.Kind && m.Source?.Target == backup.Source?.Target);
}
