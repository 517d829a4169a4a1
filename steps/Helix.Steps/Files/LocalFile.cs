using Helix.Runbooks.Steps;

namespace Helix.Steps.Files;

/// <summary>A file of this machine that appears under its name only when it is complete, checked and on disk.</summary>
static class LocalFile
{
    /// <param name="path">Where it is wanted.</param>
    /// <param name="write">Fills it.</param>
    /// <param name="check">Reads it under its temporary name and throws when it is no good.</param>
    public static Task<T> Write<T>(string path, Func<FileStream, Task> write, Func<string, Task<T>> check) => Disk.Guard(path, async () =>
    {
        Durable.CreateFolder(Path.GetDirectoryName(path)!);
        Unfinished.RemoveAbandoned(path);
        var partial = Unfinished.NameFor(path);
        try
        {
            await using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous))
            {
                if (!OperatingSystem.IsWindows())
                    File.SetUnixFileMode(partial, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                await write(file);
                await file.FlushAsync();
                file.Flush(flushToDisk: true);
            }
            var result = await check(partial);
            Durable.Rename(partial, path);
            return result;
        }
        finally
        {
            File.Delete(partial);
        }
    });

    /// <summary>Where a step writes a copy. In the run's folder for safety copies it takes a free name.</summary>
    public static string For(string path, StepContext context)
    {
        var full = context.FullPath(path);
        return full.StartsWith(Path.GetFullPath(context.Run.Safe) + "/", StringComparison.Ordinal) ? FreeName(full) : full;
    }

    /// <summary>For a safety copy: one that an earlier round made is never overwritten.</summary>
    public static string FreeName(string path)
    {
        var (folder, name, ending) = (Path.GetDirectoryName(path)!, Path.GetFileNameWithoutExtension(path), Path.GetExtension(path));
        if (name.EndsWith(".tar", StringComparison.Ordinal))
            (name, ending) = (name[..^4], ".tar" + ending);
        for (var i = 2; File.Exists(path); i++)
            path = Path.Combine(folder, $"{name}-{i}{ending}");
        return path;
    }
}
