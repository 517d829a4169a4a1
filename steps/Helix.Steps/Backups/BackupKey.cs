using System.Text;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>What a key, and the prefix of a series, may look like.</summary>
static class BackupKey
{
    const int LongestBytes = 900; // S3 allows 1024, and the manifest's suffix comes on top

    /// <exception cref="RunbookException">It would leave the store, or could not be an object's name on every kind of store.</exception>
    public static string Check(string key)
    {
        var fault =
            key.Length == 0 ? "it is empty"
            : key.EndsWith('/') ? "it ends with '/'"
            : key.EndsWith(BackupManifest.Suffix, StringComparison.Ordinal) ? "it ends like a manifest"
            : Encoding.UTF8.GetByteCount(key) > LongestBytes ? $"it is longer than {LongestBytes} bytes"
            : PathFault(key);
        return fault is null ? key : throw new RunbookException($"'{key}' cannot be the key of a backup: {fault}.", "Keys look like redis/20260301T020000Z.rdb.zst.");
    }

    /// <summary>Of a series: folders, each with its '/'.</summary>
    internal const string PrefixForm = @"^([^./\\][^/\\]*/)+$";
    internal const string PrefixWords = "{0} must be folders with '/' after each, as redis/ or neo4j/daily/.";

    /// <summary>An empty prefix would mean every backup of the store (PM-07).</summary>
    /// <exception cref="RunbookException">It is empty, or no folder.</exception>
    public static string CheckPrefix(string prefix)
    {
        var fault =
            prefix.Trim().Length == 0 ? "it is empty, which would mean every backup of the store"
            : !prefix.EndsWith('/') ? "it does not end with '/'"
            : PathFault(prefix[..^1]);
        return fault is null ? prefix : throw new RunbookException($"'{prefix}' cannot be the prefix of a series: {fault}.", "Prefixes look like redis/ or neo4j/daily/.");
    }

    public static string Manifest(string key) => key + BackupManifest.Suffix;

    static string? PathFault(string path)
    {
        if (path.Any(char.IsControl) || path.Contains('\\', StringComparison.Ordinal))
            return "it holds a control character or a backslash";
        // A leading dot marks unfinished files of the directory kind.
        return path.Split('/').Contains("") || IsHidden(path) ? "a part of it is empty or starts with a dot" : null;
    }

    /// <summary>What lies there for other reasons, and is no backup.</summary>
    public static bool IsHidden(string key) => key.Split('/').Any(s => s.StartsWith('.'));
}
