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

    /// <summary>Read everything back once it is stored; else the store's own checks and the size count.</summary>
    public bool ReadBack { get; init; } = true;
}

/// <summary>One pass: source, hash, compression, hash, store; then the manifest.</summary>
public static class BackupWriter
{
    const int Chunk = 1 << 20;

    /// <param name="about">All of the manifest but the digests.</param>
    /// <param name="checkSource">Throws when the source is not what it was at the beginning; asked before anything becomes visible.</param>
    public static async Task<BackupManifest> Write(
        BackupStore store, BackupManifest about, Stream source, BackupTreatment how, UploadHints hints,
        Action<long> checkSource, Action<long> progress, CancellationToken cancelled)
    {
        await RefuseTaken(store, about.Key, cancelled);
        var first = new byte[Chunk];
        var length = await source.ReadAtLeastAsync(first, Chunk, throwOnEndOfStream: false, cancelled);
        var compression = Compressions.IsCompressed(first.AsSpan(0, length)) ? Compression.None : how.Compression;
        ContentDigest content, stored;
        await using (var sink = await store.Create(about.Key, hints, cancelled))
        {
            await using var measured = new Measured(sink);
            content = await Pump(first, length, source, measured, how with { Compression = compression }, progress, cancelled);
            stored = new(measured.Count, measured.Sha256);
            checkSource(content.Size);
            await sink.Commit(cancelled);
        }
        await BackupReader.CheckStored(store, about.Key, stored, how.ReadBack, cancelled);
        var manifest = about with { Content = content, Stored = stored, Compression = compression };
        await store.Replace(BackupKey.Manifest(about.Key), manifest.ToBytes(), null, cancelled);
        return manifest;
    }

    static async Task RefuseTaken(BackupStore store, string key, CancellationToken cancelled)
    {
        BackupKey.Check(key);
        if (await store.ReadSmall(BackupKey.Manifest(key), cancelled) is not null)
            throw StepFailedException.Conflict($"There is a backup {key} in {store.Place} already; it is not overwritten.", "Give this one another name.");
    }

    static async Task<ContentDigest> Pump(
        byte[] buffer, int length, Stream source, Stream to, BackupTreatment how, Action<long> progress, CancellationToken cancelled)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long size = 0;
        var compressor = Compressions.Compress(to, how.Compression, how.Level, how.Threads);
        try
        {
            for (; length > 0; length = await source.ReadAtLeastAsync(buffer, Chunk, throwOnEndOfStream: false, cancelled))
            {
                hash.AppendData(buffer, 0, length);
                await compressor.WriteAsync(buffer.AsMemory(0, length), cancelled);
                size += length;
                progress(size);
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
