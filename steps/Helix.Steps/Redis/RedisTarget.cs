using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Redis;

/// <summary>One Redis server.</summary>
[Target("redis", "A Redis server; with a runtime it can also be copied from, stopped and loaded.")]
public sealed record RedisTarget : RunningTarget
{
    [Description("Where the server listens, as host:port.")]
    [Example("localhost:6379")]
    [RegularExpression(RedisEndpoint.Pattern, ErrorMessage = "{0} must be host:port.")]
    public required string Endpoint { get; init; }

    [Description("The user of the access list; without it the default user.")]
    public string? User { get; init; }

    [Description("The password.")]
    [Example("env:REDIS_PASSWORD")]
    public Secret? Password { get; init; }

    [Description("Speak TLS.")]
    public bool Tls { get; init; }

    [Description("Certificate of the authority that signed the server's, in PEM form.")]
    [FilePath]
    public string? CaFile { get; init; }

    [Description("The database that checks by key look into.")]
    [Range(0, 1_000_000)]
    public int Database { get; init; }

    [Description("Where the service keeps its RDB file, as the service sees it. Needed for a restore while the server is down or CONFIG GET is not allowed; else the server is asked.")]
    [Example("/data/dump.rdb")]
    public string? DataFile { get; init; }

    [Description("What must be true of good data, independent of any backup; used by redis.verify.")]
    public IReadOnlyList<RedisCheck> Checks { get; init; } = [];

    [JsonIgnore]
    public RedisEndpoint At => RedisEndpoint.Parse(Endpoint);

    [JsonIgnore]
    public override string Address => $"redis://{At.Normalised}";

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => Runtime is null ? [] : Service.Tools;

    /// <summary>A runtime, for a step that cannot do without.</summary>
    internal Runtime ServiceFor(string step) => Runtime is not null ? Service : throw new RunbookException(
        $"{step} needs the files of redis target '{Name}', which has no runtime.",
        "Say how it is run: `runtime: { compose: stack, service: redis }`, or docker, kubernetes or process.");

    /// <summary>Host, port, data folder and file name: <c>helix-prod-1:6379/var/lib/redis/dump.rdb</c>.</summary>
    public override async Task<string?> ReadPlace(PlanContext context)
    {
        try
        {
            await using var redis = await RedisConnection.Open(this, context);
            var file = await redis.DataFile() ?? DataFile;
            return $"{At.MachineName}:{At.Port}{file}";
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return null;
        }
    }

    /// <summary>The value of the key <c>helix:environment</c>, which whoever set the server up may have put there.</summary>
    public override async Task<string?> ReadLabel(PlanContext context)
    {
        try
        {
            await using var redis = await RedisConnection.Open(this, context);
            return (string?)await redis.SendTo(0, "GET", "helix:environment");
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return null;
        }
    }

    public override async Task<string> Check(PlanContext context)
    {
        await using var redis = await RedisConnection.Open(this, context);
        var info = await redis.Info();
        var keys = KeyCounts.Of(info).Total;
        return info.Flag("loading")
            ? throw RedisConnection.Loading(redis.Name)
            : $"Redis {info.Text("redis_version")}, {info.Text("role")}, {keys:N0} keys";
    }
}

/// <summary>A key that good data holds.</summary>
public sealed record RedisCheck
{
    [Description("The key that must exist.")]
    [Example("\"helix:schema\"")]
    public required string Key { get; init; }

    [Description("The value that it must have, for a key of type string.")]
    public string? Value { get; init; }

    [Description("The least number of elements, or of bytes for a string.")]
    public long? MinimumLength { get; init; }
}
