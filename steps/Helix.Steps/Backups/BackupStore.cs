using System.ComponentModel;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>A target that holds backups.</summary>
public abstract record BackupTarget : Target, IHoldsBackups
{
    [Description("New backups are encrypted with this key: 32 bytes in base64 (openssl rand -base64 32).")]
    [Example("env:BACKUP_KEY")]
    public Secret? EncryptionKey { get; init; }

    [Description("Earlier keys, for backups that were made with them.")]
    public IReadOnlyList<Secret> DecryptionKeys { get; init; } = [];

    /// <summary>The object or file beside the backups whose first line names the environment that the store belongs to.</summary>
    protected const string LabelKey = ".helix-environment";

    /// <summary>Opens the store. Dispose it.</summary>
    /// <exception cref="StepFailedException">It is not there, or refuses these credentials.</exception>
    public abstract Task<BackupStore> Open(PlanContext context);

    public async Task<BackupChoice> Choose(string prefix, string selector, PlanContext context)
    {
        await using var store = await Open(context);
        var manifest = await new BackupSeries(store, prefix).Select(selector, context.Time.GetUtcNow(), cancelled: context.Cancelled);
        return new(manifest.Key, manifest.Stored.Sha256, manifest.RecoveryPoint, manifest.Proven);
    }

    protected async Task<BackupKeys> Keys(PlanContext context)
    {
        var older = new List<BackupCipher>();
        foreach (var key in DecryptionKeys)
            older.Add(BackupCipher.FromKey(await context.Reveal(key), Name));
        return new(EncryptionKey is { } current ? BackupCipher.FromKey(await context.Reveal(current), Name) : null, older);
    }
}

/// <summary>Objects under keys, whatever lies below. An object is there completely or not at all.</summary>
public abstract class BackupStore : IAsyncDisposable
{
    /// <summary>For messages: <c>/backups</c>, <c>s3://bucket/prefix</c>.</summary>
    public abstract string Place { get; }

    public BackupKeys Keys { get; init; } = BackupKeys.None;

    /// <summary>By which it is seen that a recovery point lies ahead; null: nobody looks.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>Begins an object of unknown length. Nothing of it is visible before <see cref="UploadStream.Commit"/>.</summary>
    public abstract Task<UploadStream> Create(string key, UploadHints hints, CancellationToken cancelled);

    /// <summary>A part of an object, or all of it from the offset.</summary>
    /// <exception cref="StepFailedException">Missing when there is no such object.</exception>
    public abstract Task<Stream> Read(string key, long offset, long? length, CancellationToken cancelled);

    /// <returns>Null when there is no such object.</returns>
    public abstract Task<StoredObject?> Stat(string key, CancellationToken cancelled);

    /// <summary>Every object whose key starts with the prefix. Throws when the listing cannot be completed.</summary>
    public abstract IAsyncEnumerable<StoredObject> List(string prefix, CancellationToken cancelled);

    /// <summary>Missing is done.</summary>
    public abstract Task<Deletion> Delete(string key, CancellationToken cancelled);

    /// <summary>Why an object cannot be deleted now; null when it can.</summary>
    public abstract Task<string?> HeldBy(string key, CancellationToken cancelled);

    /// <summary>What was begun below the prefix and has not ended: under way, or abandoned.</summary>
    public abstract Task<IReadOnlyList<OpenUpload>> OpenUploads(string prefix, CancellationToken cancelled);

    /// <summary>When something last came for one of them: a large one may be under way for longer than another lies abandoned.</summary>
    public virtual Task<DateTimeOffset> LastMoved(OpenUpload upload, CancellationToken cancelled) => Task.FromResult(upload.Since);

    /// <summary>Throws away what an upload that nobody goes on with has sent.</summary>
    public abstract Task Abort(OpenUpload upload, CancellationToken cancelled);

    /// <summary>A small object and the tag that <see cref="Replace"/> wants; null when there is none.</summary>
    public abstract Task<(byte[] Bytes, string Tag)?> ReadSmall(string key, CancellationToken cancelled);

