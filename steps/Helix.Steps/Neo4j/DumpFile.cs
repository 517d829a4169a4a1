using System.Formats.Tar;
using System.Security.Cryptography;
using Helix.Runbooks.Steps;
using Helix.Steps.Files;

namespace Helix.Steps.Neo4j;

/// <summary>An archive of a database, read to its last byte: what is cut off or damaged is known before anything is touched (NEO-09).</summary>
sealed record DumpFile(string Path, long Size, string Sha256)
{
    const int Magic = 4;
    static readonly int[] Prefaces = [0, 20, 24, 28];

    public required Compression Compression { get; init; }

    /// <summary>Written by a version that marks its archives.</summary>
    public required bool Marked { get; init; }

    /// <summary>Files in it, and their bytes: what it takes when it is loaded.</summary>
    public required long Files { get; init; }
    public required long Bytes { get; init; }

    /// <summary>The store is of a form that only the Enterprise edition reads.</summary>
    public required bool IsBlock { get; init; }

    /// <exception cref="StepFailedException">Missing, cut off, damaged, or no archive of Neo4j.</exception>
    public static Task<DumpFile> Read(string path, CancellationToken cancelled) => Disk.Guard(path, async () =>
    {
        if (!File.Exists(path))
            throw StepFailedException.Missing($"There is no archive {path}.");
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        try
        {
            return await Read(path, file, cancelled);
        }
        catch (Exception e) when (Compressions.IsFault(e))
        {
            throw new StepFailedException(FailureClass.InvalidData, $"The archive {path} is damaged or cut off: {e.Message}", "Take another backup; nothing was touched.", e);
        }
    });

    static async Task<DumpFile> Read(string path, FileStream file, CancellationToken cancelled)
    {
        var start = new byte[Magic];
        var marked = await file.ReadAtLeastAsync(start, Magic, throwOnEndOfStream: false, cancelled) == Magic && (start.AsSpan().SequenceEqual("DZV1"u8) || start.AsSpan().SequenceEqual("DGV1"u8));
        var how = marked ? (start[1] == (byte)'Z' ? Compression.Zstd : Compression.Gzip) : Compressions.Of(start);
        if (how == Compression.None)
            throw StepFailedException.InvalidData($"{path} is no archive that neo4j-admin made: it begins with {Convert.ToHexStringLower(start)}.", "Is it compressed once more, or the archive of a volume?");
        file.Position = marked ? Magic : 0;
        await using var content = Compressions.Decompress(file, how, leaveOpen: true);
        var found = await Entries(path, content, cancelled);
        file.Position = 0;
        var digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancelled));
        return new(path, file.Length, digest) { Compression = how, Marked = marked, Files = found.Files, Bytes = found.Bytes, IsBlock = found.Block };
    }

    static async Task<(long Files, long Bytes, bool Block)> Entries(string path, Stream content, CancellationToken cancelled)
    {
        await using var tar = await AfterPreface(content, cancelled);
        await using var end = new TarEnd(tar);
        var (files, bytes, record, block) = (0L, 0L, false, false);
        await using (var reader = new TarReader(end, leaveOpen: true))
            while (await reader.Next(cancelled) is { } entry)
            {
                var name = entry.Name[(entry.Name.LastIndexOf('/') + 1)..];
                record |= name.StartsWith("neostore", StringComparison.Ordinal);
                block |= name.StartsWith("block.", StringComparison.Ordinal);
                if (entry.EntryType is TarEntryType.Directory)
                    continue;
                (files, bytes) = (files + 1, bytes + entry.Length);
            }
        if (!await end.IsComplete(cancelled))
            throw new InvalidDataException("its end is missing");
        return record || block ? (files, bytes, block) : throw StepFailedException.InvalidData($"The archive {path} holds no store of Neo4j: {files} files, none of them `neostore`.");
    }

    /// <summary>Newer versions write numbers of files and bytes before the tar stream; how many bytes that takes differs, and a tar header is known by its own sum.</summary>
    static async Task<Stream> AfterPreface(Stream content, CancellationToken cancelled)
    {
        var start = new byte[Prefaces[^1] + 512];
        var read = await content.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancelled);
        foreach (var at in Prefaces)
            if (read >= at + 512 && IsTarHeader(start.AsSpan(at, 512)))
                return new Rejoined(start.AsMemory(at, read - at), content);
        throw new InvalidDataException("it does not begin with a list of files");
    }

    static bool IsTarHeader(ReadOnlySpan<byte> header)
    {
        long stated = 0, sum = 0;
        foreach (var digit in header.Slice(148, 8))
            if (digit is >= (byte)'0' and <= (byte)'7')
                stated = stated * 8 + digit - '0';
        for (var i = 0; i < header.Length; i++)
            sum += i is >= 148 and < 156 ? ' ' : header[i];
        return stated == sum && header[0] != 0;
    }

    /// <summary>What was read ahead, then the rest.</summary>
    sealed class Rejoined(ReadOnlyMemory<byte> ahead, Stream rest) : OneWayStream
    {
        int _at;

        public override bool CanRead => true;

        public override int Read(byte[] buffer, int offset, int count) =>
            _at < ahead.Length ? Ahead(buffer.AsSpan(offset, count)) : rest.Read(buffer, offset, count);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _at < ahead.Length ? Ahead(buffer.Span) : await rest.ReadAsync(buffer, cancellationToken);

        int Ahead(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, ahead.Length - _at);
            ahead.Span.Slice(_at, count).CopyTo(buffer);
            _at += count;
            return count;
        }
    }
}
