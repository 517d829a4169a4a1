using System.ComponentModel;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

public sealed record BackupCopyOptions
{
    [Description("Where the backup is.")]
    [TargetName("s3", "directory")]
    public required string From { get; init; }

    [Description("Where it goes too, under the same key.")]
    [TargetName("s3", "directory")]
    public required string To { get; init; }

    [Description("The series: the start of the keys, ending with '/'. May be left out when the backup is named by its key.")]
    [Example("redis/")]
    public string? Prefix { get; init; }

    [Description("Which one: latest, latest-proven, before:TIMESTAMP, age:DURATION, or a key. Resolved once, when the step starts.")]
    public string Backup { get; init; } = "latest";

    [Description("Read the copy once it is stored and compare the SHA-256. Default: unless the store names, for every part that it took, the digest that was sent.")]
    public bool? ReadBack { get; init; }

    [Description("Copy a backup that is not encrypted also to a target with an encryptionKey: a copy has the bytes of the original, so it lies there in the clear.")]
    public bool AllowUnencrypted { get; init; }
}

public sealed record BackupCopyOutputs
{
    public required string Key { get; init; }
    public required long Size { get; init; }

    /// <summary>Of the stored bytes: read at the one place, and proven to be the same at the other.</summary>
    public required string Sha256 { get; init; }
    public required DateTimeOffset RecoveryPoint { get; init; }
}

[Step("backup.copy", "Copies a backup to another store and proves that both are equal.")]
sealed class BackupCopy : Step<BackupCopyOptions, BackupCopyOutputs>
{
    public override IEnumerable<TargetEffect> Effects(BackupCopyOptions options) => [TargetEffect.Reads(options.From), TargetEffect.Changes(options.To)];

    public override async Task<StepPlan> Plan(BackupCopyOptions options, PlanContext context)
    {
        var choice = await context.Target<BackupTarget>(options.From).Choose(BackupSeries.PrefixFor(options.Prefix, options.Backup), options.Backup, context);
        return new()
        {
            Lines = [$"copy {choice.Key} of {choice.RecoveryPoint:u} from {options.From} to {options.To}"],
            Warnings = BackupSelector.Doubts(options.Backup, context.Time.GetUtcNow()),
        };
    }

    public override async Task<BackupCopyOutputs> Run(BackupCopyOptions options, StepContext context)
    {
        var (source, target) = (context.Target<BackupTarget>(options.From), context.Target<BackupTarget>(options.To));
        if (source.Address == target.Address)
            throw new RunbookException($"'{options.From}' and '{options.To}' are the same place; a copy there protects from nothing.");
        await using var from = await source.Open(context);
        await using var to = await target.Open(context);
        var manifest = await BackupSeries.Pinned(from, options.Prefix, options.Backup, context);
        if (manifest.Encryption is { } encryption && !to.Keys.Has(encryption))
            context.Log($"WARNING: {manifest.Key} is encrypted with the key {encryption.KeyId}, which '{options.To}' does not have: it can be neither verified nor restored from there. Name the key there, in decryptionKeys.");
        if (await Existing(to, manifest, context) is null)
            await Copy(from, to, manifest, options, context);
        await BackupVerdicts.Carry(from, to, BackupSeries.PrefixFor(options.Prefix, manifest.Key), context.Log, context.Cancelled);
        context.Log($"{manifest.Key}: {ByteSize.Words(manifest.Stored.Size)} in {from.Place} and in {to.Place}, SHA-256 {manifest.Stored.Sha256}");
        return Outputs(manifest);
    }

    public override async Task<ProbeResult<BackupCopyOutputs>> Probe(BackupCopyOptions options, StepContext context)
    {
        if (context.Saved("backup") is null)
            return ProbeResult<BackupCopyOutputs>.NotDone("it had not begun");
        await using var from = await context.Target<BackupTarget>(options.From).Open(context);
        await using var to = await context.Target<BackupTarget>(options.To).Open(context);
        var manifest = await BackupSeries.Pinned(from, options.Prefix, options.Backup, context);
        return await Existing(to, manifest, context) is null
            ? ProbeResult<BackupCopyOutputs>.NotDone($"{to.Place} has no manifest of {manifest.Key}")
            : ProbeResult<BackupCopyOutputs>.Done(Outputs(manifest), $"{to.Place} has the manifest of {manifest.Key}");
    }

