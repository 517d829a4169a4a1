using System.Security.Cryptography;
using System.Text;
using Helix.Server.Accounts;

namespace Helix.Server.SignOns;

/// <summary>A sign-on under way: it lives in a cookie of the browser that began it, so that only that browser can end it.</summary>
/// <param name="To">Where it leads.</param>
sealed record PendingSignOn(string State, string Nonce, string Verifier, string To, DateTimeOffset Until)
{
    static readonly TimeSpan Holds = TimeSpan.FromMinutes(10);

    public static PendingSignOn New(string to, TimeProvider time) => new(Tickets.New(), Tickets.New(), Tickets.New() + Tickets.New(), to, time.GetUtcNow() + Holds);

    /// <summary>PKCE (RFC 7636): the code is worth nothing to whoever does not know the verifier.</summary>
    public string Challenge => Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier))).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public string ToCookie(byte[] key)
    {
        var text = string.Join('\n', State, Nonce, Verifier, Until.ToUnixTimeSeconds(), To);
        return Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Seal(key, text)}\n{text}")).Replace('+', '-').Replace('/', '_');
    }

    /// <summary>Null when it is not ours, over, or belongs to another answer.</summary>
    public static PendingSignOn? Of(string? cookie, byte[] key, string state, TimeProvider time)
    {
        var buffer = new byte[4096];
        if (cookie is null || !Convert.TryFromBase64String(cookie.Replace('-', '+').Replace('_', '/'), buffer, out var length))
            return null;
        var text = Encoding.UTF8.GetString(buffer, 0, length);
        if (text.Split('\n', 2) is not [var seal, var rest] || !AreEqual(seal, Seal(key, rest)) || rest.Split('\n', 5) is not [var own, var nonce, var verifier, var until, var to])
            return null;
        var end = DateTimeOffset.FromUnixTimeSeconds(long.Parse(until, System.Globalization.CultureInfo.InvariantCulture));
        return AreEqual(own, state) && end >= time.GetUtcNow() ? new PendingSignOn(own, nonce, verifier, to, end) : null;
    }

    static string Seal(byte[] key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));

    static bool AreEqual(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));
}
