using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Backups;

/// <summary>AES-256-GCM in chunks, as FORMAT.md says.</summary>
public sealed class BackupCipher
{
    public const string Format = "helix-aes256gcm-1";
    internal const int Chunk = 1 << 20, NonceSize = 12, TagSize = 16, HeaderSize = 8 + SaltSize + 4;
    const int SaltSize = 32;

    static ReadOnlySpan<byte> Magic => "HELIXBK1"u8;

    readonly byte[] _key;

    /// <param name="start">How an object begins: eight bytes or more, if it has so many.</param>
    internal static bool IsEncrypted(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    BackupCipher(byte[] key) => _key = key;

    public BackupEncryption About => new(Format, KeyId(_key));

    /// <param name="text">32 bytes in base64 or in hexadecimal digits.</param>
    /// <exception cref="StepFailedException">It is no such key. The message does not hold it.</exception>
    public static BackupCipher FromKey(string text, string target)
    {
        text = text.Trim();
        var key = new byte[32];
        if (text.Length == 64 && Convert.FromHexString(text, key, out _, out _) == System.Buffers.OperationStatus.Done)
            return new(key);
        return Convert.TryFromBase64String(text, key, out var length) && length == key.Length
            ? new(key)
            : throw StepFailedException.InvalidData($"The encryption key of target '{target}' is not 32 bytes in base64.", "Make one with: openssl rand -base64 32");
    }

    /// <summary>What is written to the result goes on encrypted; its disposal writes the last chunk and leaves the inner stream open.</summary>
    internal async Task<Stream> Encrypt(Stream to, UploadMemory memory)
    {
        // An upload that goes on must make the same bytes again.
        var saved = memory.CanGoOn ? memory.Saved("salt")?.GetValue<string>() : null;
        var salt = saved is null ? RandomNumberGenerator.GetBytes(SaltSize) : Convert.FromBase64String(saved);
        if (saved is null && memory.CanGoOn)
            await memory.Save("salt", JsonValue.Create(Convert.ToBase64String(salt)));
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        salt.CopyTo(header, Magic.Length);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(Magic.Length + SaltSize), Chunk);
        await to.WriteAsync(header);
        return new EncryptingStream(to, new Records(_key, header));
    }

    /// <summary>Gives the plaintext. Throws <see cref="InvalidDataException"/> where something does not verify.</summary>
    internal async Task<Stream> Decrypt(Stream from, CancellationToken cancelled)
    {
        var header = new byte[HeaderSize];
        if (await from.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancelled) < header.Length || !header.AsSpan().StartsWith(Magic)
            || BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(Magic.Length + SaltSize)) is var chunk && chunk is < 1 or > 64 << 20)
            throw new InvalidDataException("The header of the encrypted object is damaged.");
        return new DecryptingStream(from, new Records(_key, header), chunk);
    }

    static string KeyId(byte[] key) => Convert.ToHexStringLower(SHA256.HashData([.. "helix key id"u8, .. key]).AsSpan(0, 8));

    /// <summary>Seals and opens single records.</summary>
    internal sealed class Records : IDisposable
    {
        readonly AesGcm _aes;
        readonly byte[] _nonceKey;

        public Records(byte[] key, byte[] header)
        {
            var both = HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 64, header[8..(8 + SaltSize)], [.. Encoding.ASCII.GetBytes(Format), .. header]);
            _aes = new AesGcm(both.AsSpan(0, 32), TagSize);
            _nonceKey = both[32..];
        }

        public void Seal(long index, bool last, ReadOnlySpan<byte> plain, Span<byte> record)
        {
            var aad = Aad(index, last);
            using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _nonceKey);
            mac.AppendData(aad);
            mac.AppendData(plain);
            mac.GetHashAndReset().AsSpan(0, NonceSize).CopyTo(record);
            _aes.Encrypt(record[..NonceSize], plain, record.Slice(NonceSize, plain.Length), record.Slice(NonceSize + plain.Length, TagSize), aad);
        }

        /// <exception cref="InvalidDataException">Another key, or not the record that belongs here.</exception>
        public void Open(long index, bool last, ReadOnlySpan<byte> record, Span<byte> plain)
        {
            try
            {
                var length = record.Length - NonceSize - TagSize;
                _aes.Decrypt(record[..NonceSize], record.Slice(NonceSize, length), record[(NonceSize + length)..], plain[..length], Aad(index, last));
            }
            catch (AuthenticationTagMismatchException e)
            {
                throw new InvalidDataException($"Chunk {index} of the encrypted object does not verify.", e);
            }
        }

        static byte[] Aad(long index, bool last)
        {
            var aad = new byte[9];
            BinaryPrimitives.WriteInt64BigEndian(aad, index);
            aad[8] = last ? (byte)1 : (byte)0;
            return aad;
        }

        public void Dispose() => _aes.Dispose();
    }
}
