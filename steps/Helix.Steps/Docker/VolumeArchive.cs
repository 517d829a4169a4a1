using System.Formats.Tar;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Steps.Processes;
using Helix.Steps.Files;
using Helix.Steps.Targets;

namespace Helix.Steps.Docker;

/// <summary>What a tar stream holds, whatever the order: entries, bytes, and a digest over names, owners, modes and contents.</summary>
sealed record TarContent(long Entries, long Bytes, string Digest)
{
    /// <exception cref="InvalidDataException">It is no complete tar stream, or a path leaves the folder.</exception>
    public static async Task<TarContent> Read(Stream from, CancellationToken cancelled)
    {
        long entries = 0, bytes = 0;
        var sum = new byte[32];
        await using var ended = new TarEnd(from);
        await using var tar = new TarReader(ended, leaveOpen: true);
        while (await tar.Next(cancelled) is { } entry)
        {
            // The engine names the root as it was asked for it, and a second name of a file by the order on disk.
            var name = Relative(entry.Name);
            if (name.Length == 0 || entry.EntryType == TarEntryType.HardLink)
                continue;
            var (size, content) = await Targets.Digest.Copy(entry.DataStream ?? Stream.Null, Stream.Null, cancelled);
            var line = SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\n{entry.EntryType}\n{entry.LinkName}\n{entry.Uid}:{entry.Gid}\n{(int)entry.Mode}\n{content}"));
            for (var i = 0; i < sum.Length; i++)
                sum[i] ^= line[i];
            (entries, bytes) = (entries + 1, bytes + size);
        }
        if (!await ended.IsComplete(cancelled))
            throw new InvalidDataException("it is cut off: its end is missing");
        return new(entries, bytes, Convert.ToHexStringLower(sum));
    }

    static string Relative(string name)
    {
        var parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (name.StartsWith('/') || parts.Contains(".."))
            throw new InvalidDataException($"the path {name} leaves the folder");
        var from = parts is [".", ..] ? 1 : parts is [var root, ..] && "/" + root == Volume.Inside ? 1 : 0;
        return string.Join('/', parts.Skip(from));
    }
}

/// <summary>Moves the content of a volume as a tar stream.</summary>
static class VolumeArchive
{
    /// <summary>The whole content as one stream; <paramref name="use"/> takes it to its end.</summary>
    public static async Task<T> Read<T>(Volume volume, StepContext context, Container through, Func<Stream, Task<T>> use)
    {
        var pipe = new Pipe();
        var run = Fill(volume.Engine.Call(context, "cp", $"{through.Id}:{Volume.Inside}/.", "-"), pipe.Writer);
        try
        {
            var result = await use(pipe.Reader.AsStream(leaveOpen: true));
            await pipe.Reader.CompleteAsync();
            await run;
            return result;
        }
        catch
        {
            await pipe.Reader.CompleteAsync();
            await Task.WhenAny(run);
            throw;
        }
    }

    /// <summary>The engine keeps owners and modes of the stream.</summary>
    public static Task Write(Volume volume, StepContext context, Container through, Stream tar) =>
        DockerEngine.Ask(volume.Engine.Call(context, "cp", "-", $"{through.Id}:{Volume.Inside}").Quietly() with { Input = tar });

    static async Task Fill(Tool tool, PipeWriter writer)
    {
        try
        {
            await DockerEngine.Ask(tool with { Output = new PipeOutputStream(writer) });
            await writer.CompleteAsync();
        }
        catch (Exception e)
        {
            // The reader must not take the part for the whole.
            await writer.CompleteAsync(e);
            throw;
        }
    }

    /// <summary>The tar stream in a file of this machine, decompressed by what it is, not by its name.</summary>
    public static Stream Open(string path)
    {
        var file = File.OpenRead(path);
        Span<byte> start = stackalloc byte[6];
        var count = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return Compressions.Decompress(file, Compressions.Of(start[..count]));
    }

    /// <exception cref="StepFailedException">The file is not there or not a complete archive.</exception>
    public static async Task<TarContent> Check(string path, CancellationToken cancelled)
    {
        if (!File.Exists(path))
            throw StepFailedException.Missing($"There is no archive {path}.");
        try
        {
            await using var tar = Open(path);
            return await TarContent.Read(tar, cancelled);
        }
        catch (Exception e) when (Compressions.IsFault(e))
        {
            throw StepFailedException.InvalidData($"{path} is no complete archive: {e.Message}");
        }
    }
}
