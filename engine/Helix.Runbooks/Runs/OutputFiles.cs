using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Runs;

/// <summary>The local file that a step puts out (<c>file</c>), with host, size and digest, so that a resume knows whether it is still there.</summary>
static class OutputFiles
{
    public static async Task<IReadOnlyList<LocalFile>> Of(JsonObject outputs, CancellationToken cancelled)
    {
        if (outputs["file"]?.ToString() is not { } path || !File.Exists(path))
            return [];
        try
        {
            var size = new FileInfo(path).Length;
            var sha = outputs["size"]?.ToString() == size.ToString() && outputs["sha256"] is { } said ? said.ToString() : await Sha256(path, cancelled);
            return [new LocalFile("file", System.Environment.MachineName, path, size, sha)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What the step did is done, whether this account may read it or not; a resume then knows less.
            return [];
        }
    }

    /// <summary>Null when the file is as recorded; else what is wrong.</summary>
    public static async Task<string?> Fault(LocalFile file, CancellationToken cancelled)
    {
        if (file.Host != System.Environment.MachineName)
            return $"{file.Path} was written on host {file.Host}";
        if (!File.Exists(file.Path))
            return $"{file.Path} is gone";
        if (new FileInfo(file.Path).Length != file.Size)
            return $"{file.Path} has {new FileInfo(file.Path).Length} bytes, and {file.Size} were written";
        return await Sha256(file.Path, cancelled) == file.Sha256 ? null : $"{file.Path} has another content than was written";
    }

    static async Task<string> Sha256(string path, CancellationToken cancelled)
    {
        await using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancelled));
    }
}
