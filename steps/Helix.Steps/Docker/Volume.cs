using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Compose;

namespace Helix.Steps.Docker;

/// <summary>A volume of a Docker engine, and who uses it.</summary>
sealed class Volume
{
    /// <summary>Where it is mounted in the container that is only created to reach it.</summary>
    public const string Inside = "/helix-volume";

    Volume(DockerEngine engine, string name, JsonObject about)
    {
        Engine = engine;
        Name = name;
        About = about;
    }

    public DockerEngine Engine { get; }
    public string Name { get; }

    /// <summary>What the engine says of it: driver, options, labels.</summary>
    public JsonObject About { get; }

    /// <summary>One that may be gone by now.</summary>
    public static Volume From(Target target, JsonObject about) => new(EngineOf(target), (string)about["Name"]!, about);

    /// <summary>The engine of the target, and the name of the volume there: Compose puts the project before it, so labels are asked first.</summary>
    public static async Task<Volume?> Find(PlanContext context, Target target, string name)
    {
        var engine = EngineOf(target);
        if (target is ComposeTarget stack
            && await engine.Lines(context, "volume", "ls", "-q", "--filter", $"label={DockerEngine.ProjectLabel}={stack.Project}", "--filter", $"label={DockerEngine.VolumeLabel}={name}") is [var full])
            name = full;
        try
        {
            return new Volume(engine, name, (await engine.Inspect(context, "volume", [name]))[0]);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            return null;
        }
    }

    public static async Task<Volume> Get(PlanContext context, Target target, string name)
    {
        if (await Find(context, target, name) is { } volume)
            return volume;
        var names = await EngineOf(target).Lines(context, "volume", "ls", "-q");
        throw StepFailedException.Missing($"There is no volume {name} of {target.Name}. There are: {(names.Count == 0 ? "none" : string.Join(", ", names.Take(20)))}.");
    }

    static DockerEngine EngineOf(Target target) => target switch
    {
        ComposeTarget stack => stack.Engine,
        DockerTarget docker => new(docker.Host),
        _ => throw new RunbookException($"Target '{target.Name}' has no Docker engine.", "Name a target of kind compose or docker."),
    };

    /// <summary>Containers that mount it, also stopped ones.</summary>
    public Task<IReadOnlyList<Container>> Users(PlanContext context) => Engine.Find(context, $"volume={Name}");

    /// <exception cref="StepFailedException">It is in use; the message says by whom.</exception>
    public async Task RefuseWhenUsed(PlanContext context, bool stoppedToo, string why)
    {
        var users = (await Users(context)).Where(c => stoppedToo || c.Runs).ToList();
        if (users.Count > 0)
            throw StepFailedException.Conflict($"Volume {Name} is in use by {string.Join(", ", users.Select(c => $"{c.Name} ({c.Status})"))}, so {why}.",
                stoppedToo ? "Remove these containers first, with compose.down." : "Stop these first, with target.stop.");
    }

    /// <summary>Gives a container that is created, never started and removed again, with the volume at <see cref="Inside"/>.</summary>
    public async Task<T> Through<T>(StepContext context, bool write, string? image, Func<Container, Task<T>> use)
    {
        var name = $"helix-volume-{Guid.NewGuid():N}";
        await Engine.Ask(context, "create", "--pull=never", "--name", name, "--network", "none", "-v", $"{Name}:{Inside}:{(write ? "nocopy" : "ro,nocopy")}", await ImageFor(context, image), "true");
        try
        {
            return await use((await Engine.Containers(context, [name]))[0]);
        }
        finally
        {
            await (Engine.Call(context, "rm", "-f", name) with { Cancelled = CancellationToken.None }).Quietly().Run();
        }
    }

    /// <summary>Any image does, since nothing of it is run: one of a container that uses the volume, else any that is here.</summary>
    public async Task<string> ImageFor(PlanContext context, string? asked) =>
        asked ?? (await Users(context)).Select(c => c.Image).FirstOrDefault() ?? await AnyImage(context)
        ?? throw StepFailedException.Missing($"The Docker engine ({Engine.Name}) has no image, and one is needed to reach volume {Name}.", "Load any image first.");

    async Task<string?> AnyImage(PlanContext context) => await Engine.Lines(context, "image", "ls", "-q") is [var first, ..] ? first : null;

    public Task Remove(PlanContext context) => Engine.Ask(context, "volume", "rm", Name);

    /// <summary>Empties it, by a fresh volume with the same driver, options and labels.</summary>
    public async Task Replace(PlanContext context)
    {
        await Engine.Ask(context, "volume", "rm", "-f", Name);
        var labels = Pairs("Labels").SelectMany(p => new[] { "--label", p });
        var options = Pairs("Options").SelectMany(p => new[] { "--opt", p });
        await Engine.Ask(context, ["volume", "create", "--driver", (string?)About["Driver"] ?? "local", .. labels, .. options, Name]);
    }

    IEnumerable<string> Pairs(string field) => About[field]?.AsObject().Select(p => $"{p.Key}={(string?)p.Value}") ?? [];
}
