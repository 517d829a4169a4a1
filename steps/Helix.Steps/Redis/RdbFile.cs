using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Redis;

/// <summary>An RDB file that was read from end to end and is sound.</summary>
sealed record RdbFile
{
    const int HeaderLength = 9;
    const int ChecksumLength = 8;

    /// <summary>Versions whose every kind of value is known here; newer files are checked by their checksum alone.</summary>
    const int NewestCounted = 12;

    public required string Path { get; init; }
    public required long Size { get; init; }
    public required string Sha256 { get; init; }

    /// <summary>Of the format: 10 for Redis 7.0.</summary>
    public required int Version { get; init; }
    public string? ServerVersion { get; init; }

    /// <summary>When the server wrote it, to the second, on the server's clock.</summary>
    public DateTimeOffset? WrittenAt { get; init; }

    /// <summary>What is in it; null when it holds kinds of values that are not known here.</summary>
    public KeyCounts? Counts { get; init; }

    /// <summary>Checks header and checksum and counts the keys.</summary>
    /// <exception cref="StepFailedException">There is no such file, or it is not sound.</exception>
    public static async Task<RdbFile> Read(string path, CancellationToken cancelled)
    {
        if (!File.Exists(path))
            throw StepFailedException.Missing($"There is no file {path}.");
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var version = await VersionOf(file, path, cancelled);
        file.Position = 0;
        var (sha256, checksummed) = await Sums(file, path, cancelled);
        file.Position = HeaderLength;
        var contents = Contents(file, path, version, checksummed, cancelled);
        return new()
        {
            Path = path,
            Size = file.Length,
            Sha256 = sha256,
            Version = version,
            Counts = contents?.Counts,
            ServerVersion = contents?.Notes.GetValueOrDefault("redis-ver"),
            WrittenAt = long.TryParse(contents?.Notes.GetValueOrDefault("ctime"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null,
        };
    }

    static async Task<int> VersionOf(FileStream file, string path, CancellationToken cancelled)
    {
        var header = new byte[HeaderLength];
        var read = await file.ReadAtLeastAsync(header, HeaderLength, throwOnEndOfStream: false, cancelled);
        var text = System.Text.Encoding.ASCII.GetString(header, 0, read);
        return read == HeaderLength && file.Length > HeaderLength + ChecksumLength && text.StartsWith("REDIS", StringComparison.Ordinal)
            && int.TryParse(text[5..], NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw StepFailedException.InvalidData($"{path} is no RDB file: it does not begin with REDIS and a version.", "Choose another backup.");
    }

    static async Task<(string Sha256, bool Checksummed)> Sums(FileStream file, string path, CancellationToken cancelled)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        var (crc, left) = (0UL, file.Length - ChecksumLength);
        while (left > 0)
        {
            var read = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancelled);
            if (read == 0)
                throw StepFailedException.InvalidData($"{path} became shorter while it was read.");
            sha.AppendData(buffer, 0, read);
            crc = RdbChecksum.Append(crc, buffer.AsSpan(0, read));
            left -= read;
        }
        await file.ReadExactlyAsync(buffer.AsMemory(0, ChecksumLength), cancelled);
        sha.AppendData(buffer, 0, ChecksumLength);
        var stored = BinaryPrimitives.ReadUInt64LittleEndian(buffer);
        // A server with `rdbchecksum no` stores zero.
        return stored == 0 || stored == crc
            ? (Convert.ToHexStringLower(sha.GetHashAndReset()), stored != 0)
            : throw StepFailedException.InvalidData($"{path} is damaged: its checksum is {stored:x16} and its content gives {crc:x16}.", "Fetch it again, or choose another backup.");
    }

    static RdbContents? Contents(FileStream file, string path, int version, bool checksummed, CancellationToken cancelled)
    {
        try
        {
            return RdbContents.Read(file, cancelled);
        }
        catch (InvalidDataException e) when (!checksummed && version <= NewestCounted)
        {
            throw StepFailedException.InvalidData($"{path} is damaged: {e.Message}", "Fetch it again, or choose another backup.");
        }
        catch (InvalidDataException)
        {
            return null; // the checksum vouches for it; a newer server knows what is in it
        }
    }
}
