using System.Text;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Vault;

/// <summary>A PGP public key of a recipient, as Vault's interface takes it.</summary>
static class PgpKey
{
    const int PublicKeyPacket = 6, SecretKeyPacket = 5;

    /// <returns>Base64 of the binary form.</returns>
    /// <exception cref="RunbookException">It is none, or a private one.</exception>
    public static string Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunbookException($"The PGP key {path} cannot be read: {e.Message}");
        }
        var binary = Armoured(bytes) is { } text ? Unarmoured(text) : bytes;
        return Tag(binary) switch
        {
            PublicKeyPacket => Convert.ToBase64String(binary!),
            SecretKeyPacket => throw new RunbookException($"{path} holds a private PGP key.", "Only the public one may be here: `gpg --export`."),
            _ => throw new RunbookException($"{path} is no PGP public key.", "Write it with `gpg --export NAME`, with or without --armor."),
        };
    }

    static string? Armoured(byte[] bytes) => Encoding.Latin1.GetString(bytes) is var text && text.TrimStart().StartsWith("-----BEGIN PGP", StringComparison.Ordinal) ? text : null;

    /// <summary>What is between the empty line after the headers and the checksum.</summary>
    static byte[]? Unarmoured(string text)
    {
        var body = text.Split('\n').Select(l => l.Trim()).SkipWhile(l => l.Length > 0).Skip(1)
            .TakeWhile(l => !l.StartsWith('=') && !l.StartsWith("-----", StringComparison.Ordinal));
        try
        {
            return Convert.FromBase64String(string.Concat(body));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>The kind of the first packet, in its old and its new form.</summary>
    static int? Tag(byte[]? key) => key is not { Length: > 2 } || (key[0] & 0x80) == 0 ? null : (key[0] & 0x40) != 0 ? key[0] & 0x3F : (key[0] >> 2) & 0x0F;
}
