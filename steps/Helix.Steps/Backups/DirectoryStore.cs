using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Backups;

/// <summary>Objects as files: written under a hidden temporary name, synced, renamed, folder synced.</summary>
sealed class DirectoryStore(string folder) : BackupStore
{
    public override string Place => folder;

    public override Task<UploadStream> Create(string key, UploadHints hints, CancellationToken cancelled) => Disk.Guard(Place, () =>
    {
        var path = PathOf(key);
        MakeFolder(path);
        return Task.FromResult<UploadStream>(new DirectoryUpload(folder, path));
    });

    public override Task<Stream> Read(string key, long offset, long? length, CancellationToken cancelled) => Disk.Guard(Place, () =>
    {
        var path = PathOf(key);
        if (!File.Exists(path))
            throw StepFailedException.Missing($"There is no object {key} in {folder}.");
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.Asynchronous);
        file.Position = offset;
        return Task.FromResult<Stream>(new Guarded(length is { } most ? new Slice(file, most) : file, folder));
    });

    public override Task<StoredObject?> Stat(string key, CancellationToken cancelled) => Disk.Guard(Place, () =>
    {
        var file = new FileInfo(PathOf(key));
        RequireFolder();
        return Task.FromResult(file.Exists ? new StoredObject(key, file.Length) : null);
    });

    public override async IAsyncEnumerable<StoredObject> List(string prefix, [EnumeratorCancellation] CancellationToken cancelled)
    {
        RequireFolder();
        var start = Path.Combine(folder, Path.GetDirectoryName(prefix) ?? "");
        if (!Directory.Exists(start))
            yield break;
        using var objects = await Disk.Guard(Place, () => Task.FromResult(Below(start, prefix).GetEnumerator()));
        while (await Disk.Guard(Place, () => Task.FromResult(objects.MoveNext())))
        {
            cancelled.ThrowIfCancellationRequested();
            yield return objects.Current;
        }
    }

    /// <summary>An unreadable folder throws: an incomplete listing must never look like a short one.</summary>
    IEnumerable<StoredObject> Below(string start, string prefix) =>
        from file in new DirectoryInfo(start).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = 0 })
        let key = Path.GetRelativePath(folder, file.FullName)
        where key.StartsWith(prefix, StringComparison.Ordinal) && !BackupKey.IsHidden(key) && IsStillThere(file)
        select new StoredObject(key, file.Length);

    /// <summary>One may be deleted while the folder is read; that all are gone is another matter.</summary>
    bool IsStillThere(FileInfo file)
    {
        if (file.Exists)
            return true;
        RequireFolder();
        return false;
    }

    public override Task<Deletion> Delete(string key, CancellationToken cancelled) => Disk.Guard(Place, () =>
    {
        RequireFolder();
        var path = PathOf(key);
        if (File.Exists(path))
        {
            File.Delete(path);
            Durable.SyncFolder(Path.GetDirectoryName(path)!);
        }
        return Task.FromResult(Deletion.Removed);
    });

    public override Task<string?> HeldBy(string key, CancellationToken cancelled) => Task.FromResult<string?>(null);

    public override Task<IReadOnlyList<OpenUpload>> OpenUploads(string prefix, CancellationToken cancelled) => Disk.Guard(Place, () =>
    {
        RequireFolder();
        var start = Path.Combine(folder, Path.GetDirectoryName(prefix) ?? "");
        return Task.FromResult<IReadOnlyList<OpenUpload>>(!Directory.Exists(start) ? [] :
        [
            .. from file in Unfinished.Below(start)
               let key = Path.GetRelativePath(folder, file)
               where key.StartsWith(prefix, StringComparison.Ordinal)
               select new OpenUpload(key, file, File.GetLastWriteTimeUtc(file)),
        ]);
    });

    public override Task Abort(OpenUpload upload, CancellationToken cancelled) => Disk.Guard(Place, () =>
    {
        File.Delete(upload.Id);
        return Task.FromResult(true);
    });

    public override Task<(byte[] Bytes, string Tag)?> ReadSmall(string key, CancellationToken cancelled) => Disk.Guard(Place, async () =>
    {
        RequireFolder();
        var path = PathOf(key);
        if (!File.Exists(path))
            return null;
        var bytes = await File.ReadAllBytesAsync(path, cancelled);
        return ((byte[], string)?)(bytes, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    });

    public override Task Replace(string key, ReadOnlyMemory<byte> bytes, string? tag, CancellationToken cancelled) => Disk.Guard(Place, async () =>
    {
        var path = PathOf(key);
        MakeFolder(path);
        using var alone = await Alone(path, cancelled);
        if ((await ReadSmall(key, cancelled))?.Tag != tag)
            throw StepFailedException.Conflict($"{key} in {folder} was changed by somebody else meanwhile.", "Try again; the other change is kept.");
        await using var sink = new DirectoryUpload(folder, path);
        await sink.WriteAsync(bytes, cancelled);
        await sink.Commit(cancelled);
        return true;
    });

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Holds others off while a small object is compared and replaced.</summary>
    static async Task<FileStream> Alone(string path, CancellationToken cancelled)
    {
        var name = Path.Combine(Path.GetDirectoryName(path)!, ".lock");
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (Disk.IsLocked(e) && tries < 200)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, cancelled);
            }
        }
    }

    void MakeFolder(string path)
    {
        RequireFolder();
        Durable.CreateFolder(Path.GetDirectoryName(path)!);
    }

    void RequireFolder()
    {
        if (!Directory.Exists(folder))
            throw StepFailedException.Missing($"The folder {folder} is not there any more.", "Is its disk still mounted?");
    }

    string PathOf(string key)
    {
        var path = Path.GetFullPath(Path.Combine(folder, key));
        return path.StartsWith(folder + "/", StringComparison.Ordinal) ? path : throw new RunbookException($"The key '{key}' leaves the folder {folder}.");
    }
}

