using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

public sealed record BackupUploadOptions
{
    [Description("Where the backup goes.")]
    [TargetName("s3", "directory")]
    public required string Target { get; init; }

    [Description("The file to back up.")]
    [Example("\"{{ steps.save.file }}\"", Shown = true)]
    public string? File { get; init; }

    [Description("Instead of a file: a command that only reads and prints what is to be stored. Nothing is kept unless it ends with 0.")]
    [Example("[pg_dump, --format=custom, shop]")]
    public IReadOnlyList<string> Command { get; init; } = [];

    [Description("For a command: no more than this will come, before compression. Decides the size of the parts.")]
    [Example("200GB")]
    public ByteSize? LargestSize { get; init; }

    [Description("Store nothing when the newest backup of the series has the same content under the same key.")]
    public bool OnlyIfChanged { get; init; }

    [Description("The series that it belongs to: the start of the key, ending with '/'.")]
    [Example("redis/")]
    [Fixed]
    [MinLength(1, ErrorMessage = BackupKey.PrefixWords), RegularExpression(BackupKey.PrefixForm, ErrorMessage = BackupKey.PrefixWords)]
    public required string Prefix { get; init; }

    [Description("The rest of the key. Default: recovery point, run and the file's ending.")]
    public string? Name { get; init; }

    [Description("What it is, in the words of the system it came from.")]
    [Example("redis.rdb")]
    public required string Kind { get; init; }

    [Description("The time that the data stands for, as the step that made it says.")]
    [Example("\"{{ steps.save.recoveryPoint }}\"")]
    public required DateTimeOffset RecoveryPoint { get; init; }

    [Description("For data that was read while it changed: the end of reading. `before:` looks at this.")]
    [Example("\"{{ steps.backup.dataUntil }}\"")]
    public DateTimeOffset? DataUntil { get; init; }

    [Description("The target that the data came from; its place goes into the manifest.")]
    [TargetName]
    public string? Source { get; init; }

    [Description("Versions of tool and server, by name.")]
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();

    [Description("How much of what is in it, for the check after a restore.")]
    public IReadOnlyDictionary<string, long>? Counts { get; init; }

    [Description("Compression on the way; input that is compressed already is stored as it is.")]
    public Compression Compression { get; init; } = Compression.Zstd;

    [Description("Compression level: 1 to 19 for zstd, 1 to 9 for gzip. Default: 1 and 6.")]
    [Range(1, 19)]
    public int? Level { get; init; }

    [Description("Threads for zstd. Default: one for each core, at most 8.")]
    [Range(1, 64)]
    public int? Threads { get; init; }

    [Description("Read everything back once it is stored and compare the SHA-256. Default: unless the store names, for every part that it took, the digest that was sent.")]
    public bool? ReadBack { get; init; }

    [Description("The file lacks something or changed while it was read, as the step that made it says.")]
    public bool Partial { get; init; }

    [Description("What was missing, for the manifest.")]
    public IReadOnlyList<string> Warnings { get; init; } = [];

    [Description("Let selectors take it although it is partial.")]
    public bool AllowPartial { get; init; }
}

public sealed record BackupUploadOutputs
{
    public required string Key { get; init; }

    /// <summary>Bytes in the store.</summary>
    public required long Size { get; init; }
    public required string Sha256 { get; init; }
    public required DateTimeOffset RecoveryPoint { get; init; }

    /// <summary>The key of the manifest.</summary>
    public required string Manifest { get; init; }

    /// <summary>Before compression.</summary>
    public required long ContentSize { get; init; }
    public required string ContentSha256 { get; init; }

    /// <summary>False: nothing was stored, and key and manifest are those of the backup with the same content.</summary>
    public bool Changed { get; init; } = true;
}

[Step("backup.upload", "Stores a file, or what a command prints, as a backup with its manifest.")]
sealed class BackupUpload : Step<BackupUploadOptions, BackupUploadOutputs>, IJudgesUse
{
    public IEnumerable<UseFault> Judge(StepUse use) => use.OneOf("backup.upload", "file", "command");

