using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Helix.Runbooks.Steps;
using Helix.Steps.Targets;
using Description = System.ComponentModel.DescriptionAttribute;

namespace Helix.Steps.Docker;

/// <summary>One container, by its name.</summary>
sealed class DockerRuntime(DockerEngine engine, string name) : ContainerRuntime(engine)
{
    protected override string Words => $"container {name}";
    protected override string Inside => name;
    public override string Address => $"docker:{Engine.Name}/{name}";
    public override string StartCommand => $"{Engine.ShellPrefix}docker start {name}";

    protected override Task<IReadOnlyList<Container>> Find(PlanContext context) => Engine.Find(context, $"name=^/{System.Text.RegularExpressions.Regex.Escape(name)}$");

    protected override async Task<StepFailedException> NoneThere(PlanContext context) =>
        StepFailedException.Missing($"There is no container {name} on the Docker engine ({Engine.Name}). There are: {Listed(await Engine.Lines(context, "ps", "-a", "--format", "{{.Names}}"))}.",
            "For a Compose service give the project and the service instead: names differ between versions of Compose.");

    protected override async Task Create(StepContext context) => throw await NoneThere(context);

    public override Task Scale(StepContext context, int replicas) => replicas switch
    {
        0 => Stop(context, TimeSpan.FromSeconds(10)),
        1 => Start(context),
        _ => throw new RunbookException($"Container {name} can have 0 or 1 instances, not {replicas}."),
    };

    static string Listed(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names.Take(20));
}

[Target("docker", "A container of a Docker engine.")]
public sealed record DockerTarget : RunningTarget
{
    [Description("The name of the container.")]
    [Example("neo4j")]
    public required string Container { get; init; }

    [Description("A remote Docker engine: ssh://user@host or tcp://host:port.")]
    [Example("ssh://ops@db1")]
    public string? Host { get; init; }

    [JsonIgnore]
    public override RuntimeOptions? Runtime { get => new() { Docker = Container, Host = Host }; init { } }

    [JsonIgnore]
    public override string Address => Service.Address;

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => Service.Tools;

    public override Task<string?> ReadPlace(PlanContext context) => Service.Place(context);

    /// <summary>The container's label <c>helix.environment</c>.</summary>
    public override Task<string?> ReadLabel(PlanContext context) => new DockerEngine(Host).EnvironmentOf(context, $"name=^/?{Regex.Escape(Container)}$");

    public override Task<string> Check(PlanContext context) => ServiceTarget.CheckRuns(Service, Name, context);
}
