using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>How the bytes of a backup are treated on their way into the store.</summary>
public sealed record BackupTreatment
{
    public Compression Compression { get; init; } = Compression.Zstd;
    public int? Level { get; init; }
    public int? Threads { get; init; }

    /// <summary>Null: not encrypted.</summary>
    public BackupCipher? Cipher { get; init; }

    /// <summary>Read everything back once it is stored; null: where the store does not confirm by its own digests what it holds.</summary>
    public bool? ReadBack { get; init; }
}

/// <summary>One pass: source, hash, compression, encryption, hash, store; then the manifest.</summary>
public static class BackupWriter
{
    const int Chunk = 1 << 20;

    /// <param name="about">All of the manifest but the digests.</param>
    /// <param name="checkSource">Hears how many bytes were read; throws when the source is not what it was at the beginning. Asked before anything becomes visible.</param>
    public static async Task<BackupManifest> Write(
        BackupStore store, BackupManifest about, Stream source, BackupTreatment how, UploadHints hints, Action<long> checkSource, Transfer transfer)
    {
        await RefuseTaken(store, about.Key, transfer.Cancelled);
        var first = new byte[Chunk];
        var length = await source.ReadAtLeastAsync(first, Chunk, throwOnEndOfStream: false, transfer.Cancelled);
        if (await IsDense(first.AsMemory(0, length), source, transfer.Cancelled))
            how = how with { Compression = Compression.None };
        await using var upload = await store.Create(about.Key, Stored(hints, how), transfer.Cancelled);
        var manifest = about with { Compression = how.Compression, Encryption = how.Cipher?.About };
        try
        {
            manifest = await Send(manifest, first, length, source, upload, how, hints.Memory, transfer);
            checkSource(manifest.Content.Size);
            // While this one was sent, another run may have finished its own.
            await RefuseTaken(store, about.Key, transfer.Cancelled);
        }
        catch (Exception e) when (!CanGoOn(e))
        {
            await Abandon(upload, transfer);
            throw;
        }
        await Finish(store, upload, manifest, how.ReadBack, hints.Memory, transfer);
        return manifest;
    }

    /// <summary>Makes what was sent visible, proves it, and makes it a backup by its manifest. Where that cannot be, it is thrown away again: without a manifest it would lie in the way for ever.</summary>
    internal static async Task Finish(BackupStore store, UploadStream upload, BackupManifest manifest, bool? readBack, UploadMemory memory, Transfer transfer)
    {
        try
        {
            await upload.Commit(transfer.Cancelled);
            await BackupReader.CheckStored(store, manifest.Key, manifest.Stored, upload.Tag, readBack ?? !upload.Confirmed, transfer);
            await store.Replace(BackupKey.Manifest(manifest.Key), manifest.ToBytes(), null, transfer.Cancelled);
        }
        catch (Exception e) when (!CanGoOn(e))
        {
            // Where somebody else's manifest stands by now, the object may be theirs too.
            await Abandon(upload, transfer, async () => await store.ReadSmall(BackupKey.Manifest(manifest.Key), CancellationToken.None) is not null);
            throw;
        }
        if (store.ResidueOf(manifest.Key) is { } residue)
            await memory.TakeBack(residue);
    }

    /// <summary>What becomes of the bytes on their way decides how many are stored.</summary>
    static UploadHints Stored(UploadHints hints, BackupTreatment how) =>
        how is { Compression: Compression.None, Cipher: null } || hints.LargestSize is not { } size ? hints
            // What cannot be compressed becomes a little larger, and encryption adds its records.
            : hints with { LargestSize = size + size / 100 + Chunk, Shrinks = how.Compression != Compression.None };

    /// <summary>What went wrong before is what must be known; that cleaning up failed too is a line in the log.</summary>
    static async Task Abandon(UploadStream upload, Transfer transfer, Func<Task<bool>>? keep = null)
    {
        try
        {
            if (keep is null || !await keep())
                await upload.Abandon(CancellationToken.None);
        }
        catch (StepFailedException e)
        {
            transfer.Log($"What was sent could not be removed: {e.Message}");
        }
    }

