using System.ComponentModel;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Targets;

public sealed record TargetCopyOptions
{
    [Description("The service whose file is copied; it may be stopped.")]
    [TargetName]
    [Fixed]
    [Example("redis")]
    public required string Target { get; init; }

    [Description("The path of the file as the service sees it; a link is followed.")]
    [Example("/data/dump.rdb")]
    public required string Inside { get; init; }

    [Description("Copy out of the service to this file of this machine.")]
    [Example("\"{{ run.work }}/dump.rdb\"")]
    public string? To { get; init; }

    [Description("Copy this file of this machine into the service.")]
    public string? From { get; init; }

    [Description("Copied in: the owner, as user, user:group or numbers, of the service's own users; default: that of the file that is replaced, else of its folder.")]
    [Example("redis:redis")]
    public string? Owner { get; init; }

    [Description("Copied in: the mode; default: that of the file that is replaced, else 0640.")]
    public Mode? Mode { get; init; }

    [Description("An empty file is a failure unless this is true.")]
    public bool AllowEmpty { get; init; }
}

public sealed record TargetCopyOutputs
{
    /// <summary>The file of this machine.</summary>
    public required string File { get; init; }
    public required long Size { get; init; }
    public required string Sha256 { get; init; }
}

[Step("target.copy", "Copies one file out of a service or into it; size and SHA-256 are compared.")]
public sealed class TargetCopy : Step<TargetCopyOptions, TargetCopyOutputs>
{
    public override IEnumerable<TargetEffect> Effects(TargetCopyOptions options) =>
        [options.From is null ? TargetEffect.Reads(options.Target) : TargetEffect.Changes(options.Target)];

    public override Task<StepPlan> Plan(TargetCopyOptions options, PlanContext context) =>
        Task.FromResult(new StepPlan { Lines = [Direction(options) is { } to ? $"Copy {options.Target}:{options.Inside} to {to}." : $"Copy {options.From} to {options.Target}:{options.Inside}."] });

    public override async Task<TargetCopyOutputs> Run(TargetCopyOptions options, StepContext context)
    {
        var service = context.Target<RunningTarget>(options.Target).Service;
        return Direction(options) is { } to
            ? await Out(service, options, LocalFile.For(to, context), context)
            : await In(service, options, context.FullPath(options.From!), context);
    }

    static async Task<TargetCopyOutputs> Out(Runtime service, TargetCopyOptions options, string to, StepContext context)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        var temporary = Unfinished.NameFor(context, to);
        File.Delete(temporary);
        try
        {
            await using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                await service.CopyOut(context, options.Inside, file);
                file.Flush(flushToDisk: true);
            }
            var outputs = await Measure(temporary, to, options, context);
            Durable.Rename(temporary, to);
            return outputs;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    static async Task<TargetCopyOutputs> In(Runtime service, TargetCopyOptions options, string from, StepContext context)
    {
        if (!File.Exists(from))
            throw StepFailedException.Missing($"There is no file {from} to copy into {options.Target}.");
        var outputs = await Measure(from, from, options, context);
        await using var file = File.OpenRead(from);
        await service.CopyIn(context, file, options.Inside, new(options.Owner, options.Mode));
        return outputs;
    }

    static async Task<TargetCopyOutputs> Measure(string path, string name, TargetCopyOptions options, StepContext context)
    {
        await using var file = File.OpenRead(path);
        var (size, sha256) = await Digest.Copy(file, Stream.Null, context.Cancelled);
        return size > 0 || options.AllowEmpty
            ? new() { File = name, Size = size, Sha256 = sha256 }
            : throw StepFailedException.InvalidData($"{(options.From is null ? $"{options.Target}:{options.Inside}" : name)} is empty.", "If that is right, say allowEmpty: true.");
    }

    public override async Task<ProbeResult<TargetCopyOutputs>> Probe(TargetCopyOptions options, StepContext context)
    {
        var local = context.FullPath(Direction(options) ?? options.From!);
        if (!File.Exists(local))
            return ProbeResult<TargetCopyOutputs>.NotDone($"there is no file {local}");
        var outputs = await Measure(local, local, options with { AllowEmpty = true }, context);
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        var inside = new HashingStream(hash);
        try
        {
            var size = await context.Target<RunningTarget>(options.Target).Service.CopyOut(context, options.Inside, inside);
            return size == outputs.Size && Convert.ToHexStringLower(hash.GetHashAndReset()) == outputs.Sha256
                ? ProbeResult<TargetCopyOutputs>.Done(outputs, "both files are the same")
                : ProbeResult<TargetCopyOutputs>.NotDone("the files differ");
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            return ProbeResult<TargetCopyOutputs>.NotDone(e.Message);
        }
    }

    /// <returns>The file to copy out to; null for a copy in.</returns>
    static string? Direction(TargetCopyOptions options) => (options.To, options.From) switch
    {
        (not null, null) => options.To,
        (null, not null) => null,
        _ => throw new RunbookException($"The copy of {options.Target}:{options.Inside} has no direction.", "Give either 'to' (out of the service) or 'from' (into it)."),
    };

    sealed class HashingStream(System.Security.Cryptography.IncrementalHash hash) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            hash.AppendData(buffer.Span);
            return ValueTask.CompletedTask;
        }
    }
}
