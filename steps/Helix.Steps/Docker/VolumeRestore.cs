using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Docker;

public sealed record VolumeRestoreOptions
{
    [Description("The Compose project or container whose Docker engine holds the volume.")]
    [TargetName("compose", "docker")]
    [Fixed]
    [Example("stack")]
    public required string Target { get; init; }

    [Description("The volume; of a Compose project its name in the Compose file. What is in it is lost.")]
    [Fixed]
    [Example("neo4j_data")]
    public required string Volume { get; init; }

    [Description("The archive, as docker.volume-backup writes it.")]
    [Example("\"{{ steps.fetch.file }}\"")]
    public required string From { get; init; }

    [Description("An image of the engine, to reach the volume through; nothing of it is run. Default: any.")]
    public string? Image { get; init; }
}

public sealed record VolumeRestoreOutputs
{
    public required string Volume { get; init; }
    public required long Entries { get; init; }
    public required long Bytes { get; init; }
}

[Step("docker.volume-restore", "Replaces the content of a volume by that of an archive, and compares both.")]
public sealed class VolumeRestore : Step<VolumeRestoreOptions, VolumeRestoreOutputs>
{
    public override IEnumerable<TargetEffect> Effects(VolumeRestoreOptions options) =>
        [TargetEffect.Destroys(options.Target, $"everything in volume {options.Volume}") with { LoadsFrom = "from" }];

    public override async Task<StepPlan> Plan(VolumeRestoreOptions options, PlanContext context)
    {
        var volume = await Volume.Find(context, context.Target<Target>(options.Target), options.Volume);
        return new() { Lines = [$"Replace everything in volume {volume?.Name ?? $"{options.Volume} (not there now)"} by {options.From}."] };
    }

    public override async Task<VolumeRestoreOutputs> Run(VolumeRestoreOptions options, StepContext context)
    {
        var from = context.FullPath(options.From);
        var wanted = await VolumeArchive.Check(from, context.Cancelled);
        if (wanted.Entries == 0)
            throw StepFailedException.InvalidData($"{from} holds nothing.");
        var volume = await Known(options, context);
        // A volume is emptied by replacing it, which the engine refuses while any container names it.
        await volume.RefuseWhenUsed(context, stoppedToo: true, "it cannot be replaced");
        var image = await volume.ImageFor(context, options.Image);
        await context.Save(Key, volume.About);
        await volume.Replace(context);
        var loaded = await volume.Through(context, write: true, image, async through =>
        {
            await using (var tar = VolumeArchive.Open(from))
                await VolumeArchive.Write(volume, context, through, tar);
            return await VolumeArchive.Read(volume, context, through, back => TarContent.Read(back, context.Cancelled));
        });
        return loaded == wanted
            ? new() { Volume = volume.Name, Entries = loaded.Entries, Bytes = loaded.Bytes }
            : throw StepFailedException.InvalidData($"Volume {volume.Name} is not what {from} holds: {wanted.Entries} entries and {wanted.Bytes} bytes there, {loaded.Entries} and {loaded.Bytes} here.");
    }

    const string Key = "volume";

    /// <summary>Once it has begun, that volume and no other one that would answer to the short name; cut between remove and create, only the record of it is left.</summary>
    static async Task<Volume> Known(VolumeRestoreOptions options, StepContext context)
    {
        var target = context.Target<Target>(options.Target);
        return Begun(target, context) ?? await Volume.Get(context, target, options.Volume);
    }

    static Volume? Begun(Target target, StepContext context) => context.Saved(Key) is { } saved ? Volume.From(target, saved.AsObject()) : null;

    public override async Task<ProbeResult<VolumeRestoreOutputs>> Probe(VolumeRestoreOptions options, StepContext context)
    {
        var target = context.Target<Target>(options.Target);
        if (await (Begun(target, context) is { } begun ? Volume.Named(context, target, begun.Name) : Volume.Find(context, target, options.Volume)) is not { } volume)
            return ProbeResult<VolumeRestoreOutputs>.NotDone($"there is no volume {options.Volume}");
        var wanted = await VolumeArchive.Check(context.FullPath(options.From), context.Cancelled);
        var now = await volume.Through(context, write: false, options.Image, through => VolumeArchive.Read(volume, context, through, tar => TarContent.Read(tar, context.Cancelled)));
        return now == wanted
            ? ProbeResult<VolumeRestoreOutputs>.Done(new() { Volume = volume.Name, Entries = now.Entries, Bytes = now.Bytes }, "the volume holds what the archive holds")
            : ProbeResult<VolumeRestoreOutputs>.NotDone("the volume does not hold what the archive holds");
    }
}
