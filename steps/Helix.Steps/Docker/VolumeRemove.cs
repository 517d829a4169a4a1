using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Docker;

public sealed record VolumeRemoveOptions
{
    [Description("The Compose project or container whose Docker engine holds the volume.")]
    [TargetName("compose", "docker")]
    [Fixed]
    [Example("stack")]
    public required string Target { get; init; }

    [Description("The volume; of a Compose project its name in the Compose file.")]
    [Fixed]
    [Example("neo4j_data")]
    public required string Volume { get; init; }
}

public sealed record VolumeRemoveOutputs
{
    public required string Volume { get; init; }

    /// <summary>False: it was not there.</summary>
    public required bool Removed { get; init; }
}

[Step("docker.volume-remove", "Removes a volume with all its data; refused while any container uses it.")]
public sealed class VolumeRemove : Step<VolumeRemoveOptions, VolumeRemoveOutputs>
{
    public override IEnumerable<TargetEffect> Effects(VolumeRemoveOptions options) => [TargetEffect.Destroys(options.Target, $"volume {options.Volume} with everything in it")];

    public override async Task<StepPlan> Plan(VolumeRemoveOptions options, PlanContext context)
    {
        if (await Volume.Find(context, context.Target<Target>(options.Target), options.Volume) is not { } volume)
            return new() { Lines = [$"Volume {options.Volume} is not there now."] };
        var users = await volume.Users(context);
        return new()
        {
            Lines = [$"Remove volume {volume.Name} with everything in it."],
            Warnings = users.Count == 0 ? [] : [$"It is in use now by {string.Join(", ", users.Select(u => u.Name))}, and would be refused."],
        };
    }

    public override async Task<VolumeRemoveOutputs> Run(VolumeRemoveOptions options, StepContext context)
    {
        if (await Meant(options, context) is not { } volume)
            return new() { Volume = Begun(context) ?? options.Volume, Removed = Begun(context) is not null };
        await volume.RefuseWhenUsed(context, stoppedToo: true, "it is not removed");
        await context.Save(Key, volume.Name);
        await volume.Remove(context);
        return await Meant(options, context) is null
            ? new() { Volume = volume.Name, Removed = true }
            : throw StepFailedException.Conflict($"Volume {volume.Name} is still there after it was removed.");
    }

    const string Key = "removed";

    static string? Begun(StepContext context) => context.Saved(Key)?.ToString();

    /// <summary>Once its removal has begun, that volume and no other one that would answer to the short name.</summary>
    static Task<Volume?> Meant(VolumeRemoveOptions options, StepContext context)
    {
        var target = context.Target<Target>(options.Target);
        return Begun(context) is { } full ? Volume.Named(context, target, full) : Volume.Find(context, target, options.Volume);
    }

    public override async Task<ProbeResult<VolumeRemoveOutputs>> Probe(VolumeRemoveOptions options, StepContext context) =>
        await Meant(options, context) is { } volume
            ? ProbeResult<VolumeRemoveOutputs>.NotDone($"volume {volume.Name} is there")
            : ProbeResult<VolumeRemoveOutputs>.Done(new() { Volume = Begun(context) ?? options.Volume, Removed = true }, "it is not there");
}
