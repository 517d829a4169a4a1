using Helix.Runbooks.Steps;

namespace Helix.Steps.Files;

/// <summary>A file that is read once, and must stay what it was meanwhile (S3-17).</summary>
sealed class SourceFile : IDisposable
{
    readonly string _path;
    readonly DateTime _changed;

    public FileStream Content { get; }
    public long Length { get; }

    SourceFile(string path)
    {
        _path = path;
        Content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        Length = Content.Length;
        _changed = File.GetLastWriteTimeUtc(Content.SafeFileHandle);
    }

    /// <exception cref="StepFailedException">Missing, unreadable, or not a file.</exception>
    public static SourceFile Open(string path)
    {
        if (Directory.Exists(path))
            throw StepFailedException.InvalidData($"{path} is a folder, and a file is needed.", "Pack it first: file.archive.");
        if (!File.Exists(path))
            throw StepFailedException.Missing($"There is no file {path}.");
        try
        {
            return new SourceFile(path);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StepFailedException(FailureClass.Auth, $"The file {path} may not be read.", "Check owner and mode.", e);
        }
    }

    /// <exception cref="StepFailedException">It grew, shrank or was written to since it was opened.</exception>
    public void CheckUnchanged(long read)
    {
        var length = RandomAccess.GetLength(Content.SafeFileHandle);
        if (read != Length || length != Length || File.GetLastWriteTimeUtc(Content.SafeFileHandle) != _changed)
            throw StepFailedException.Conflict(
                $"{_path} changed while it was read: {Length} bytes at first, {read} read, {length} now.",
                "Back up a file that nobody writes to; nothing was stored.");
    }

    public void Dispose() => Content.Dispose();
}