    /// <summary>Writes a small object whole, if it is still the one with the tag; null: if there is none.</summary>
    /// <exception cref="StepFailedException">Conflict when it is another by now.</exception>
    public abstract Task Replace(string key, ReadOnlyMemory<byte> bytes, string? tag, CancellationToken cancelled);

    /// <summary>Under which key a run tells of an object that is on its way there, until its manifest is written; null: this kind leaves nothing.</summary>
    public virtual string? ResidueOf(string key) => null;

    public abstract ValueTask DisposeAsync();
}

public sealed record StoredObject(string Key, long Size)
{
    /// <summary>The store's own mark of the bytes, other ones for other bytes; null: it has none, or was not asked for it.</summary>
    public string? Tag { get; init; }
}

/// <summary>Hidden: a versioned store keeps the bytes, and only the name is gone.</summary>
public enum Deletion { Removed, Hidden }

/// <param name="Id">The store's own name for it.</param>
public sealed record OpenUpload(string Key, string Id, DateTimeOffset Since);

/// <summary>What is known before an object is written.</summary>
public sealed record UploadHints
{
    /// <summary>No more bytes than this will be stored; decides the size of the parts.</summary>
    public long? LargestSize { get; init; }

    /// <summary>It may well be far fewer, as of what is compressed: that they are too many for one object is seen only when they are.</summary>
    public bool Shrinks { get; init; }

    /// <summary>Nobody else uploads to this key: what is open there was left by this step. Of a copy two runs may be under way.</summary>
    public bool OwnKey { get; init; }

    /// <summary>The folder for what is too large for memory, until it is sent.</summary>
    public string Spool { get; init; } = Path.GetTempPath();

    /// <summary>What an interrupted attempt left to go on from.</summary>
    public UploadMemory Memory { get; init; } = UploadMemory.None;
}

/// <summary>Durable values of one upload, so that a resume sends only what is missing, and residue while it is open.</summary>
public sealed record UploadMemory
{
    /// <summary>Forgets: an upload that breaks is thrown away.</summary>
    public static UploadMemory None { get; } = new();

    public Func<string, JsonNode?> Saved { get; init; } = _ => null;
    public Func<string, JsonNode, Task> Save { get; init; } = (_, _) => Task.CompletedTask;
    public Func<Residue, Task> Leave { get; init; } = _ => Task.CompletedTask;
    public Func<string, Task> TakeBack { get; init; } = _ => Task.CompletedTask;

    /// <summary>False: the same bytes will not come again, so what is saved serves only to throw it away.</summary>
    public bool CanGoOn { get; init; }

    public static UploadMemory Of(StepContext context, bool canGoOn) =>
        new() { Saved = context.Saved, Save = context.Save, Leave = context.Leave, TakeBack = context.TakeBack, CanGoOn = canGoOn };
}

/// <summary>Takes the bytes of one object. Disposed without <see cref="Commit"/>, nothing of them becomes visible.</summary>
public abstract class UploadStream : Stream
{
    /// <summary>Makes the object visible under its key.</summary>
    public abstract Task Commit(CancellationToken cancelled);

    /// <summary>After <see cref="Commit"/>: the store named the digest of every byte that it holds, and it is that of what was sent.</summary>
    public virtual bool Confirmed => false;

    /// <summary>After <see cref="Commit"/>: the store's own mark of what it took; null: it gives none.</summary>
    public virtual string? Tag => null;

    /// <summary>Nobody will go on with it: what was sent is thrown away. Without it, a resume finds it.</summary>
    public abstract Task Abandon(CancellationToken cancelled);

    public sealed override bool CanRead => false;
    public sealed override bool CanSeek => false;
    public sealed override bool CanWrite => true;
    public sealed override long Length => throw new NotSupportedException();
    public sealed override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public sealed override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public sealed override void SetLength(long value) => throw new NotSupportedException();
    public override void Flush() { }
    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();
}
