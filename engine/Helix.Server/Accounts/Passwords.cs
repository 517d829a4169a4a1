using System.Globalization;
using System.Security.Cryptography;

namespace Helix.Server.Accounts;

/// <summary>Passwords as salted PBKDF2 (SHA-512); the rounds stand in the text, so that they can grow.</summary>
static class Passwords
{
    const int Salt = 16;
    const int Length = 32;

    public static string Hash(string password, int rounds)
    {
        var salt = RandomNumberGenerator.GetBytes(Salt);
        return string.Create(CultureInfo.InvariantCulture, $"pbkdf2-sha512${rounds}${Convert.ToBase64String(salt)}${Convert.ToBase64String(Derive(password, salt, rounds))}");
    }

    public static bool Fits(string password, string hash)
    {
        var parts = hash.Split('$');
        var rounds = int.Parse(parts[1], CultureInfo.InvariantCulture);
        return CryptographicOperations.FixedTimeEquals(Derive(password, Convert.FromBase64String(parts[2]), rounds), Convert.FromBase64String(parts[3]));
    }

    /// <summary>Null when it may be taken.</summary>
    public static string? Fault(string password) => password.Length switch
    {
        < 12 => "A password has at least 12 characters; several words are easiest to remember.",
        > 1000 => "A password has at most 1000 characters.",
        _ => null,
    };

    static byte[] Derive(string password, byte[] salt, int rounds) => Rfc2898DeriveBytes.Pbkdf2(password, salt, rounds, HashAlgorithmName.SHA512, Length);
}

/// <summary>Random texts that prove something to whoever made them; only their hashes are kept.</summary>
static class Tickets
{
    public static string New() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)).Replace('+', '-').Replace('/', '_');
    public static string Hash(string ticket) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(ticket)));
}
