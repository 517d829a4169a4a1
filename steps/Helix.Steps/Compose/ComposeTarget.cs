using System.ComponentModel;
using System.Text.Json.Serialization;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;
using Helix.Steps.Docker;
using Helix.Steps.Targets;
using YamlDotNet.RepresentationModel;

namespace Helix.Steps.Compose;

[Target("compose", "A Docker Compose project. Its services are found by the engine's labels, so their containers' names do not matter.")]
public sealed record ComposeTarget : Target
{
    [Description("The name of the project.")]
    [Example("helix")]
    public required string Project { get; init; }

    [Description("The Compose files, in order.")]
    [FilePath]
    [Example("[docker-compose.yml]")]
    public required IReadOnlyList<string> Files { get; init; }

    [Description("A file with variables for the Compose files.")]
    [FilePath]
    public string? EnvFile { get; init; }

    [Description("Variables for the Compose files whose values are secret; asked for anew at each call, so that a rotated one is used.")]
    [Example("{ REDIS_PASSWORD: \"vault:vault/secret/helix#redis_password\" }")]
    public IReadOnlyDictionary<string, Secret> Secrets { get; init; } = new Dictionary<string, Secret>();

    [Description("A remote Docker engine: ssh://user@host or tcp://host:port.")]
    [Example("ssh://ops@db1")]
    public string? Host { get; init; }

    [JsonIgnore]
    public override string Address => $"compose:{Engine.Name}/{Project}";

    [JsonIgnore]
    public override IReadOnlyList<string> Tools => ["docker"];

    internal DockerEngine Engine => new(Host);

    public override async Task<string?> ReadPlace(PlanContext context)
    {
        try
        {
            return $"{await Engine.Machine(context)}/{Project}";
        }
        catch (StepFailedException)
        {
            return null;
        }
    }

    /// <summary>The label <c>helix.environment</c> of any of its containers.</summary>
    public override Task<string?> ReadLabel(PlanContext context) => Engine.EnvironmentOf(context, $"label={DockerEngine.ProjectLabel}={Project}");

    public override async Task<string> Check(PlanContext context)
    {
        var form = (await Command(context))[0] == "docker" ? "docker compose" : "docker-compose";
        var services = await Services(context);
        return $"{form}, {(services.Count == 0 ? "nothing there yet" : $"services {string.Join(", ", services)}")}";
    }

    /// <summary>Names of the services that have a container.</summary>
    internal async Task<IReadOnlyList<string>> Services(PlanContext context) =>
        [.. (await Engine.Lines(context, "ps", "-a", "--filter", $"label={DockerEngine.ProjectLabel}={Project}", "--format", $"{{{{.Label \"{DockerEngine.ServiceLabel}\"}}}}")).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Names, on the engine, of the volumes that the Compose files take from outside. Every version of Compose shows the files in one plain form.</summary>
    internal async Task<IReadOnlySet<string>> ExternalVolumes(PlanContext context)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader((await Call(context, "config").Quietly().Run()).Stdout));
        return Members(yaml.Documents[0].RootNode, "volumes").Where(v => Text(v.Value, "external") == "true").Select(v => Text(v.Value, "name") ?? v.Key).ToHashSet();
    }

    static IEnumerable<KeyValuePair<string, YamlNode>> Members(YamlNode node, string name) =>
        node is YamlMappingNode all && all.Children.TryGetValue(name, out var found) && found is YamlMappingNode members ? members.Children.Select(c => KeyValuePair.Create(c.Key.ToString(), c.Value)) : [];

    static string? Text(YamlNode node, string name) => node is YamlMappingNode all && all.Children.TryGetValue(name, out var found) ? found.ToString() : null;

    /// <summary>All containers of the project that are not one-off processes.</summary>
    internal Task<IReadOnlyList<Docker.Container>> Containers(PlanContext context, params IEnumerable<string> more) =>
        Engine.Find(context, [$"label={DockerEngine.ProjectLabel}={Project}", $"label={DockerEngine.OneOffLabel}=False", .. more]);

    /// <summary>A call of Compose for this project; which form there is is found out when it runs (DOC-07).</summary>
    internal Tool Call(PlanContext context, params IReadOnlyList<string> arguments) =>
        LaterTool.For(context, arguments, inner => Complete(context, inner.Tool, arguments));

    internal async Task<Tool> Complete(PlanContext context, Tool inner, IReadOnlyList<string> arguments)
    {
        var command = await Command(context);
        foreach (var (name, secret) in Secrets)
            inner = inner.With(name, await context.Reveal(secret));
        return Engine.At(inner with { File = command[0], Arguments = [.. command.Skip(1), "--ansi", "never", .. Options(context), .. arguments], WorkingDirectory = null });
    }

    /// <summary>The same call as a line for people, which works from any folder. Secret variables they set before: without them Compose would make containers that have none.</summary>
    internal async Task<string> Line(PlanContext context, params IReadOnlyList<string> arguments) =>
        string.Concat(Secrets.Keys.Select(s => $"export {s}=\"${{{s}:?}}\" && ")) + Engine.ShellPrefix + string.Join(' ', new[] { await Command(context), [.. Options(context)], arguments }.SelectMany(w => w).Select(Shell.Quoted));

    IEnumerable<string> Options(PlanContext context) =>
        ["-p", Project, .. Files.SelectMany(f => new[] { "-f", context.FullPath(f) }), .. EnvFile is null ? Array.Empty<string>() : ["--env-file", context.FullPath(EnvFile)]];

    static async Task<IReadOnlyList<string>> Command(PlanContext context)
    {
        var (plugin, old) = (context.Tool("docker", "compose", "version").Quietly(), context.Tool("docker-compose"));
        if (Executables.TryFind(plugin) is not null)
        {
            var answer = await plugin.Accept([.. Enumerable.Range(0, 256)]).Run();
            if (answer.ExitCode == 0 && answer.Stdout.Contains("Compose", StringComparison.OrdinalIgnoreCase))
                return ["docker", "compose"];
        }
        return Executables.TryFind(old) is not null
            ? ["docker-compose"]
            : throw StepFailedException.Missing($"Neither 'docker compose' nor docker-compose is on this machine: searched {Executables.PathOf(old)}.", "Install the Compose plugin (docker-compose-plugin) or docker-compose.");
    }
}
