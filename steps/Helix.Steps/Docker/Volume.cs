using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;
using Helix.Steps.Compose;
using Helix.Steps.Files;

namespace Helix.Steps.Docker;

/// <summary>A volume of a Docker engine, and who uses it.</summary>
sealed class Volume
{
    /// <summary>Where it is mounted in the container that is only created to reach it.</summary>
    public const string Inside = "/helix-volume";

    const string Helper = "helix-volume-";

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

    /// <summary>The volume that the target means by this name: Compose puts the project before it, so labels are asked first.</summary>
    public static async Task<Volume?> Find(PlanContext context, Target target, string name)
    {
        if (target is not ComposeTarget stack)
            return await Named(context, target, name);
        if (await stack.Engine.Lines(context, "volume", "ls", "-q", "--filter", $"label={DockerEngine.ProjectLabel}={stack.Project}", "--filter", $"label={DockerEngine.VolumeLabel}={name}") is [var full])
            return await Named(context, target, full);
        return await Named(context, target, name) is { } bare && await Belongs(bare, stack, context) ? bare : null;
    }

    /// <summary>The volume with exactly this name on the engine, whoever it belongs to. Once it is gone, another may answer to the short name.</summary>
    public static async Task<Volume?> Named(PlanContext context, Target target, string full)
    {
        try
        {
            return From(target, (await EngineOf(target).Inspect(context, "volume", [full]))[0]);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            return null;
        }
    }

    /// <summary>Named in full, or by a Compose file as one from outside. Any other with that name is somebody else's.</summary>
    static async Task<bool> Belongs(Volume bare, ComposeTarget stack, PlanContext context) => bare.Label(DockerEngine.ProjectLabel) switch
    {
        { } project when project == stack.Project => true,
        null when bare.Name.StartsWith($"{stack.Project}_", StringComparison.Ordinal) => true,
        _ => (await stack.ExternalVolumes(context)).Contains(bare.Name),
    };

    string? Label(string name) => (string?)About["Labels"]?[name];

    public static async Task<Volume> Get(PlanContext context, Target target, string name)
    {
        if (await Find(context, target, name) is { } volume)
            return volume;
        var names = await EngineOf(target).Lines(context, "volume", "ls", "-q");
        throw StepFailedException.Missing($"There is no volume {name} of {target.Name}. There are: {(names.Count == 0 ? "none" : string.Join(", ", names.Take(20)))}.",
            target is ComposeTarget ? "One that the Compose files do not name is reached through a target of kind docker." : null);
    }

    static DockerEngine EngineOf(Target target) => target switch
    {
        ComposeTarget stack => stack.Engine,
        DockerTarget docker => new(docker.Host),
        _ => throw new RunbookException($"Target '{target.Name}' has no Docker engine.", "Name a target of kind compose or docker."),
    };

    /// <summary>Containers that mount it, also stopped ones; not those that a step of ours has created to reach it.</summary>
    public async Task<IReadOnlyList<Container>> Users(PlanContext context) => [.. (await Engine.Find(context, $"volume={Name}")).Where(c => !IsOurs(c))];

    static bool IsOurs(Container container) => container.Status == "created" && container.Name.StartsWith(Helper, StringComparison.Ordinal);

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
        var name = Helper + Unfinished.Mark(context);
        // An attempt of this step that was killed has left it.
        await Engine.Call(context, "rm", "-f", name).Quietly().Accept(0, 1).Run();
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
    public async Task<string> ImageFor(PlanContext context, string? asked) => asked is not null
        ? await IsThere(context, asked) ? asked : throw StepFailedException.Missing($"The Docker engine ({Engine.Name}) has no image {asked}.", "Images are never pulled during a recovery: load it first, or name none.")
        : (await Users(context)).Select(c => c.Image).FirstOrDefault() ?? await AnyImage(context)
        ?? throw StepFailedException.Missing($"The Docker engine ({Engine.Name}) has no image, and one is needed to reach volume {Name}.", "Load any image first.");

    async Task<bool> IsThere(PlanContext context, string image) =>
        (await Engine.Call(context, "image", "inspect", "--format", "{{.Id}}", image).Quietly().Accept(0, 1).Run()).ExitCode == 0;

    async Task<string?> AnyImage(PlanContext context) => await Engine.Lines(context, "image", "ls", "-q") is [var first, ..] ? first : null;

    public async Task Remove(PlanContext context)
    {
        await RemoveHelpers(Engine, context, Name);
        await Engine.Ask(context, "volume", "rm", Name);
    }

    /// <summary>Empties it, by a fresh volume with the same driver, options and labels.</summary>
    public async Task Replace(PlanContext context)
    {
        await RemoveHelpers(Engine, context, Name);
        await Engine.Ask(context, "volume", "rm", "-f", Name);
        var labels = Pairs("Labels").SelectMany(p => new[] { "--label", p });
        var options = Pairs("Options").SelectMany(p => new[] { "--opt", p });
        await Engine.Ask(context, ["volume", "create", "--driver", (string?)About["Driver"] ?? "local", .. labels, .. options, Name]);
    }

    /// <summary>What steps that were killed left. Who destroys has the target for itself, so none of them is at work.</summary>
    public static async Task RemoveHelpers(DockerEngine engine, PlanContext context, string volume)
    {
        if ((await engine.Find(context, $"volume={volume}")).Where(IsOurs).Select(c => c.Id).ToList() is [_, ..] left)
            await engine.Ask(context, ["rm", "-f", .. left]);
    }

    IEnumerable<string> Pairs(string field) => About[field]?.AsObject().Select(p => $"{p.Key}={(string?)p.Value}") ?? [];
}
