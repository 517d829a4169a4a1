using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Helix.Server.Schedules;

/// <summary>The id of the run of one planned time: the same whoever computes it, so that the store takes it once (TIM-07).</summary>
static class PlannedRun
{
    const string Letters = "abcdefghjkmnpqrstuvwxyz23456789";

    public static string Id(string schedule, DateTimeOffset planned)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{schedule}\n{planned.UtcTicks}")));
        return string.Create(CultureInfo.InvariantCulture, $"{planned.UtcDateTime:yyMMdd-HHmm}-{string.Concat(hash.Take(6).Select(b => Letters[b % Letters.Length]))}");
    }

    /// <summary>Who started it, as the register lists it.</summary>
    public static string Operator(string schedule) => "schedule:" + schedule;
}