    static async Task<BackupManifest?> Existing(BackupStore to, BackupManifest manifest, StepContext context)
    {
        if (await BackupReader.Manifest(to, manifest.Key, context.Cancelled) is not { } there)
            return null;
        if (there.Stored == manifest.Stored)
        {
            await TakeBack(to, manifest.Key, context);
            return there;
        }
        throw StepFailedException.Conflict($"{to.Place} has another backup under the key {manifest.Key}; it is not overwritten.", $"Look at both: helix backups show {manifest.Key} -e … --target …");
    }

    /// <summary>An attempt that ended in its last moment left what is a backup by now; parts that lie open are told of still.</summary>
    static async Task TakeBack(BackupStore to, string key, StepContext context)
    {
        var open = context.Saved("upload") is JsonObject left && (await to.OpenUploads(key, context.Cancelled)).Any(u => u.Id == (string?)left["id"]);
        if (!open && to.ResidueOf(key) is { } residue)
            await context.TakeBack(residue);
    }

    static async Task Copy(BackupStore from, BackupStore to, BackupManifest manifest, BackupCopyOptions options, StepContext context)
    {
        if (manifest.Encryption is null && to.Keys.Current is not null && !options.AllowUnencrypted)
            throw new RunbookException($"{manifest.Key} is not encrypted, and '{options.To}' has an encryptionKey: the copy would lie there in the clear.", $"Give '{options.From}' an encryptionKey, so that its backups are encrypted; or set allowUnencrypted: true.");
        var transfer = Transfer.Of(context, manifest.Stored.Size);
        // Proofs stay true: the bytes are the same.
        var copy = manifest with { CopiedFrom = new(from.Place, context.Time.GetUtcNow()) };
        try
        {
            if (!await IsThere(to, manifest, transfer))
                await Send(from, to, copy, options, transfer, context);
            else
            {
                context.Log($"{manifest.Key} lies in {to.Place} already, byte for byte and without a manifest: it gets one.");
                await to.Replace(BackupKey.Manifest(manifest.Key), copy.ToBytes(), null, context.Cancelled);
                await TakeBack(to, manifest.Key, context);
            }
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Conflict)
        {
            // Another run that copied the same was faster.
            if (await Existing(to, manifest, context) is null)
                throw;
        }
    }

    /// <summary>A copy that was cut off between its last byte and its manifest.</summary>
    static async Task<bool> IsThere(BackupStore to, BackupManifest manifest, Transfer transfer)
    {
        if ((await to.Stat(manifest.Key, transfer.Cancelled))?.Size != manifest.Stored.Size)
            return false;
        try
        {
            await BackupReader.CheckStored(to, manifest.Key, manifest.Stored, null, readBack: true, transfer);
            return true;
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.InvalidData)
        {
            return false;
        }
    }

    static async Task Send(BackupStore from, BackupStore to, BackupManifest manifest, BackupCopyOptions options, Transfer transfer, StepContext context)
    {
        if (context.Saved("copying") is null)
            await context.Save("copying", await BackupWriter.Free(to, manifest.Key, context.Cancelled));
        var memory = UploadMemory.Of(context, canGoOn: true);
        await using var bytes = await from.Read(manifest.Key, 0, null, context.Cancelled);
        await using var read = new Measured(bytes);
        await using var upload = await to.Create(manifest.Key, new() { LargestSize = manifest.Stored.Size, Memory = memory, Spool = context.Run.Work }, context.Cancelled);
        var buffer = new byte[1 << 20];
        for (int length; (length = await read.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, context.Cancelled)) > 0;)
        {
            await upload.WriteAsync(buffer.AsMemory(0, length), context.Cancelled);
            transfer.Progress(read.Count);
        }
        if (new ContentDigest(read.Count, read.Sha256) != manifest.Stored)
        {
            await upload.Abandon(context.Cancelled);
            throw StepFailedException.InvalidData($"{manifest.Key} in {from.Place} is not what its manifest says; it was not copied.", $"Reject it: helix backups reject {manifest.Key} -e … --reason …");
        }
        await BackupWriter.Finish(to, upload, manifest, options.ReadBack, memory, transfer);
    }

    static BackupCopyOutputs Outputs(BackupManifest manifest) =>
        new() { Key = manifest.Key, Size = manifest.Stored.Size, Sha256 = manifest.Stored.Sha256, RecoveryPoint = manifest.RecoveryPoint };
}
