using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>Proofs and rejections are true of the same bytes wherever they lie.</summary>
public static class BackupVerdicts
{
    /// <summary>What became known in one store after a backup was copied to the other.</summary>
    public static async Task Carry(BackupStore from, BackupStore to, string prefix, Action<string> log, CancellationToken cancelled)
    {
        var there = new BackupSeries(to, prefix);
        foreach (var entry in await new BackupSeries(from, prefix).List(cancelled))
            if (entry.Manifest is { } known && known.Key == entry.Key && (known.Rejected is not null || known.Proofs.Count > 0)
                && await there.Learn(known, cancelled) == Learnt.Now)
                log($"{entry.Key} is {(known.Rejected is null ? known.Proven ? "proven" : "found bad" : "rejected")} in {to.Place} too");
    }

    /// <summary>Rejects it in all other places of the environment that hold the same bytes.</summary>
    /// <returns>What came of it, a line for each place that has such a key or could not be asked.</returns>
    public static async Task<IReadOnlyList<string>> RejectElsewhere(BackupManifest rejected, BackupTarget here, IEnumerable<BackupTarget> all, PlanContext context)
    {
        var lines = new List<string>();
        foreach (var other in all.Where(t => t.Address != here.Address).DistinctBy(t => t.Address))
        {
            try
            {
                await using var store = await other.Open(context);
                lines.AddRange(await new BackupSeries(store, BackupSeries.PrefixFor(null, rejected.Key)).Learn(rejected, context.Cancelled) switch
                {
                    Learnt.Now or Learnt.Known => [$"It is rejected in '{other.Name}' too."],
                    Learnt.OtherBytes => [$"Warning: '{other.Name}' has another backup under this key, which still stands there."],
                    _ => (string[])[],
                });
            }
            catch (Exception e) when (e is StepFailedException { Failure: not FailureClass.Cancelled } or RunbookException)
            {
                lines.Add($"Warning: '{other.Name}' could not be asked, and may still give it out: {e.Message}\nHint: reject it there too: helix backups reject {rejected.Key} --target {other.Name} -e … --reason …");
            }
        }
        return lines;
    }
}
