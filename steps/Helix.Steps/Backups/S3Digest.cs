using System.Buffers.Binary;
using System.Security.Cryptography;
using Amazon.S3.Model;

namespace Helix.Steps.Backups;

/// <summary>The MD5 of a body: what S3 compares a body with (Content-MD5), and names in its answer (ETag). Against accidents, not enemies: SHA-256 is in the manifest.</summary>
readonly record struct S3Digest(byte[] Bytes)
{
    public string Hex => Convert.ToHexStringLower(Bytes);
    public string Base64 => Convert.ToBase64String(Bytes);

    public static S3Digest Of(ReadOnlySpan<byte> body) => new(MD5.HashData(body));

    /// <summary>The name that a server gives an object's bytes. Some put it in quotes in one answer and not in the other.</summary>
    public static string? TagOf(string? answered) => answered?.Trim('"') is { Length: > 0 } tag ? tag : null;

    /// <summary>The server says that it holds just these bytes. Some servers, and some ways of encryption, give tags that say nothing.</summary>
    public bool IsNamedBy(string? tag) => TagOf(tag) == Hex;

    /// <summary>The tag of an object of parts, as S3 makes it: the MD5 of the parts' MD5s, and their number.</summary>
    public static bool AreNamedBy(IEnumerable<S3Digest> parts, string? tag)
    {
        var all = parts.SelectMany(p => p.Bytes).ToArray();
        return TagOf(tag) == $"{Of(all).Hex}-{all.Length / MD5.HashSizeInBytes}";
    }
}

/// <summary>A part that the server acknowledged.</summary>
sealed record S3Part(PartETag Tag, S3Digest Sent, long Size)
{
    public bool Confirmed => Sent.IsNamedBy(Tag.ETag);

    /// <summary>What became of these parts is this object, as far as the server tells.</summary>
    public static bool AreWhole(IReadOnlyCollection<S3Part> parts, long size, string? tag) =>
        size == parts.Sum(p => p.Size)
        && (parts.All(p => p.Confirmed) ? S3Digest.AreNamedBy(parts.Select(p => p.Sent), tag) : S3Digest.TagOf(tag)?.EndsWith($"-{parts.Count}", StringComparison.Ordinal) == true);
}

/// <summary>The CRC-32 of a part, in the form of S3. Amazon wants it with each part and again in the list that completes the upload, or in neither.</summary>
static class S3Checksum
{
    public const string Algorithm = "CRC32";

    public static string Of(uint crc)
    {
        Span<byte> sum = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(sum, crc);
        return Convert.ToBase64String(sum);
    }
}
