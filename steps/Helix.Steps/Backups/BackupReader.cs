using System.Security.Cryptography;
using System.Text.Json;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>Reads backups and proves what was read.</summary>
static class BackupReader
{
    const int Chunk = 1 << 20;

    /// <summary>So many bytes tell what something is.</summary>
    const int Beginning = 16;

    /// <summary>Reads all of it and compares both digests; the content goes nowhere.</summary>
    public static async Task ReadAll(BackupStore store, BackupManifest manifest, Transfer transfer)
    {
        await using var bytes = await store.Read(manifest.Key, 0, null, transfer.Cancelled);
        await Decode(store, manifest, bytes, Stream.Null, transfer);
    }

    /// <summary>Turns stored bytes into content and compares both digests.</summary>
    /// <exception cref="StepFailedException">Invalid data, where the backup is not what its manifest says.</exception>
    public static async Task Decode(BackupStore store, BackupManifest manifest, Stream bytes, Stream to, Transfer transfer)
    {
        await using var stored = new Measured(bytes);
        var content = await Unpack(store, manifest, stored, to, transfer);
        Compare(store, manifest.Key, "stored bytes", manifest.Stored, new(stored.Count, stored.Sha256));
        Compare(store, manifest.Key, "content", manifest.Content, content);
    }

    /// <summary>The store holds what was sent: the size, and with <paramref name="readBack"/> every byte.</summary>
    /// <param name="tag">Of what was sent, as the store named it; null: it did not.</param>
    /// <exception cref="StepFailedException">Invalid data, where it is not what was sent; conflict, where somebody has replaced it.</exception>
    public static async Task CheckStored(BackupStore store, string key, ContentDigest sent, string? tag, bool readBack, Transfer transfer)
    {
        var found = await new LateAnswers(store.Place, transfer.Time, transfer.Log).Wait(key, () => store.Stat(key, transfer.Cancelled), transfer.Cancelled);
        // Somebody else may have stored another object under this key. A server that names the same bytes in two ways is believed when they are read.
        var doubted = tag is not null && found?.Tag is { } there && there != tag;
        if (found?.Size != sent.Size)
            throw doubted ? Replaced(store, key) : StepFailedException.InvalidData($"{store.Place} keeps {found?.Size ?? 0} bytes of {key}, and {sent.Size} were sent.", "The store shortened it without a word; no manifest was written.");
        if (!readBack && !doubted)
            return;
        await using var bytes = await store.Read(key, 0, null, transfer.Cancelled);
        await using var stored = new Measured(bytes);
        await Copy(stored, Stream.Null, null, key, sent.Size, transfer with { Progress = _ => transfer.Progress(sent.Size) });
        if (doubted && stored.Sha256 != sent.Sha256)
            throw Replaced(store, key);
        Compare(store, key, "stored bytes", sent, new(stored.Count, stored.Sha256));
    }

    static StepFailedException Replaced(BackupStore store, string key) => StepFailedException.Conflict(
        $"{key} in {store.Place} is not what was sent there a moment ago: somebody else stored another object under the same key.", "Give each run a name of its own; no manifest was written.");

    /// <summary>What a step is about to write may be there from an earlier attempt, or from somebody else.</summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="StepFailedException">Conflict, where it cannot be read: it is not overwritten.</exception>
    public static async Task<BackupManifest?> Manifest(BackupStore store, string key, CancellationToken cancelled)
    {
        var name = BackupKey.Manifest(key);
        if (await store.ReadSmall(name, cancelled) is not var (bytes, _))
            return null;
        try
        {
            return BackupManifest.Parse(bytes);
        }
        catch (JsonException)
        {
            throw StepFailedException.Conflict($"The manifest {name} in {store.Place} is damaged: it cannot be read and is not overwritten.", "Look at it. If it is of no use, move it away and resume: the backup is stored again.");
        }
    }

    /// <summary>Reads an object that has no manifest, and says what can be said of it. Times and kind are the caller's.</summary>
    /// <exception cref="StepFailedException">Invalid data, where it is damaged; auth, where it is encrypted and no key of the store opens it.</exception>
    public static async Task<BackupManifest> Examine(BackupStore store, string key, CancellationToken cancelled)
    {
        var (start, encryption) = await Begin(store, key, cancelled);
        var compression = Compressions.Of(start);
        // Only a name that says so too promises the name without the ending.
        if (compression != Compression.None && !key.EndsWith(Compressions.Extension(compression), StringComparison.Ordinal))
            compression = Compression.None;
        var name = key.Split('/')[^1];
        var manifest = new BackupManifest
        {
            Key = key,
            Kind = "",
            RecoveryPoint = default,
            MadeAt = default,
            FileName = name[..^Compressions.Extension(compression).Length],
            Content = new(long.MaxValue, ""),
            Stored = ContentDigest.None,
            Compression = compression,
            Encryption = encryption,
        };
        await using var bytes = await store.Read(key, 0, null, cancelled);
        await using var stored = new Measured(bytes);
        var content = await Unpack(store, manifest, stored, Stream.Null, new() { Cancelled = cancelled });
        return manifest with { Content = content, Stored = new(stored.Count, stored.Sha256) };
    }

