using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Runs;

public sealed record ChildOptions
{
    [Description("The file that is the world.")]
    public required string World { get; init; }

    [Description("The line that is written when the child has ended well.")]
    public required string Line { get; init; }

    [Description("What sh runs.")]
    public string Script { get; init; } = "";

    [Description("A file with what sh runs.")]
    [PinnedFile]
    public string? File { get; init; }

    [Description("A secret in the child's environment, as SECRET.")]
    public Secret? Secret { get; init; }

    [Description("Between SIGINT and the end.")]
    public Duration Grace { get; init; } = new(TimeSpan.FromSeconds(2));

    [Description("What the probe can say.")]
    public bool CanTell { get; init; } = true;
}

public sealed record ChildOutputs
{
    public required string Said { get; init; }
}

[Step("world.child", "Runs a script and then adds a line to the world.")]
public sealed class WorldChild : Step<ChildOptions, ChildOutputs>
{
    public override IEnumerable<TargetEffect> Effects(ChildOptions options) => [TargetEffect.Changes(null)];

    public override async Task<ChildOutputs> Run(ChildOptions options, StepContext context)
    {
        var tool = (options.File is { } file ? context.Tool("sh", context.PinnedPath(file)) : context.Tool("sh", "-c", options.Script)) with { Grace = options.Grace.Value };
        if (options.Secret is { } secret)
            tool = tool.With("SECRET", await context.Reveal(secret));
        var result = await tool.Run();
        lock (typeof(WorldWrite))
            System.IO.File.AppendAllText(options.World, options.Line + "\n");
        return new ChildOutputs { Said = result.Stdout };
    }

    public override Task<ProbeResult<ChildOutputs>> Probe(ChildOptions options, StepContext context) => Task.FromResult(
        !options.CanTell ? ProbeResult<ChildOutputs>.Unknown("the world keeps silent")
        : File.Exists(options.World) && File.ReadAllLines(options.World).Contains(options.Line) ? ProbeResult<ChildOutputs>.Done(new ChildOutputs { Said = "" }, "the line is there")
        : ProbeResult<ChildOutputs>.NotDone("the line is not there"));
}
