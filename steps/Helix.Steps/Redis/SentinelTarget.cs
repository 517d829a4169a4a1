using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>The sentinels that watch one set of Redis servers.</summary>
[Target("sentinel", "Redis Sentinels and the name of the master that they watch.")]
public sealed record SentinelTarget : Target
{
    [Description("Where the sentinels listen, as host:port.")]
    [Example("[localhost:26379]")]
    [MinLength(1, ErrorMessage = "{0} must name a sentinel.")]
    public required IReadOnlyList<string> Endpoints { get; init; }

    [Description("The name under which they watch the master.")]
    [Example("helix-master")]
    public required string Master { get; init; }

    [Description("The user of the sentinels' access list.")]
    public string? User { get; init; }

    [Description("The password of the sentinels themselves.")]
    public Secret? Password { get; init; }

    [Description("The user of the data nodes.")]
    public string? NodeUser { get; init; }

    [Description("The password of the data nodes.")]
    [Example("env:REDIS_PASSWORD")]
    public Secret? NodePassword { get; init; }

    [Description("Speak TLS, with sentinels and data nodes.")]
    public bool Tls { get; init; }

    [Description("Certificate of the authority that signed theirs, in PEM form.")]
    [FilePath]
    public string? CaFile { get; init; }

    [JsonIgnore]
    public IReadOnlyList<RedisEndpoint> At => [.. Endpoints.Select(RedisEndpoint.Parse)];

    [JsonIgnore]
    public override string Address => $"sentinel://{string.Join(",", At.Select(e => e.Normalised.ToString()).Order(StringComparer.Ordinal))}/{Master}";

    /// <summary>A data node of the set, reached with the credentials that all of them share.</summary>
    internal RedisTarget Node(RedisEndpoint at) => new()
    {
        Name = at.ToString(),
        Endpoint = at.ToString(),
        User = NodeUser,
        Password = NodePassword,
        Tls = Tls,
        CaFile = CaFile,
    };

    public override async Task<string> Check(PlanContext context)
    {
        var view = await SentinelView.Read(this, context);
        return $"{view.Answering.Count} of {Endpoints.Count} sentinels answer, {Master} is {view.Master}, {view.Replicas.Count} replicas";
    }
}