    /// <summary>How the content begins, and what it is encrypted with.</summary>
    static async Task<(byte[] Start, BackupEncryption? Encryption)> Begin(BackupStore store, string key, CancellationToken cancelled)
    {
        await using (var bytes = await store.Read(key, 0, Beginning, cancelled))
            if (await Start(bytes, cancelled) is var start && !BackupCipher.IsEncrypted(start))
                return (start, null);
        foreach (var cipher in store.Keys.All)
        {
            await using var bytes = await store.Read(key, 0, null, cancelled);
            try
            {
                await using var plain = await cipher.Decrypt(bytes, cancelled);
                return (await Start(plain, cancelled), cipher.About);
            }
            catch (InvalidDataException)
            {
                // It is another key's, or damaged: they look the same.
            }
        }
        throw StepFailedException.Auth($"{key} in {store.Place} is encrypted, and no key of its target opens it.", "Name its key in the target: encryptionKey, or decryptionKeys for old ones. If it is there, the object is damaged.");
    }

    static async Task<byte[]> Start(Stream from, CancellationToken cancelled)
    {
        var start = new byte[Beginning];
        return start[..await from.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancelled)];
    }

    static async Task<ContentDigest> Unpack(BackupStore store, BackupManifest manifest, Measured stored, Stream to, Transfer transfer)
    {
        try
        {
            await using var open = manifest.Encryption is { } encryption ? await store.Keys.For(manifest.Key, encryption).Decrypt(stored, transfer.Cancelled) : null;
            await using var plain = manifest.Compression == Compression.None ? null : Decompress(open ?? stored, manifest);
            // What is neither compressed nor encrypted is hashed once.
            using var content = (plain ?? open) is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var size = await Copy(plain ?? open ?? stored, to, content, manifest.Key, manifest.Content.Size, transfer);
            // What lies behind the end of the compressed data counts too.
            await (open ?? Stream.Null).CopyToAsync(Stream.Null, Chunk, transfer.Cancelled);
            await stored.CopyToAsync(Stream.Null, Chunk, transfer.Cancelled);
            return content is null ? new(stored.Count, stored.Sha256) : new(size, Convert.ToHexStringLower(content.GetHashAndReset()));
        }
        catch (Exception e) when (Compressions.IsFault(e))
        {
            throw new StepFailedException(FailureClass.InvalidData, $"The backup {manifest.Key} is damaged after {stored.Count} stored bytes: {e.Message}", Reject(manifest.Key), e);
        }
    }

    /// <summary>What nobody has measured yet must say by itself that it is whole.</summary>
    static Stream Decompress(Stream from, BackupManifest manifest) => manifest.Content.Sha256.Length > 0
        ? Compressions.DecompressKnown(from, manifest.Compression)
        : Compressions.Decompress(from, manifest.Compression, leaveOpen: true);

    /// <summary>Hashes each chunk and writes it while the next one is read and unpacked.</summary>
    static async Task<long> Copy(Stream from, Stream to, IncrementalHash? hash, string key, long most, Transfer transfer)
    {
        var (buffer, other) = (new byte[Chunk], new byte[Chunk]);
        long done = 0;
        var last = Task.CompletedTask;
        try
        {
            for (int read; (read = await from.ReadAtLeastAsync(buffer, Chunk, throwOnEndOfStream: false, transfer.Cancelled)) > 0; (buffer, other) = (other, buffer))
            {
                await last;
                done += read;
                if (done > most)
                    throw StepFailedException.InvalidData($"The backup {key} holds more than the {most} bytes of its manifest.", Reject(key));
                var chunk = buffer.AsMemory(0, read);
                last = Task.Run(() => Take(chunk, to, hash, transfer.Cancelled));
                transfer.Progress(done);
            }
        }
        finally
        {
            await last;
        }
        return done;
    }

    static async Task Take(ReadOnlyMemory<byte> chunk, Stream to, IncrementalHash? hash, CancellationToken cancelled)
    {
        var hashed = hash is null ? Task.CompletedTask : Task.Run(() => hash.AppendData(chunk.Span), CancellationToken.None);
        try
        {
            await to.WriteAsync(chunk, cancelled);
        }
        finally
        {
            await hashed;
        }
    }

    static void Compare(BackupStore store, string key, string what, ContentDigest expected, ContentDigest found)
    {
        if (expected.Size != found.Size)
            throw StepFailedException.InvalidData($"The {what} of {key} in {store.Place}: {found.Size} bytes instead of {expected.Size}.", Reject(key));
        if (expected.Sha256 != found.Sha256)
            throw StepFailedException.InvalidData($"The {what} of {key} in {store.Place}: SHA-256 {found.Sha256} instead of {expected.Sha256}.", Reject(key));
    }

    static string Reject(string key) => $"Reject it: helix backups reject {key} -e … --reason …";
}
