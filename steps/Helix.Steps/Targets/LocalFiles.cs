using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Targets;

/// <summary>Copies files of this machine with the care that <see cref="Runtime"/> promises.</summary>
static class LocalFiles
{
    public static async Task<long> CopyOut(StepContext context, string path, Stream to)
    {
        await using var file = Open(path);
        var size = file.Length;
        var (copied, _) = await Digest.Copy(file, to, context.Cancelled);
        // Local reads do not lie; a file that is being written does.
        return copied == size && file.Length == size
            ? copied
            : throw StepFailedException.Transient($"{path} changed while it was copied: {size} bytes before, {copied} copied, {file.Length} after.", "Stop the service, or copy a file that is not written any more.");
    }

    public static async Task CopyIn(StepContext context, Stream from, string path, FileOwner owner)
    {
        var target = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        var folder = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(folder))
            throw StepFailedException.Missing($"{path} cannot be written: the folder {folder} does not exist.");
        var temporary = Unfinished.NameFor(context, target);
        File.Delete(temporary);
        try
        {
            var (size, digest) = await Write(from, temporary, context.Cancelled);
            await Compare(temporary, size, digest, context.Cancelled);
            await SetOwner(context, temporary, File.Exists(target) ? target : folder, owner.Owner);
            SetMode(temporary, target, owner.Mode);
            File.Move(temporary, target, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    public static Task Remove(string path)
    {
        if (Path.GetDirectoryName(path) is null or "/")
            throw new RunbookException($"{path} is not removed: it is a top-level folder.");
        if (Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null)
            Directory.Delete(path, recursive: true);
        else if (File.Exists(path) || new FileInfo(path).LinkTarget is not null)
            File.Delete(path);
        return Task.CompletedTask;
    }

    static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw StepFailedException.Missing($"There is no file {path}.");
        }
        catch (UnauthorizedAccessException)
        {
            throw new StepFailedException(FailureClass.Auth, $"{path} cannot be read by this account{(Directory.Exists(path) ? ": it is a folder" : "")}.");
        }
    }

    static async Task<(long, string)> Write(Stream from, string temporary, CancellationToken cancelled)
    {
        await using var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        var result = await Digest.Copy(from, file, cancelled);
        file.Flush(flushToDisk: true);
        return result;
    }

    static async Task Compare(string path, long size, string digest, CancellationToken cancelled)
    {
        await using var file = File.OpenRead(path);
        Digest.MustEqual(path, (size, digest), await Digest.Copy(file, Stream.Null, cancelled));
    }

    static async Task SetOwner(StepContext context, string path, string like, string? owner)
    {
        if (owner is null)
        {
            var ids = await context.Tool("stat", "-L", "-c", "%u:%g", like).Quietly().Run();
            owner = ids.Stdout.Trim();
            var now = await context.Tool("stat", "-c", "%u:%g", path).Quietly().Run();
            if (now.Stdout.Trim() == owner)
                return;
        }
        await context.Tool("chown", owner, path).Run();
    }

    static void SetMode(string path, string target, Mode? mode)
    {
        if (mode is { } asked)
            File.SetUnixFileMode(path, asked.Value);
        else
            File.SetUnixFileMode(path, File.Exists(target) ? File.GetUnixFileMode(target) : UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }
}

/// <summary>Copies and hashes in one go.</summary>
static class Digest
{
    public static async Task<(long Size, string Sha256)> Copy(Stream from, Stream to, CancellationToken cancelled)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 * 1024];
        long size = 0;
        while (await from.ReadAsync(buffer, cancelled) is > 0 and var count)
        {
            hash.AppendData(buffer, 0, count);
            await to.WriteAsync(buffer.AsMemory(0, count), cancelled);
            size += count;
        }
        await to.FlushAsync(cancelled);
        return (size, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    public static void MustEqual(string what, (long Size, string Sha256) sent, (long Size, string Sha256) arrived)
    {
        if (sent != arrived)
            throw StepFailedException.Transient($"{what} is not what was copied: {sent.Size} bytes sent ({sent.Sha256[..12]}…), {arrived.Size} arrived ({arrived.Sha256[..12]}…).");
    }
}
