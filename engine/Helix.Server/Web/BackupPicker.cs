using Helix.Runbooks.Model;
using Helix.Runbooks.Reports;
using Helix.Runbooks.Steps;
using Helix.Server.Accounts;
using Helix.Steps.Backups;

namespace Helix.Server.Web;

/// <summary>The backups that an input may name, newest first, for a form.</summary>
static class BackupPicker
{
    const int Shown = 30;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Empty when they cannot be read now: then a selector is typed.</summary>
    public static async Task<IReadOnlyList<(string Key, string Words)>> Choices(Site site, Caller caller, Helix.Runbooks.Model.Environment environment, Input input, CancellationToken cancelled)
    {
        if (input.Type != InputType.Backup || input.Target is null || input.Prefix is null || environment.Targets.All.GetValueOrDefault(input.Target) is not BackupTarget shelf)
            return [];
        using var limit = new CancellationTokenSource(site.Settings.Patience ?? Patience, site.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancelled);
        try
        {
            await using var store = await shelf.Open(site.NewEngine().Reading(environment, caller.Account, both.Token));
            var entries = await new BackupSeries(store, input.Prefix).List(both.Token);
            return [.. entries.Where(e => e.State == BackupState.Complete).Take(Shown).Select(e => (e.Key, InWords(e, site.Time.GetUtcNow())))];
        }
        catch (Exception e) when (e is StepFailedException or RunbookException or OperationCanceledException && !cancelled.IsCancellationRequested)
        {
            return [];
        }
    }

    static string InWords(BackupEntry entry, DateTimeOffset now) =>
        $"{Words.Moment(entry.Manifest!.RecoveryPoint)}, {Words.Ago(entry.Manifest.RecoveryPoint, now)}, {ByteSize.Words(entry.Manifest.Stored.Size)}{(entry.Manifest.Proven ? ", proven" : "")} – {entry.Key}";
}
