using System.ComponentModel;
using System.Text.Json;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Files;

public enum WhenThere
{
    /// <summary>A folder that holds anything is left alone, and the step fails.</summary>
    Refuse,
    /// <summary>Files of the archive replace those of the same name; others stay.</summary>
    Merge,
}

public sealed record FileExtractOptions
{
    [Description("The archive: .tar, .tar.gz, .tgz or .tar.zst.")]
    [Example("\"{{ steps.fetch.file }}\"")]
    public required string From { get; init; }

    [Description("The folder to unpack into; made when it is not there.")]
    [Example("\"{{ run.work }}/config\"")]
    public required string To { get; init; }

    [Description("What to do when the folder holds something: refuse, or merge (files of the same name are replaced).")]
    [Fixed]
    public WhenThere WhenThere { get; init; }

    [Description("Give files to the users that the archive names, by number; needs root.")]
    public bool KeepOwner { get; init; }

    [Description("Leave out symbolic links that lead out of the folder, instead of refusing the archive.")]
    public bool SkipLinksOutside { get; init; }
}

public sealed record FileExtractOutputs
{
    public required string Folder { get; init; }
    public required int Entries { get; init; }
    public required long Size { get; init; }

    /// <summary>Links that were left out.</summary>
    public required IReadOnlyList<string> Skipped { get; init; }
}

[Step("file.extract", "Unpacks a tar archive; nothing of it can land outside the folder.")]
sealed class FileExtract : Step<FileExtractOptions, FileExtractOutputs>
{
    const string Key = "unpacked";

    public override IEnumerable<TargetEffect> Effects(FileExtractOptions options) =>
        [options.WhenThere == WhenThere.Merge ? TargetEffect.Destroys(null, $"files below {options.To} that the archive holds too") with { LoadsFrom = "from" } : TargetEffect.Changes(null)];

    public override async Task<FileExtractOutputs> Run(FileExtractOptions options, StepContext context)
    {
        var from = context.FullPath(options.From);
        var to = Path.TrimEndingDirectorySeparator(context.FullPath(options.To));
        var placing = new Placing(to, context);
        if (Unpacked(options, to, context) is { } unpacked && await Disk.Guard(to, () => Task.FromResult(IsPlaced(placing))))
            return unpacked;
        using var source = SourceFile.Open(from);
        if (options.WhenThere == WhenThere.Refuse && placing.FolderHoldsSomething)
            throw StepFailedException.Conflict($"The folder {to} holds something already.", "Name another folder, or set whenThere: merge.");
        return await Disk.Guard(to, async () =>
        {
            Durable.CreateFolder(Path.GetDirectoryName(to)!);
            placing.RemoveLeft();
            // Everything is unpacked and checked first: an archive is taken whole or not at all.
            var temporary = placing.Temporary;
            Directory.CreateDirectory(temporary);
            try
            {
                var outputs = await Unpack(source, from, temporary, to, options, context);
                placing.Check(temporary);
                await context.Save(Key, StepJson.ToJson(outputs));
                placing.Finish();
                return outputs;
            }
            catch (Exception) when (options.WhenThere == WhenThere.Merge || !placing.HasBegun)
            {
                placing.RemoveLeft();
                throw;
            }
        });
    }

    public override Task<ProbeResult<FileExtractOutputs>> Probe(FileExtractOptions options, StepContext context)
    {
        var to = Path.TrimEndingDirectorySeparator(context.FullPath(options.To));
        var placing = new Placing(to, context);
        return Task.FromResult(Unpacked(options, to, context) is { } unpacked && !placing.HasBegun && placing.FolderHoldsSomething
            ? ProbeResult<FileExtractOutputs>.Done(unpacked, "the archive was unpacked and checked, and the folder is in its place")
            : ProbeResult<FileExtractOutputs>.NotDone("unpacking again gives the same"));
    }

    /// <summary>What an attempt that was cut off had unpacked when the folder was empty or missing.</summary>
    /// <returns>Null for a merge too: whether it happened shows only when it is done again, which changes nothing then.</returns>
    static FileExtractOutputs? Unpacked(FileExtractOptions options, string to, StepContext context) =>
        options.WhenThere == WhenThere.Refuse && context.Saved(Key)?.Deserialize<FileExtractOutputs>(StepJson.Options) is { } unpacked && unpacked.Folder == to ? unpacked : null;

    /// <summary>Moves what is left of it.</summary>
    static bool IsPlaced(Placing placing)
    {
        if (placing.HasBegun)
            placing.Finish();
        return placing.FolderHoldsSomething;
    }

    static async Task<FileExtractOutputs> Unpack(SourceFile source, string from, string temporary, string to, FileExtractOptions options, StepContext context)
    {
        await using var plain = Compressions.Decompress(source.Content, FileArchive.CompressionOf(from), leaveOpen: true);
        await using var ended = new TarEnd(plain);
        var tar = new TarReading(from, temporary, options.KeepOwner, options.SkipLinksOutside, context.Cancelled) { Progress = done => context.Progress(done) };
        await tar.Read(ended);
        if (!await ended.IsComplete(context.Cancelled))
            throw StepFailedException.InvalidData($"The archive {from} is cut off: its end is missing.", "Take another one; nothing was unpacked.");
        foreach (var line in tar.Skipped)
            context.Log($"WARNING: {line}");
        return new() { Folder = to, Entries = tar.Entries, Size = tar.Bytes, Skipped = tar.Skipped };
    }
}