/// <summary>Says of a disk that cannot read what it is, and where.</summary>
sealed class Guarded(Stream inner, string place) : OneWayStream
{
    public override bool CanRead => true;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Disk.Guard(place, async () => await inner.ReadAsync(buffer, cancellationToken)));

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>One object on its way into a folder.</summary>
sealed class DirectoryUpload : UploadStream
{
    readonly string _folder;
    readonly string _path;
    readonly string _temporary;
    readonly SteadyWriter _file;
    bool _committed;

    public DirectoryUpload(string folder, string path)
    {
        _folder = folder;
        _path = path;
        _temporary = Unfinished.NameFor(path);
        Unfinished.RemoveAbandoned(path);
        // Backups hold secrets, whatever the umask lets others read.
        _file = new SteadyWriter(_temporary, mode: UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Disk.Guard(_folder, async () =>
        {
            await _file.WriteAsync(buffer, cancellationToken);
            return true;
        }));

    public override void Write(byte[] buffer, int offset, int count) => Disk.Guard(_folder, () =>
    {
        _file.Write(buffer, offset, count);
        return Task.FromResult(true);
    }).GetAwaiter().GetResult();

    public override Task Commit(CancellationToken cancelled) => Disk.Guard(_folder, async () =>
    {
        await _file.Finish();
        await _file.DisposeAsync();
        Durable.Rename(_temporary, _path);
        _committed = true;
        return true;
    });

    /// <summary>A file is written again from its beginning: nothing of it is kept. What was already committed turned out to be wrong.</summary>
    public override Task Abandon(CancellationToken cancelled) => Disk.Guard(_folder, async () =>
    {
        await DisposeAsync();
        if (_committed)
        {
            File.Delete(_path);
            Durable.SyncFolder(Path.GetDirectoryName(_path)!);
        }
        return true;
    });

    protected override void Dispose(bool disposing)
    {
        _file.Dispose();
        // The name is free for another writer once it was renamed.
        if (!_committed && Directory.Exists(_folder))
            DeleteTemporary();
        base.Dispose(disposing);
    }

    void DeleteTemporary()
    {
        try
        {
            File.Delete(_temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk that failed the upload fails here too: that is what must be heard of. The next writer removes the file.
        }
    }
}
