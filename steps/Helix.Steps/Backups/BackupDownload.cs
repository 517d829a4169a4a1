using System.ComponentModel;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

public sealed record BackupDownloadOptions
{
    [Description("Where the backup is.")]
    [TargetName("s3", "directory")]
    public required string Target { get; init; }

    [Description("Which one: latest, latest-proven, before:TIMESTAMP, age:DURATION, or a key. Resolved once, when the step starts.")]
    [Example("latest-proven")]
    public required string Backup { get; init; }

    [Description("The series: the start of the keys, ending with '/'. May be left out when the backup is named by its key.")]
    [Example("redis/")]
    public string? Prefix { get; init; }

    [Description("The file to write. It has this name only once everything was verified.")]
    [Example("\"{{ run.work }}/dump.rdb\"")]
    public required string To { get; init; }
}

public sealed record BackupDownloadOutputs
{
    public required string File { get; init; }
    public required string Key { get; init; }
    public required string Kind { get; init; }
    public required DateTimeOffset RecoveryPoint { get; init; }

    /// <summary>From the manifest; empty when it names none.</summary>
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    /// <summary>Of the file.</summary>
    public required string Sha256 { get; init; }
    public required long Size { get; init; }

    /// <summary>The newest restore of it was checked and good.</summary>
    public required bool Proven { get; init; }

    /// <summary>Where the data came from, as the source itself told: the id of a cluster, server and folder. Empty when the manifest does not say.</summary>
    public string Origin { get; init; } = "";
}

[Step("backup.download", "Fetches a backup and verifies it before the file gets its name.")]
sealed class BackupDownload : Step<BackupDownloadOptions, BackupDownloadOutputs>
{
    public override IEnumerable<TargetEffect> Effects(BackupDownloadOptions options) => [TargetEffect.Reads(options.Target), TargetEffect.Changes(null)];

    public override async Task<StepPlan> Plan(BackupDownloadOptions options, PlanContext context)
    {
        var choice = await context.Target<BackupTarget>(options.Target).Choose(SeriesOf(options), options.Backup, context);
        return new() { Lines = [$"fetch {choice.Key} of {choice.RecoveryPoint:u} to {options.To}"], Warnings = BackupSelector.Doubts(options.Backup, context.Time.GetUtcNow()) };
    }

    public override async Task<BackupDownloadOutputs> Run(BackupDownloadOptions options, StepContext context)
    {
        await using var store = await context.Target<BackupTarget>(options.Target).Open(context);
        var manifest = await BackupSeries.Pinned(store, options.Prefix, options.Backup, context);
        var path = context.FullPath(options.To);
        if (!await IsThere(path, manifest, context))
            await new BackupFetch(store, manifest, path, UploadMemory.Of(context, canGoOn: true), Transfer.Of(context, manifest.Content.Size)).ToFile();
        context.Log($"{manifest.Key} of {manifest.RecoveryPoint:u}: {ByteSize.Words(manifest.Content.Size)}, verified");
        return Outputs(manifest, path);
    }

    public override async Task<ProbeResult<BackupDownloadOutputs>> Probe(BackupDownloadOptions options, StepContext context)
    {
        if (context.Saved("backup") is null)
            return ProbeResult<BackupDownloadOutputs>.NotDone("it had not begun");
        await using var store = await context.Target<BackupTarget>(options.Target).Open(context);
        var manifest = await BackupSeries.Pinned(store, options.Prefix, options.Backup, context);
        var path = context.FullPath(options.To);
        return File.Exists(path) && await UploadSource.Digest(path, context.Cancelled) == manifest.Content.Sha256
            ? ProbeResult<BackupDownloadOutputs>.Done(Outputs(manifest, path), $"{path} is there and has the right SHA-256")
            : ProbeResult<BackupDownloadOutputs>.NotDone($"{path} is not there");
    }

    static string SeriesOf(BackupDownloadOptions options) => BackupSeries.PrefixFor(options.Prefix, options.Backup);

    /// <exception cref="StepFailedException">Another file has this name and is not the run's own.</exception>
    static async Task<bool> IsThere(string path, BackupManifest manifest, StepContext context)
    {
        if (!File.Exists(path))
            return false;
        if (new FileInfo(path).Length == manifest.Content.Size && await UploadSource.Digest(path, context.Cancelled) == manifest.Content.Sha256)
            return true;
        return path.StartsWith(context.Run.Work.TrimEnd('/') + "/", StringComparison.Ordinal)
            ? false
            : throw StepFailedException.Conflict($"{path} exists and holds something else; it is not overwritten.", "Name a file below {{ run.work }}.");
    }

    static BackupDownloadOutputs Outputs(BackupManifest manifest, string path) => new()
    {
        File = path,
        Key = manifest.Key,
        Kind = manifest.Kind,
        RecoveryPoint = manifest.RecoveryPoint,
        Counts = manifest.Counts ?? new Dictionary<string, long>(),
        Sha256 = manifest.Content.Sha256,
        Size = manifest.Content.Size,
        Proven = manifest.Proven,
        Origin = manifest.Source?.Place ?? "",
    };
}