    public override IEnumerable<TargetEffect> Effects(BackupUploadOptions options) => [TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(BackupUploadOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"store {options.File ?? string.Join(' ', options.Command)} below {options.Prefix} in {options.Target}, {options.Compression.ToString().ToLowerInvariant()}"] });

    public override async Task<BackupUploadOutputs> Run(BackupUploadOptions options, StepContext context)
    {
        BackupKey.CheckPrefix(options.Prefix);
        if (BackupSeries.IsAhead(options.RecoveryPoint, context.Time.GetUtcNow()))
            throw StepFailedException.InvalidData(BackupSeries.Ahead(options.RecoveryPoint), "It would be the newest backup until then. Look at the clock of the machine that made it, and of this one.");
        var about = await About(options, context);
        await using var store = await context.Target<BackupTarget>(options.Target).Open(context);
        if (context.Saved("key") is not null && await Existing(store, about.Key, context) is { } done)
            return Outputs(done);
        if (options.OnlyIfChanged && await Same(store, options, context) is { } same)
        {
            context.Log($"nothing changed since {same.Key} of {same.RecoveryPoint:u}");
            return Outputs(same) with { Changed = false };
        }
        if (context.Saved("key") is null)
            about = about with { Key = options.Name is null ? await Unused(store, about.Key, context) : await BackupWriter.Free(store, about.Key, context.Cancelled) };
        await context.Save("key", about.Key);
        await using var source = UploadSource.Of(options, context);
        var hints = new UploadHints { LargestSize = source.Length, Memory = UploadMemory.Of(context, source.Repeats), OwnKey = true, Spool = context.Run.Work };
        var manifest = await BackupWriter.Write(store, about, source.Content, Treatment(options, store), hints, source.Check, Transfer.Of(context, source.Length));
        context.Log($"{manifest.Key}: {ByteSize.Words(manifest.Content.Size)} stored as {ByteSize.Words(manifest.Stored.Size)}, SHA-256 {manifest.Stored.Sha256}");
        return Outputs(manifest);
    }

    public override async Task<ProbeResult<BackupUploadOutputs>> Probe(BackupUploadOptions options, StepContext context)
    {
        if (context.Saved("key")?.GetValue<string>() is not { } key)
            return ProbeResult<BackupUploadOutputs>.NotDone("it had not begun");
        await using var store = await context.Target<BackupTarget>(options.Target).Open(context);
        return await Existing(store, key, context) is { } done
            ? ProbeResult<BackupUploadOutputs>.Done(Outputs(done), $"the manifest of {key} is there")
            : ProbeResult<BackupUploadOutputs>.NotDone($"there is no manifest of {key}");
    }

    /// <summary>What an earlier attempt of this very step finished.</summary>
    static async Task<BackupManifest?> Existing(BackupStore store, string key, StepContext context)
    {
        if (await BackupReader.Manifest(store, key, context.Cancelled) is not { } manifest || manifest.MadeBy?.Run != context.Run.Id || manifest.MadeBy.Step != context.Path)
            return null;
        if (store.ResidueOf(key) is { } residue)
            await context.TakeBack(residue);
        return manifest;
    }

    /// <summary>The newest backup of the series, if it holds just this file.</summary>
    static async Task<BackupManifest?> Same(BackupStore store, BackupUploadOptions options, StepContext context)
    {
        if (options.File is null)
            throw new RunbookException("onlyIfChanged needs a file: what a command prints is known only once it was sent.");
        var newest = (await new BackupSeries(store, options.Prefix).List(context.Cancelled)).FirstOrDefault(e => e.State == BackupState.Complete)?.Manifest;
        using var file = SourceFile.Open(context.FullPath(options.File));
        return newest?.Kind == options.Kind && newest.Encryption?.KeyId == store.Keys.Current?.About.KeyId && newest.Content.Size == file.Length && await UploadSource.Digest(context.FullPath(options.File), context.Cancelled) == newest.Content.Sha256 ? newest : null;
    }

    static async Task<BackupManifest> About(BackupUploadOptions options, StepContext context)
    {
        var file = Path.GetFileName(options.File ?? (options.Command.Count > 0 ? options.Command[0] : ""));
        return new()
        {
            Key = context.Saved("key")?.GetValue<string>() ?? BackupKey.Check(options.Prefix + (options.Name ?? DefaultName(options, file, context))),
            Kind = options.Kind,
            Source = await Source(options, context),
            RecoveryPoint = options.RecoveryPoint,
            DataUntil = options.DataUntil,
            MadeAt = context.Time.GetUtcNow(),
            MadeBy = new(context.Run.Id, context.Path, context.Run.Runbook, context.Run.Operator),
            FileName = options.File is null ? null : file,
            Content = ContentDigest.None,
            Stored = ContentDigest.None,
            Counts = options.Counts,
            Partial = options.Partial && !options.AllowPartial,
            Warnings = options.Warnings,
        };
    }

    static async Task<BackupSource> Source(BackupUploadOptions options, StepContext context) => new()
    {
        Target = options.Source,
        Place = options.Source is { } name ? await context.Target<Target>(name).ReadPlace(context) : null,
        Versions = options.Versions,
    };

    /// <summary>A later round of the same run stores the same data again, beside the first: never over it.</summary>
    static async Task<string> Unused(BackupStore store, string key, StepContext context)
    {
        var extension = Path.GetExtension(key);
        var free = key;
        for (var n = 2; await store.Stat(BackupKey.Manifest(free), context.Cancelled) is not null || await store.Stat(free, context.Cancelled) is not null; n++)
            free = $"{key[..^extension.Length]}-{n}{extension}";
        return free;
    }

    static string DefaultName(BackupUploadOptions options, string file, StepContext context)
    {
        var time = options.RecoveryPoint.ToUniversalTime().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var step = new string([.. context.Path.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
        return $"{time}-{context.Run.Id}-{step}{(options.File is null ? "" : Path.GetExtension(file))}";
    }

    static BackupTreatment Treatment(BackupUploadOptions options, BackupStore store) =>
        new() { Cipher = store.Keys.Current, Compression = options.Compression, Level = options.Level, Threads = options.Threads, ReadBack = options.ReadBack };

    static BackupUploadOutputs Outputs(BackupManifest manifest) => new()
    {
        Key = manifest.Key,
        Size = manifest.Stored.Size,
        Sha256 = manifest.Stored.Sha256,
        RecoveryPoint = manifest.RecoveryPoint,
        Manifest = BackupKey.Manifest(manifest.Key),
        ContentSize = manifest.Content.Size,
        ContentSha256 = manifest.Content.Sha256,
    };
}
