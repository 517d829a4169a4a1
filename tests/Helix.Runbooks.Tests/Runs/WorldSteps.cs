using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Runbooks.Tests.Runs;

/// <summary>A world of one file: every effect is a line in it, so that a test can count what was done.</summary>
public sealed record WriteOptions
{
    [Description("The file that is the world.")]
    public required string World { get; init; }

    [Description("The line.")]
    public required string Line { get; init; }

    [Description("How many attempts fail first.")]
    public int FailFirst { get; init; }

    [Description("The class of these failures.")]
    public FailureClass Failure { get; init; } = FailureClass.Transient;

    [Description("What the probe can say.")]
    public bool CanTell { get; init; } = true;

    [Description("The probe stumbles over what it finds.")]
    public bool ProbeStumbles { get; init; }

    [Description("A target.")]
    [TargetName]
    public string? Target { get; init; }

    [Description("How long it takes.")]
    public Duration? Takes { get; init; }

    [Description("It takes until this file is there.")]
    public string? Until { get; init; }
}

public sealed record WriteOutputs
{
    public required string Line { get; init; }
    public required int Lines { get; init; }
}

[Step("world.write", "Adds a line to the world.")]
public sealed class WorldWrite : Step<WriteOptions, WriteOutputs>
{
    public override IEnumerable<TargetEffect> Effects(WriteOptions options) => [TargetEffect.Changes(options.Target)];

    public override async Task<WriteOutputs> Run(WriteOptions options, StepContext context)
    {
        var mark = options.World + "." + options.Line + ".failed";
        var failed = File.Exists(mark) ? File.ReadAllLines(mark).Length : 0;
        if (failed < options.FailFirst)
        {
            await File.AppendAllTextAsync(mark, "x\n");
            throw new StepFailedException(options.Failure, $"line {options.Line} was refused");
        }
        context.Log("writing " + options.Line);
        if (options.Takes is { } time)
            await context.Delay(time);
        if (options.Until is { } file)
            await Until(file, context);
        lock (typeof(WorldWrite))
            File.AppendAllText(options.World, options.Line + "\n");
        return Outputs(options);
    }

    public override Task<ProbeResult<WriteOutputs>> Probe(WriteOptions options, StepContext context) => Task.FromResult(
        options.ProbeStumbles ? throw new FormatException("what is there is no line") :
        !options.CanTell ? ProbeResult<WriteOutputs>.Unknown("the world keeps silent")
        : File.Exists(options.World) && File.ReadAllLines(options.World).Contains(options.Line) ? ProbeResult<WriteOutputs>.Done(Outputs(options), "the line is there")
        : ProbeResult<WriteOutputs>.NotDone("the line is not there"));

    /// <summary>The pause comes after the look: whoever was stopped between both does not act on what it saw before.</summary>
    static async Task Until(string file, StepContext context)
    {
        for (var there = false; !there;)
        {
            there = File.Exists(file);
            await context.Delay(Look);
        }
    }

    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    static WriteOutputs Outputs(WriteOptions options) => new() { Line = options.Line, Lines = File.ReadAllLines(options.World).Length };
}

public sealed record DestroyOptions
{
    [Description("What is destroyed.")]
    [TargetName]
    public required string Target { get; init; }

    [Description("The file that replaces it.")]
    public string? From { get; init; }

    [Description("The file that is the world.")]
    public required string World { get; init; }

    [Description("It fails half way.")]
    public bool Fail { get; init; }

    [Description("Things with it, that it spares otherwise.")]
    public bool WithAll { get; init; }

    [Description("How long it may take.")]
    public Duration? Grace { get; init; }
}

[Step("world.destroy", "Replaces all that a target holds.")]
public sealed class WorldDestroy : Step<DestroyOptions, NoOutputs>
{
    public override IEnumerable<TargetEffect> Effects(DestroyOptions options) =>
        [TargetEffect.Destroys(options.Target, "all of it") with { LoadsFrom = options.From is null ? null : "from" }];

    public override Task<NoOutputs> Run(DestroyOptions options, StepContext context)
    {
        lock (typeof(WorldWrite))
            File.AppendAllText(options.World, "destroyed " + options.Target + "\n");
        return options.Fail ? throw StepFailedException.InvalidData("the new data ended in the middle") : Task.FromResult(NoOutputs.Value);
    }
}

[Target("thing", "Something to act on in tests.")]
public sealed record Thing : Target
{
    [Description("Where it is.")]
    public required string At { get; init; }

    [Description("Where it says it is; empty: it does not say.")]
    public string? Says { get; init; }

