using System.ComponentModel;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Files;

public sealed record FileArchiveOptions
{
    [Description("The folder to pack.")]
    [Example("/etc/helix")]
    public required string From { get; init; }

    [Description("Files and folders below it, relative; default: all of it.")]
    [Example("[helix.config.yaml, certificates]")]
    public IReadOnlyList<string> Paths { get; init; } = [];

    [Description("The archive to write; its ending says how: .tar, .tar.gz, .tgz or .tar.zst.")]
    [Example("\"{{ run.work }}/config.tar\"")]
    public required string To { get; init; }

    [Description("Go on when files could not be read or changed while they were read; they are named, and the output partial is true.")]
    public bool AllowPartial { get; init; }
}

public sealed record FileArchiveOutputs
{
    public required string File { get; init; }
    public required long Size { get; init; }

    /// <summary>The same for the same files: names, content, owners, modes, times.</summary>
    public required string Sha256 { get; init; }
    public required int Entries { get; init; }

    /// <summary>When reading began.</summary>
    public required DateTimeOffset RecoveryPoint { get; init; }
    public required bool Partial { get; init; }
    public required IReadOnlyList<string> Warnings { get; init; }
}

[Step("file.archive", "Packs files and folders into a tar archive.")]
sealed class FileArchive : Step<FileArchiveOptions, FileArchiveOutputs>
{
    public override IEnumerable<TargetEffect> Effects(FileArchiveOptions options) => [TargetEffect.Changes(null)];

    public override Task<StepPlan> Plan(FileArchiveOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [$"pack {(options.Paths.Count == 0 ? "all" : string.Join(", ", options.Paths))} of {options.From} into {options.To}"] });

    public override async Task<FileArchiveOutputs> Run(FileArchiveOptions options, StepContext context)
    {
        var folder = Path.TrimEndingDirectorySeparator(context.FullPath(options.From));
        if (!Directory.Exists(folder))
            throw StepFailedException.Missing($"There is no folder {folder}.");
        var paths = Paths(options, folder);
        var to = LocalFile.For(options.To, context);
        var compression = CompressionOf(to);
        return await Disk.Guard(to, async () =>
        {
            Durable.CreateFolder(Path.GetDirectoryName(to)!);
            Unfinished.RemoveAbandoned(to);
            var temporary = Unfinished.NameFor(to);
            try
            {
                var outputs = await Write(temporary, to, folder, paths, compression, context);
                Judge(outputs, folder, options, context);
                Durable.Rename(temporary, to);
                return outputs;
            }
            finally
            {
                File.Delete(temporary);
            }
        });
    }

    public override Task<ProbeResult<FileArchiveOutputs>> Probe(FileArchiveOptions options, StepContext context) =>
        Task.FromResult(ProbeResult<FileArchiveOutputs>.NotDone("an archive does no harm when it is made again"));

    static async Task<FileArchiveOutputs> Write(string temporary, string to, string folder, IReadOnlyList<string> paths, Compression compression, StepContext context)
    {
        var began = context.Time.GetUtcNow();
        await using var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, FileOptions.Asynchronous);
        await using var measured = new Measured(file);
        var packed = Compressions.Compress(measured, compression, null, null);
        await using var tar = new TarWriting(packed, folder, temporary, context.Cancelled) { Progress = done => context.Progress(done) };
        await tar.Write(paths);
        await tar.DisposeAsync();
        if (packed != measured)
            await packed.DisposeAsync();
        file.Flush(flushToDisk: true);
        foreach (var note in tar.Notes)
            context.Log(note);
        return new()
        {
            File = to,
            Size = measured.Count,
            Sha256 = measured.Sha256,
            Entries = tar.Entries,
            RecoveryPoint = began,
            Partial = tar.Faults.Count > 0,
            Warnings = [.. tar.Faults, .. tar.Notes],
        };
    }

    static void Judge(FileArchiveOutputs outputs, string folder, FileArchiveOptions options, StepContext context)
    {
        if (outputs.Entries == 0)
            throw StepFailedException.Missing($"There is nothing to pack in {folder}: {string.Join("; ", outputs.Warnings.DefaultIfEmpty("it is empty"))}.");
        if (!outputs.Partial)
            return;
        foreach (var fault in outputs.Warnings)
            context.Log($"WARNING: {fault}");
        if (!options.AllowPartial)
            throw StepFailedException.Partial(
                $"The archive of {folder} is partial: {string.Join("; ", outputs.Warnings.Take(10))}{(outputs.Warnings.Count > 10 ? $"; and {outputs.Warnings.Count - 10} more" : "")}.",
                "Stop what writes there and allow this account to read it; or set allowPartial: true, and the backup counts as partial.");
    }

    static IReadOnlyList<string> Paths(FileArchiveOptions options, string folder)
    {
        foreach (var path in options.Paths)
        {
            if (path.Length == 0 || Path.IsPathRooted(path) || path.Split('/').Contains(".."))
                throw new RunbookException($"'{path}' is no path below {folder}.", "Paths are relative to 'from' and hold no '..'.");
            if (FileStat.Of(Path.Combine(folder, path)) is null)
                throw StepFailedException.Missing($"There is no {path} in {folder}.");
        }
        return options.Paths.Count == 0 ? [""] : [.. options.Paths.Select(p => p.TrimEnd('/')).Distinct()];
    }

    /// <exception cref="RunbookException">The ending is none of those.</exception>
    public static Compression CompressionOf(string file) =>
        file.EndsWith(".tar", StringComparison.Ordinal) ? Compression.None
        : file.EndsWith(".tar.gz", StringComparison.Ordinal) || file.EndsWith(".tgz", StringComparison.Ordinal) ? Compression.Gzip
        : file.EndsWith(".tar.zst", StringComparison.Ordinal) ? Compression.Zstd
        : throw new RunbookException($"The ending of {file} does not say what kind of archive it is.", "Use .tar, .tar.gz, .tgz or .tar.zst.");
}
