using System.ComponentModel;
using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;
using Helix.Steps.Targets;

namespace Helix.Steps.Docker;

public sealed record VolumeBackupOptions
{
    [Description("The Compose project or container whose Docker engine holds the volume.")]
    [TargetName("compose", "docker")]
    [Fixed]
    [Example("stack")]
    public required string Target { get; init; }

    [Description("The volume; of a Compose project its name in the Compose file.")]
    [Example("neo4j_data")]
    public required string Volume { get; init; }

    [Description("The archive to write: .tar, .tar.gz or .tar.zst.")]
    [Example("\"{{ run.work }}/neo4j_data.tar.zst\"")]
    public required string To { get; init; }

    [Description("Also while a container that uses it runs: the copy may then fit no moment at all.")]
    public bool WhileRunning { get; init; }

    [Description("An image of the engine, to reach the volume through; nothing of it is run. Default: any.")]
    public string? Image { get; init; }
}

public sealed record VolumeArchiveOutputs
{
    public required string File { get; init; }
    public required long Size { get; init; }
    public required string Sha256 { get; init; }

    /// <summary>Files, folders and links in it.</summary>
    public required long Entries { get; init; }

    /// <summary>Bytes of all files in it, not compressed.</summary>
    public required long Bytes { get; init; }
}

[Step("docker.volume-backup", "Writes the content of a volume to an archive, with owners and modes, and reads it back.")]
public sealed class VolumeBackup : Step<VolumeBackupOptions, VolumeArchiveOutputs>
{
    public override IEnumerable<TargetEffect> Effects(VolumeBackupOptions options) => [TargetEffect.Reads(options.Target)];

    public override async Task<StepPlan> Plan(VolumeBackupOptions options, PlanContext context)
    {
        var volume = await Docker.Volume.Find(context, context.Target<Target>(options.Target), options.Volume);
        return new()
        {
            Lines = [$"Write volume {volume?.Name ?? options.Volume} to {options.To}."],
            Warnings = options.WhileRunning ? ["The volume is copied while it is in use."] : [],
        };
    }

    public override async Task<VolumeArchiveOutputs> Run(VolumeBackupOptions options, StepContext context)
    {
        var how = Format(options.To);
        var volume = await Docker.Volume.Get(context, context.Target<Target>(options.Target), options.Volume);
        if (!options.WhileRunning)
            await volume.RefuseWhenUsed(context, stoppedToo: false, "a copy of it would fit no moment at all");
        var to = Files.LocalFile.For(options.To, context);
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        var temporary = Unfinished.NameFor(context, to);
        try
        {
            // An attempt that was killed has left it.
            File.Delete(temporary);
            var tar = await volume.Through(context, write: false, options.Image, through => VolumeArchive.Read(volume, context, through, from => Store(from, temporary, how, context)));
            await using (var again = VolumeArchive.Open(temporary))
                Digest.MustEqual(to, tar, await Digest.Copy(again, Stream.Null, context.Cancelled));
            var outputs = await Measure(temporary, to, context);
            Files.Durable.Rename(temporary, to);
            return outputs;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    static async Task<(long, string)> Store(Stream tar, string path, Compression how, StepContext context)
    {
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        (long, string) digest;
        if (how == Compression.None)
            digest = await Digest.Copy(tar, file, context.Cancelled);
        else
            await using (var compressed = Compressions.Compress(file, how, level: null, threads: null))
                digest = await Digest.Copy(tar, compressed, context.Cancelled);
        file.Flush(flushToDisk: true);
        return digest;
    }

    static async Task<VolumeArchiveOutputs> Measure(string path, string name, StepContext context)
    {
        var content = await VolumeArchive.Check(path, context.Cancelled);
        await using var file = File.OpenRead(path);
        return new() { File = name, Size = file.Length, Sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, context.Cancelled)), Entries = content.Entries, Bytes = content.Bytes };
    }

    public override Task<ProbeResult<VolumeArchiveOutputs>> Probe(VolumeBackupOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<VolumeArchiveOutputs>.NotDone("a copy does no harm when it is made again"));

    static Compression Format(string path) =>
        path.EndsWith(".tar.gz", StringComparison.Ordinal) || path.EndsWith(".tgz", StringComparison.Ordinal) ? Compression.Gzip
        : path.EndsWith(".tar.zst", StringComparison.Ordinal) ? Compression.Zstd
        : path.EndsWith(".tar", StringComparison.Ordinal) ? Compression.None
        : throw new RunbookException($"{path} has no form that is known.", "Let it end with .tar, .tar.gz or .tar.zst.");
}
