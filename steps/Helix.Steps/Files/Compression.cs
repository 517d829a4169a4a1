using System.IO.Compression;
using ZstdNet;

namespace Helix.Steps.Files;

/// <summary>How an object is compressed in the store.</summary>
public enum Compression { None, Gzip, Zstd }

/// <summary>Compresses and decompresses streams, and knows compressed data by its first bytes.</summary>
static class Compressions
{
    const int Buffer = 1 << 17, HighestFastLevel = 9, MostThreads = 8;

    /// <summary>Records that look alike, as dumps hold them, come out no larger than at zstd's own 3, and in two thirds of its time; other files an eighth larger.</summary>
    const int DefaultLevel = 1;

    /// <summary>Each thread of zstd holds about three of these. By itself zstd takes four times as much, and compresses no better on the fast levels.</summary>
    const int Job = 2 << 20;

    /// <summary>What is written to the result comes out compressed; its disposal ends the frame and leaves the inner stream open.</summary>
    public static Stream Compress(Stream to, Compression how, int? level, int? threads)
    {
        if (how == Compression.Gzip)
            return new GZipStream(to, new ZLibCompressionOptions { CompressionLevel = Math.Clamp(level ?? 6, 1, 9) }, leaveOpen: true);
        if (how == Compression.None)
            return to;
        var parameters = new Dictionary<ZSTD_cParameter, int>
        {
            [ZSTD_cParameter.ZSTD_c_checksumFlag] = 1,
            [ZSTD_cParameter.ZSTD_c_nbWorkers] = threads ?? Math.Min(Environment.ProcessorCount, MostThreads),
        };
        if ((level ?? DefaultLevel) <= HighestFastLevel)
            parameters[ZSTD_cParameter.ZSTD_c_jobSize] = Job;
        return new CompressionStream(to, new CompressionOptions(null, parameters, level ?? DefaultLevel), Buffer);
    }

    /// <summary>For what has a known size and digest: three times as fast, but a frame that is cut off just ends. Leaves the inner stream open.</summary>
    public static Stream DecompressKnown(Stream from, Compression how) =>
        how == Compression.Zstd ? new DecompressionStream(from, new DecompressionOptions(null), Buffer) : Decompress(from, how, leaveOpen: true);

    /// <summary>Owns the inner stream unless <paramref name="leaveOpen"/>.</summary>
    public static Stream Decompress(Stream from, Compression how, bool leaveOpen = false) => how switch
    {
        Compression.Gzip => new GZipStream(from, CompressionMode.Decompress, leaveOpen),
        Compression.Zstd => new ZstdSharp.DecompressionStream(from, Buffer, checkEndOfStream: true, leaveOpen: leaveOpen),
        _ => from,
    };

    /// <summary>Whether zstd makes a sample smaller by more than a thirtieth.</summary>
    public static bool Shrinks(ReadOnlySpan<byte> sample)
    {
        using var options = new CompressionOptions(1);
        using var zstd = new Compressor(options);
        return zstd.Wrap(sample).Length < sample.Length - sample.Length / 30;
    }

    public static string Extension(Compression how) => how switch { Compression.Gzip => ".gz", Compression.Zstd => ".zst", _ => "" };

    /// <summary>Compressing it again would cost time and gain nothing.</summary>
    public static bool IsCompressed(ReadOnlySpan<byte> start) => Of(start) != Compression.None || Marks.Any(start);

    public static Compression Of(ReadOnlySpan<byte> start) =>
        start.StartsWith(Marks.Gzip) ? Compression.Gzip
        : start.StartsWith(Marks.Zstd) ? Compression.Zstd
        : Compression.None;

    /// <summary>The data does not hold what its format promises.</summary>
    public static bool IsFault(Exception e) => e is InvalidDataException or ZstdSharp.ZstdException or ZstdException or EndOfStreamException;

    static class Marks
    {
        public static ReadOnlySpan<byte> Gzip => [0x1f, 0x8b];
        public static ReadOnlySpan<byte> Zstd => [0x28, 0xb5, 0x2f, 0xfd];
        static ReadOnlySpan<byte> Xz => [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
        static ReadOnlySpan<byte> Lz4 => [0x04, 0x22, 0x4d, 0x18];

        public static bool Any(ReadOnlySpan<byte> start) =>
            start.StartsWith(Xz) || start.StartsWith(Lz4) || start.StartsWith("BZh"u8) || start.StartsWith("PK\u0003\u0004"u8)
            || start.StartsWith("DZV1"u8) || start.StartsWith("DGV1"u8); // dumps of Neo4j 5 and 4
    }
}
