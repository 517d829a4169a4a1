using System.Security.Cryptography;

namespace Helix.Runbooks.Runs;

/// <summary>Ids of runs: sorted by time, short enough to type, as <c>260301-0200-k7qf</c>.</summary>
public static class RunId
{
    // Without letters and digits that look alike.
    const string Letters = "abcdefghjkmnpqrstuvwxyz23456789";

    public static string New(TimeProvider time) => $"{time.GetUtcNow():yyMMdd-HHmm}-{RandomNumberGenerator.GetString(Letters, 4)}";
}