    /// <summary>Compressing it would cost time and gain nothing: its first bytes say so, or samples of it do not shrink.</summary>
    static async Task<bool> IsDense(ReadOnlyMemory<byte> first, Stream source, CancellationToken cancelled)
    {
        if (Compressions.IsCompressed(first.Span))
            return true;
        if (!source.CanSeek || source.Length < 8 * Chunk || Compressions.Shrinks(first.Span))
            return false;
        var (at, sample) = (source.Position, new byte[Chunk]);
        var dense = true;
        for (var n = 1; n < 8 && dense; n++)
        {
            source.Position = source.Length / 8 * n;
            var length = await source.ReadAtLeastAsync(sample, Chunk, throwOnEndOfStream: false, cancelled);
            dense = !Compressions.Shrinks(sample.AsSpan(0, length));
        }
        source.Position = at;
        return dense;
    }

    /// <summary>After these the same bytes can be sent on later: the store was busy or gone, a credential ran out, somebody stopped the run, another driver has it.</summary>
    static bool CanGoOn(Exception e) =>
        e is OperationCanceledException or LeaseLostException or StepFailedException { Failure: FailureClass.Transient or FailureClass.Auth or FailureClass.TimedOut or FailureClass.Cancelled };

    /// <summary>Before a step has begun it: what lies under the key without a manifest is somebody's, and perhaps the only backup there is.</summary>
    /// <exception cref="StepFailedException">Conflict, when there is something.</exception>
    public static async Task<string> Free(BackupStore store, string key, CancellationToken cancelled) =>
        await store.ReadSmall(BackupKey.Manifest(key), cancelled) is not null || await store.Stat(key, cancelled) is null ? key
            : throw StepFailedException.Conflict($"There is an object {key} without a manifest in {store.Place}; it is not overwritten.", "If it is a backup: helix backups adopt. If it was left by something that was cut off, remove it.");

    static async Task RefuseTaken(BackupStore store, string key, CancellationToken cancelled)
    {
        BackupKey.Check(key);
        if (await store.ReadSmall(BackupKey.Manifest(key), cancelled) is not null)
            throw StepFailedException.Conflict($"There is a backup {key} in {store.Place} already; it is not overwritten.", "Give this one another name.");
    }

    static async Task<BackupManifest> Send(
        BackupManifest about, byte[] first, int length, Stream source, UploadStream upload, BackupTreatment how, UploadMemory memory, Transfer transfer)
    {
        // What is neither compressed nor encrypted is hashed once: content and stored bytes are the same.
        var plain = how.Compression == Compression.None && how.Cipher is null;
        await using var stored = plain ? null : new Measured(upload);
        Stream to = stored is null ? upload : stored;
        await using var encryptor = how.Cipher is { } cipher ? await cipher.Encrypt(to, memory) : null;
        var content = await Pump(first, length, source, encryptor ?? to, how, transfer);
        if (encryptor is not null)
            await encryptor.DisposeAsync();
        return about with { Content = content, Stored = stored is null ? content : new(stored.Count, stored.Sha256) };
    }

    /// <summary>Each chunk is hashed while it is compressed and sent.</summary>
    static async Task<ContentDigest> Pump(byte[] buffer, int length, Stream source, Stream to, BackupTreatment how, Transfer transfer)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long size = 0;
        var compressor = Compressions.Compress(to, how.Compression, how.Level, how.Threads);
        try
        {
            for (; length > 0; length = await source.ReadAtLeastAsync(buffer, Chunk, throwOnEndOfStream: false, transfer.Cancelled))
            {
                var count = length;
                var hashed = Task.Run(() => hash.AppendData(buffer, 0, count));
                try
                {
                    await compressor.WriteAsync(buffer.AsMemory(0, count), transfer.Cancelled);
                }
                finally
                {
                    await hashed;
                }
                size += length;
                transfer.Progress(size);
            }
        }
        finally
        {
            if (compressor != to)
                await compressor.DisposeAsync();
        }
        return new(size, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
