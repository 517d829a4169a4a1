using System.Formats.Tar;
using System.IO.Pipelines;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;
using Helix.Steps.Files;

namespace Helix.Steps.Docker;

/// <summary>What a container says of a path: owner, mode, kind. A link is not followed.</summary>
sealed record ContainerPath(TarEntryType Type, string Link, int Uid, int Gid, UnixFileMode Mode, long Size)
{
    public bool IsFile => Type is TarEntryType.RegularFile or TarEntryType.V7RegularFile;
    public bool IsFolder => Type == TarEntryType.Directory;
    public bool IsLink => Type == TarEntryType.SymbolicLink;
}

/// <summary>Reads and writes paths of a container as the tar streams of <c>docker cp</c>, which works while it is stopped and needs no program inside.</summary>
static class ContainerTar
{
    /// <summary>Null when there is no such path.</summary>
    public static async Task<ContainerPath?> Look(DockerEngine engine, PlanContext context, Container container, string path)
    {
        try
        {
            return await Read(engine.Call(context, "cp", $"{container.Id}:{path}", "-").Accept([.. Enumerable.Range(0, 256)]), $"{container.Name}:{path}",
                e => Task.FromResult(new ContainerPath(e.EntryType, e.LinkName, e.Uid, e.Gid, e.Mode, e.Length)), takeAll: false, context.Cancelled);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Missing)
        {
            return null;
        }
    }

    /// <summary>Streams one file; a link is followed. Fails when it is no file after all (DOC-04).</summary>
    public static Task<(long Size, string Sha256)> ReadFile(DockerEngine engine, PlanContext context, Container container, string path, Stream to) =>
        Read(engine.Call(context, "cp", "-L", $"{container.Id}:{path}", "-"), $"{container.Name}:{path}", async entry =>
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                throw StepFailedException.InvalidData($"{container.Name}:{path} is a {entry.EntryType}, not a file.");
            var copied = await Targets.Digest.Copy(entry.DataStream ?? Stream.Null, to, context.Cancelled);
            return copied.Size == entry.Length
                ? copied
                : throw StepFailedException.Transient($"{container.Name}:{path} was cut while it was copied: {copied.Size} of {entry.Length} bytes.");
        }, takeAll: true, context.Cancelled);

    /// <summary>Puts one file into a folder of the container, with this owner and mode.</summary>
    public static async Task WriteFile(DockerEngine engine, PlanContext context, Container container, string folder, string name, Stream content, ContainerPath like)
    {
        var pipe = new Pipe();
        var run = RunFrom(engine.Call(context, "cp", "-", $"{container.Id}:{folder}").Quietly(), pipe.Reader);
        try
        {
            await using (var tar = new TarWriter(pipe.Writer.AsStream(leaveOpen: true), TarEntryFormat.Pax))
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content, Uid = like.Uid, Gid = like.Gid, Mode = like.Mode, ModificationTime = context.Time.GetUtcNow() }, context.Cancelled);
            await pipe.Writer.CompleteAsync();
        }
        catch (Exception e)
        {
            await pipe.Writer.CompleteAsync(e);
            await run;
            throw;
        }
        await run;
    }

    static async Task<T> Read<T>(Tool tool, string what, Func<TarEntry, Task<T>> use, bool takeAll, CancellationToken cancelled)
    {
        var pipe = new Pipe();
        var run = RunInto(tool, pipe.Writer);
        try
        {
            await using var bytes = pipe.Reader.AsStream(leaveOpen: true);
            await using var tar = new TarReader(bytes, leaveOpen: true);
            var entry = await tar.Next(cancelled) ?? throw new EndOfStreamException();
            var result = await use(entry);
            if (takeAll)
                await bytes.CopyToAsync(Stream.Null, cancelled);
            await pipe.Reader.CompleteAsync();
            await run;
            return result;
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
        {
            await pipe.Reader.CompleteAsync();
            var stderr = (await run).Stderr;
            throw stderr.Contains("Could not find", StringComparison.Ordinal) || stderr.Contains("No such", StringComparison.Ordinal)
                ? StepFailedException.Missing($"There is no {what}.")
                : StepFailedException.Transient($"{what} was cut while it was copied: {stderr.Trim()}");
        }
        catch
        {
            await pipe.Reader.CompleteAsync();
            await Task.WhenAny(run);
            throw;
        }
    }

    static async Task<ToolResult> RunInto(Tool tool, PipeWriter writer)
    {
        try
        {
            return await DockerEngine.Ask(tool with { Output = new PipeOutputStream(writer) });
        }
        finally
        {
            await writer.CompleteAsync();
        }
    }

    static async Task<ToolResult> RunFrom(Tool tool, PipeReader reader)
    {
        try
        {
            return await DockerEngine.Ask(tool with { Input = reader.AsStream(leaveOpen: true) });
        }
        finally
        {
            // The writer must not wait for somebody who takes no more.
            await reader.CompleteAsync();
        }
    }
}
