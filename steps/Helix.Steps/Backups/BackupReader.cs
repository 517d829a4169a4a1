using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>Reads backups and proves what was read.</summary>
static class BackupReader
{
    const int Chunk = 1 << 20;

    /// <summary>Writes the content below a temporary name; the file gets its own name only once both digests fit.</summary>
    public static Task ToFile(BackupStore store, BackupManifest manifest, string path, Action<long> progress, CancellationToken cancelled) => Disk.Guard(path, async () =>
    {
        Durable.CreateFolder(Path.GetDirectoryName(path)!);
        Unfinished.RemoveAbandoned(path);
        var temporary = Unfinished.NameFor(path);
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, FileOptions.Asynchronous))
            {
                await Decode(store, manifest, file, progress, cancelled);
                file.Flush(flushToDisk: true);
            }
            Durable.Rename(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }
        return true;
    });

    /// <summary>Reads all of it and compares both digests; the content goes nowhere.</summary>
    public static Task ReadAll(BackupStore store, BackupManifest manifest, Action<long> progress, CancellationToken cancelled) =>
        Decode(store, manifest, Stream.Null, progress, cancelled);

    /// <summary>The store holds what was sent: the size, and with <paramref name="readBack"/> every byte.</summary>
    public static async Task CheckStored(BackupStore store, string key, ContentDigest sent, bool readBack, CancellationToken cancelled)
    {
        var found = await store.Stat(key, cancelled);
        if (found?.Size != sent.Size)
            throw StepFailedException.InvalidData($"{store.Place} keeps {found?.Size ?? 0} bytes of {key}, and {sent.Size} were sent.", "The store shortened it without a word; no manifest was written.");
        if (readBack)
        {
            await using var bytes = await store.Read(key, 0, null, cancelled);
            await using var stored = new Measured(bytes);
            await stored.CopyToAsync(Stream.Null, Chunk, cancelled);
            Compare(store, key, "stored bytes", sent, new(stored.Count, stored.Sha256));
        }
    }

    /// <summary>Reads an object that has no manifest, and says what can be said of it. Times and kind are the caller's.</summary>
    public static async Task<BackupManifest> Examine(BackupStore store, string key, CancellationToken cancelled)
    {
        var start = new byte[16];
        await using (var head = await store.Read(key, 0, start.Length, cancelled))
            start = start[..await head.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancelled)];
        var compression = Compressions.Of(start);
        // Only a name that says so too promises the name without the ending.
        if (compression != Compression.None && !key.EndsWith(Compressions.Extension(compression), StringComparison.Ordinal))
            compression = Compression.None;
        await using var bytes = await store.Read(key, 0, null, cancelled);
        await using var stored = new Measured(bytes);
        await using var plain = Compressions.Decompress(stored, compression, leaveOpen: true);
        await using var content = new Measured(plain);
        await Copy(content, Stream.Null, key, long.MaxValue, _ => { }, cancelled);
        await stored.CopyToAsync(Stream.Null, Chunk, cancelled);
        var name = key.Split('/')[^1];
        return new()
        {
            Key = key,
            Kind = "",
            RecoveryPoint = default,
            MadeAt = default,
            FileName = name[..^Compressions.Extension(compression).Length],
            Content = new(content.Count, content.Sha256),
            Stored = new(stored.Count, stored.Sha256),
            Compression = compression,
        };
    }

    static async Task Decode(BackupStore store, BackupManifest manifest, Stream to, Action<long> progress, CancellationToken cancelled)
    {
        await using var bytes = await store.Read(manifest.Key, 0, null, cancelled);
        await using var stored = new Measured(bytes);
        await using var plain = Compressions.Decompress(stored, manifest.Compression, leaveOpen: true);
        await using var content = new Measured(plain);
        await Copy(content, to, manifest.Key, manifest.Content.Size, progress, cancelled);
        // What lies behind the end of the compressed data counts too.
        await stored.CopyToAsync(Stream.Null, Chunk, cancelled);
        Compare(store, manifest.Key, "stored bytes", manifest.Stored, new(stored.Count, stored.Sha256));
        Compare(store, manifest.Key, "content", manifest.Content, new(content.Count, content.Sha256));
    }

    static async Task Copy(Stream from, Stream to, string key, long most, Action<long> progress, CancellationToken cancelled)
    {
        var buffer = new byte[Chunk];
        long done = 0;
        while (true)
        {
            int read;
            try
            {
                read = await from.ReadAtLeastAsync(buffer, Chunk, throwOnEndOfStream: false, cancelled);
            }
            catch (Exception e) when (Compressions.IsFault(e))
            {
                throw new StepFailedException(FailureClass.InvalidData, $"The backup {key} is damaged after {done} bytes of its content.", $"Reject it: helix backups reject {key} --reason …", e);
            }
            if (read == 0)
                return;
            done += read;
            if (done > most)
                throw StepFailedException.InvalidData($"The backup {key} holds more than the {most} bytes of its manifest.");
            await to.WriteAsync(buffer.AsMemory(0, read), cancelled);
            progress(done);
        }
    }

    static void Compare(BackupStore store, string key, string what, ContentDigest expected, ContentDigest found)
    {
        if (expected.Size != found.Size)
            throw StepFailedException.InvalidData($"The {what} of {key} in {store.Place}: {found.Size} bytes instead of {expected.Size}.", $"Reject it: helix backups reject {key} --reason …");
        if (expected.Sha256 != found.Sha256)
            throw StepFailedException.InvalidData($"The {what} of {key} in {store.Place}: SHA-256 {found.Sha256} instead of {expected.Sha256}.", $"Reject it: helix backups reject {key} --reason …");
    }
}
