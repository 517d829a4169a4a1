using System.Globalization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Http;

/// <summary>Looks again and again until what is watched has been right for long enough. Says each new value once.</summary>
sealed class Watching(StepContext context, TimeSpan interval, TimeSpan within, TimeSpan rightFor)
{
    /// <param name="look">What is there now, in words, and whether it is right.</param>
    /// <returns>How often it looked, and the last value.</returns>
    /// <exception cref="StepFailedException">Transient, when the time is over; holds the last value.</exception>
    public async Task<(int Looks, string Value)> Until(string what, Func<Task<(bool Right, string Value)>> look)
    {
        var began = context.Time.GetTimestamp();
        long? rightSince = null;
        string? said = null;
        for (var looks = 1; ; looks++)
        {
            var (right, value) = await Look(look);
            if (value != said)
                context.Log($"{what}: {value}");
            said = value;
            rightSince = right ? rightSince ?? context.Time.GetTimestamp() : null;
            if (rightSince is { } since && context.Time.GetElapsedTime(since) >= rightFor)
                return (looks, value);
            if (context.Time.GetElapsedTime(began) >= within)
                throw StepFailedException.Transient($"{what} was not right for {Words(rightFor)} within {Words(within)}; last: {value}.", "Look at the server's own log, or give it more time with 'within'.");
            context.Progress(looks, null, "looks");
            await context.Delay(interval);
        }
    }

    static async Task<(bool Right, string Value)> Look(Func<Task<(bool, string)>> look)
    {
        try
        {
            return await look();
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
        {
            return (false, e.Message);
        }
    }

    static string Words(TimeSpan time) => time == TimeSpan.Zero ? "a moment" : new Duration(TimeSpan.FromMilliseconds(Math.Floor(time.TotalMilliseconds))).ToString();
}

/// <summary>What an HTTP answer must be to count as right.</summary>
sealed record HttpExpectation(HttpCall Call, string? Value, string? Wanted)
{
    public async Task<(bool Right, string Value)> Look()
    {
        var answer = await Call.Send();
        if (!Call.IsExpected(answer))
            return (false, $"{answer.Status.ToString(CultureInfo.InvariantCulture)} {HttpCall.Short(answer.Body)}");
        if (Value is null)
            return (true, answer.Status.ToString(CultureInfo.InvariantCulture));
        var path = Value.StartsWith("json:", StringComparison.Ordinal) ? Value["json:".Length..] : Value;
        var found = Value == "text" ? answer.Body.Trim() : DeclaredValues.At(answer.Json(), path)?.ToString();
        return (Wanted is null ? found is not null : found == Wanted, found is null ? $"no value at {path}" : HttpCall.Short(found));
    }
}
