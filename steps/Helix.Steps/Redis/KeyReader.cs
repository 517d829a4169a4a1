using Helix.Runbooks.Steps;
using StackExchange.Redis;

namespace Helix.Steps.Redis;

/// <summary>Reads keys of one database, of whatever type.</summary>
sealed class KeyReader(RedisConnection redis, int database)
{
    const long MostBytes = 16 << 20;

    /// <returns>Null when the key is as it should be; else what is wrong, without its value, which may be secret.</returns>
    public async Task<string?> Fault(RedisCheck check)
    {
        var type = await TypeOf(check.Key);
        if (type == "none")
            return $"key '{check.Key}' is missing";
        if (check.Value is { } value && (type != "string" || (string?)await redis.SendTo(database, "GET", check.Key) != value))
            return $"key '{check.Key}' has another value than it should";
        return check.MinimumLength is { } least && await LengthOf(check.Key, type) is var length && length < least
            ? $"key '{check.Key}' has a length of {length:N0}, and at least {least:N0} are expected"
            : null;
    }

    /// <summary>Reads one key taken at random. False when it was gone meanwhile, or is too big to be read beside the server's work.</summary>
    public async Task<bool> ReadAny()
    {
        var key = await redis.SendTo(database, "RANDOMKEY");
        if (key.IsNull)
            return false;
        if ((long?)await redis.SendTo(database, "MEMORY", "USAGE", (RedisKey)key) is not < MostBytes)
            return false;
        // DUMP reads every part of a value of any type.
        return !(await redis.SendTo(database, "DUMP", (RedisKey)key)).IsNull;
    }

    async Task<string> TypeOf(string key) => (string)(await redis.SendTo(database, "TYPE", key))!;

    async Task<long> LengthOf(string key, string type) => (long)await redis.SendTo(database, type switch
    {
        "string" => "STRLEN",
        "list" => "LLEN",
        "set" => "SCARD",
        "zset" => "ZCARD",
        "hash" => "HLEN",
        "stream" => "XLEN",
        _ => throw StepFailedException.InvalidData($"Key '{key}' is of type {type}, which has no length."),
    }, key);
}
