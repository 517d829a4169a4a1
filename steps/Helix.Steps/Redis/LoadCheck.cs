namespace Helix.Steps.Redis;

/// <summary>Compares what a server loaded with the file that it should have loaded.</summary>
static class LoadCheck
{
    /// <returns>Null when it fits; else what is wrong, in words.</returns>
    public static string? Fault(RdbFile file, RedisInfo info)
    {
        if (file.Counts is not { } held)
            return null;
        // Since 7.0 the server counts what it read from its file: exact, whatever clients wrote or time removed since.
        if (info.Number("rdb_last_load_keys_loaded") is { } loaded)
            return loaded + (info.Number("rdb_last_load_keys_expired") ?? 0) is var read && read == held.Total
                ? null
                : $"it read {read:N0} keys and the file holds {held.Total:N0}";
        return KeyCounts.Of(info).DifferencesTo(held).FirstOrDefault();
    }
}