    [Description("The environment that it says it belongs to; empty: it does not say; file:PATH is read each time.")]
    public string Label { get; init; } = "";

    public override Task<string?> ReadLabel(PlanContext context) => Task.FromResult(
        !Label.StartsWith("file:", StringComparison.Ordinal) ? Label is "" ? null : Label : File.Exists(Label["file:".Length..]) ? File.ReadAllText(Label["file:".Length..]) : null);

    public override string Address => "thing:" + At;
    public override Task<string?> ReadPlace(PlanContext context) => Task.FromResult(Says is "" ? null : Says ?? At);
}

public sealed record LateOptions
{
    [Description("The file that is the world.")]
    public required string World { get; init; }

    [Description("The line.")]
    public required string Line { get; init; }
}

[Step("world.late", "Adds a line to the world and then hangs.")]
public sealed class WorldLate : Step<LateOptions, NoOutputs>
{
    public override IEnumerable<TargetEffect> Effects(LateOptions options) => [TargetEffect.Changes(null)];

    public override async Task<NoOutputs> Run(LateOptions options, StepContext context)
    {
        await File.AppendAllTextAsync(options.World, options.Line + "\n");
        await context.Delay(TimeSpan.FromHours(1));
        return NoOutputs.Value;
    }

    public override Task<ProbeResult<NoOutputs>> Probe(LateOptions options, StepContext context) =>
        Task.FromResult(File.ReadAllLines(options.World).Contains(options.Line) ? ProbeResult<NoOutputs>.Done(NoOutputs.Value, "the line is there") : ProbeResult<NoOutputs>.NotDone("no line"));
}

public sealed record StopOptions
{
    [Description("The file that is the world.")]
    public required string World { get; init; }

    [Description("What stops, or starts.")]
    [TargetName]
    public required IReadOnlyList<string> Targets { get; init; }
}

[Step("world.stop", "Stops things.")]
public sealed class WorldStop : Step<StopOptions, NoOutputs>
{
    public override IEnumerable<TargetEffect> Effects(StopOptions options) => options.Targets.Select(TargetEffect.Interrupts);

    public override async Task<NoOutputs> Run(StopOptions options, StepContext context)
    {
        foreach (var target in options.Targets)
        {
            await context.Leave(new Residue
            {
                Key = "stopped:" + target,
                Kind = ResidueKind.Stopped,
                Target = target,
                What = target + " is stopped",
                Command = "start " + target,
                Undo = new ResidueUndo("world.start", new() { ["world"] = options.World, ["targets"] = new System.Text.Json.Nodes.JsonArray(target) }),
            });
            await File.AppendAllTextAsync(options.World, $"stopped {target}\n");
        }
        return NoOutputs.Value;
    }
}

[Step("world.start", "Starts things.")]
public sealed class WorldStart : Step<StopOptions, NoOutputs>
{
    public override IEnumerable<TargetEffect> Effects(StopOptions options) => options.Targets.Select(TargetEffect.Changes);

    public override async Task<NoOutputs> Run(StopOptions options, StepContext context)
    {
        foreach (var target in options.Targets)
        {
            await File.AppendAllTextAsync(options.World, $"started {target}\n");
            await context.TakeBack("stopped:" + target);
        }
        return NoOutputs.Value;
    }
}

public sealed record FileOptions
{
    [Description("The file to write.")]
    public required string Path { get; init; }
}

public sealed record FileOutputs
{
    public required string File { get; init; }
}

[Step("world.file", "Writes a file.")]
public sealed class WorldFile : Step<FileOptions, FileOutputs>
{
    public override IEnumerable<TargetEffect> Effects(FileOptions options) => [TargetEffect.Changes(null)];

    public override async Task<FileOutputs> Run(FileOptions options, StepContext context)
    {
        await File.WriteAllTextAsync(options.Path, "data");
        return new() { File = options.Path };
    }
}

public sealed record LeakOptions
{
    [Description("A secret.")]
    public required Secret Secret { get; init; }
}

public sealed record LeakOutputs
{
    public required string Text { get; init; }
}

[Step("world.leak", "Gives a secret away.")]
public sealed class WorldLeak : Step<LeakOptions, LeakOutputs>
{
    public override IEnumerable<TargetEffect> Effects(LeakOptions options) => [];

    public override async Task<LeakOutputs> Run(LeakOptions options, StepContext context)
    {
        var value = await context.Reveal(options.Secret);
        context.Log("it is " + value);
        return new() { Text = "the value is " + value };
    }
}
