using System.ComponentModel;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;

namespace Helix.Steps.Http;

[Target("http", "A server that speaks HTTP.")]
public sealed record HttpTarget : RunningTarget
{
    [Description("Where it answers; paths of steps are added to it.")]
    [Example("https://dashboard.example.com/api/health")]
    public required string Url { get; init; }

    [Description("Headers for every request, whose values are secret.")]
    public IReadOnlyDictionary<string, Secret> Headers { get; init; } = new Dictionary<string, Secret>();

    [Description("PEM file of the certificate authorities to trust instead of the system's.")]
    [FilePath]
    public string? CaFile { get; init; }

    [JsonIgnore]
    public override string Address => Uri.TryCreate(Url, UriKind.Absolute, out var url) ? $"http:{url.Scheme}://{url.Authority}" : $"http:{Url}";

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => Runtime is null ? [] : Service.Tools;

    public override async Task<string> Check(PlanContext context)
    {
        using var call = new HttpCall(context, new() { Target = Name, Timeout = new Duration(TimeSpan.FromSeconds(5)) });
        return $"answers {(await call.Send()).Status}";
    }
}
