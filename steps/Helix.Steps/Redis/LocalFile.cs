using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>A file of this machine that appears under its name only when it is complete, checked and on disk.</summary>
static class LocalFile
{
    /// <param name="path">Where it is wanted.</param>
    /// <param name="write">Fills it.</param>
    /// <param name="check">Reads it under its temporary name and throws when it is no good.</param>
    public static async Task<T> Write<T>(string path, Func<FileStream, Task> write, Func<string, Task<T>> check)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        var partial = path + ".partial";
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
            var checkedFile = await check(partial);
            File.Move(partial, path, overwrite: true);
            return checkedFile;
        }
        catch (IOException e)
        {
            throw StepFailedException.Transient($"{path} cannot be written: {e.Message}", "Is the disk full?");
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
