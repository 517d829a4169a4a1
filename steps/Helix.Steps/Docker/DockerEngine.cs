using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Docker;

/// <summary>A Docker engine, here or elsewhere, asked through its command line. Never a terminal: it would change bytes and fail without one (DOC-02, DOC-03).</summary>
sealed record DockerEngine(string? Host)
{
    public const string ProjectLabel = "com.docker.compose.project";
    public const string ServiceLabel = "com.docker.compose.service";
    public const string OneOffLabel = "com.docker.compose.oneoff";
    public const string NumberLabel = "com.docker.compose.container-number";
    public const string VolumeLabel = "com.docker.compose.volume";

    /// <summary>On a container: the environment that it belongs to.</summary>
    public const string EnvironmentLabel = "helix.environment";

    /// <summary>For addresses and messages.</summary>
    public string Name => Host ?? "local";

    /// <summary>The word before a shell command that is meant for this engine.</summary>
    public string ShellPrefix => Host is null ? "" : $"DOCKER_HOST={Host} ";

    public Tool Call(PlanContext context, params IEnumerable<string> arguments) => At(context.Tool("docker", arguments));

    public Tool At(Tool tool) => Host is null ? tool : tool.With("DOCKER_HOST", Host);

    /// <summary>A call whose answer is for us and whose failure gets its class from the engine's words.</summary>
    public Task<ToolResult> Ask(PlanContext context, params IEnumerable<string> arguments) => Ask(Call(context, arguments).Quietly());

    public static async Task<ToolResult> Ask(Tool tool)
    {
        try
        {
            return await tool.Run();
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
        {
            throw Classified(e);
        }
    }

    /// <summary>What the engine says of containers or volumes, one object each.</summary>
    public async Task<IReadOnlyList<JsonObject>> Inspect(PlanContext context, string kind, IReadOnlyCollection<string> names)
    {
        if (names.Count == 0)
            return [];
        var result = await Ask(context, [kind, "inspect", .. names]);
        return [.. JsonNode.Parse(result.Stdout)!.AsArray().Select(n => n!.AsObject())];
    }

    public async Task<IReadOnlyList<Container>> Containers(PlanContext context, IReadOnlyCollection<string> names) =>
        [.. (await Inspect(context, "container", names)).Select(Container.From)];

    /// <summary>Also those that are stopped.</summary>
    public async Task<IReadOnlyList<Container>> Find(PlanContext context, params IEnumerable<string> filters)
    {
        var ids = await Lines(context, ["ps", "-a", "-q", "--no-trunc", .. filters.SelectMany(f => new[] { "--filter", f })]);
        return await Containers(context, ids);
    }

    public async Task<IReadOnlyList<string>> Lines(PlanContext context, params IEnumerable<string> arguments) =>
        (await Ask(context, arguments)).Stdout.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The name of the engine's machine, as it tells itself.</summary>
    public async Task<string> Machine(PlanContext context) => (await Ask(context, "info", "--format", "{{.Name}}")).Stdout.Trim();

    /// <summary>The environment that containers say they belong to; null when they say nothing, or cannot be asked.</summary>
    public async Task<string?> EnvironmentOf(PlanContext context, string filter)
    {
        try
        {
            return await Lines(context, "ps", "-a", "--filter", filter, "--format", $"{{{{.Label \"{EnvironmentLabel}\"}}}}") is [var said, ..] ? said : null;
        }
        catch (StepFailedException e) when (e.Failure != FailureClass.Cancelled)
        {
            return null;
        }
    }

    static StepFailedException Classified(StepFailedException e)
    {
        (string Words, FailureClass Class, string? Hint)[] known =
        [
            ("permission denied while trying to connect", FailureClass.Auth, "Add the account to the group docker, or give the target a host."),
            ("Cannot connect to the Docker daemon", FailureClass.Transient, "Start the Docker engine, or check the target's host."),
            ("Could not find the file", FailureClass.Missing, null),
            ("No such", FailureClass.Missing, null),
            ("no such volume", FailureClass.Missing, null),
            ("Unable to find image", FailureClass.Missing, "Images are never pulled during a recovery: load it first."),
            ("is in use", FailureClass.Conflict, null),
            ("Conflict", FailureClass.Conflict, null),
            ("executable file not found", FailureClass.Missing, "The image of the service does not hold this command."),
        ];
        var match = known.FirstOrDefault(k => e.Message.Contains(k.Words, StringComparison.Ordinal));
        return match.Words is null ? e : new StepFailedException(match.Class, e.Message, match.Hint ?? e.Hint, e);
    }
}
