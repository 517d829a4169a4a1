using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.FileSystemGlobbing;
using Microsoft.Extensions.FileSystemGlobbing.Abstractions;

namespace Helix.Server.Schedules;

/// <summary>The content of all files that patterns name, as one digest.</summary>
static class WatchedFiles
{
    public static string Digest(IReadOnlyList<string> patterns)
    {
        var text = new StringBuilder();
        foreach (var file in patterns.SelectMany(Files).Distinct().Order(StringComparer.Ordinal))
            text.Append(file).Append('\0').Append(DigestOf(file)).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    static IEnumerable<string> Files(string pattern)
    {
        var parts = pattern.Split('/');
        var wild = Array.FindIndex(parts, p => p.Contains('*') || p.Contains('?'));
        if (wild < 0)
            return File.Exists(pattern) ? [pattern] : Directory.Exists(pattern) ? Below(pattern, "**/*") : [];
        return Below(string.Join('/', parts[..wild]) is { Length: > 0 } root ? root : "/", string.Join('/', parts[wild..]));
    }

    static IEnumerable<string> Below(string root, string pattern) => !Directory.Exists(root) ? []
        : new Matcher(StringComparison.Ordinal).AddInclude(pattern).Execute(new Folder(root)).Files.Select(f => Path.Combine(root, f.Path));

    /// <summary>What cannot be read counts by that: the run that follows says it.</summary>
    static string DigestOf(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.GetType().Name;
        }
    }

    /// <summary>A folder that cannot be read counts as an empty one: that is a change too, and the run that follows says it.</summary>
    sealed class Folder(string path) : DirectoryInfoWrapper(new DirectoryInfo(path))
    {
        public override IEnumerable<FileSystemInfoBase> EnumerateFileSystemInfos()
        {
            try
            {
                return [.. base.EnumerateFileSystemInfos().Select(i => i is DirectoryInfoBase ? new Folder(Path.Combine(FullName, i.Name)) : i)];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return [];
            }
        }
    }
}
