using System.Globalization;
using System.Text.RegularExpressions;

namespace Helix.Runbooks.Steps;

/// <summary>A moment as it may be typed: ISO 8601 with its offset. Any other order of day and month, or a guessed offset, would choose another moment without a word.</summary>
public static partial class Moment
{
    public const string Form = "a moment with its offset, as 2026-03-01T02:00:00Z or 2026-03-01T03:00:00+01:00";

    const int TickDigits = 7;

    /// <param name="moment">In UTC. Of nine digits of a second the last two are dropped, which makes it earlier, never later.</param>
    public static bool TryParse(string? text, out DateTimeOffset moment)
    {
        moment = default;
        if (Shape().Match(text ?? "") is not { Success: true } match)
            return false;
        var whole = $"{match.Groups["date"]}T{match.Groups["time"]}{match.Groups["offset"]}";
        if (!DateTimeOffset.TryParseExact(whole, ["yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK"], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out moment))
            return false;
        var ticks = match.Groups["fraction"].Value.PadRight(TickDigits, '0')[..TickDigits];
        moment = moment.AddTicks(long.Parse(ticks, CultureInfo.InvariantCulture));
        return true;
    }

    [GeneratedRegex(@"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?<time>[0-9]{2}:[0-9]{2}(:[0-9]{2})?)((?<=:..:..)\.(?<fraction>[0-9]{1,9}))?(?<offset>Z|[+-][0-9]{2}:[0-9]{2})\z")]
    private static partial Regex Shape();
}
