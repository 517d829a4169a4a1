using System.Globalization;
using Helix.Runbooks.Steps;

namespace Helix.Steps.Http;

/// <summary>Looks again and again until what is watched has been right for long enough. Says each new value once.</summary>
sealed class Watching(StepContext context, TimeSpan interval, TimeSpan within, TimeSpan rightFor)
{
    // A look that begins as the time ends is still one.
    static readonly TimeSpan ShortestLook = TimeSpan.FromSeconds(1);

    /// <param name="look">What is there now, in words, and whether it is right. Its context ends with the time.</param>
    /// <returns>How often it looked, and the last value.</returns>
    /// <exception cref="StepFailedException">Transient, when the time is over; holds the last value.</exception>
    public async Task<(int Looks, string Value)> Until(string what, Func<StepContext, Task<(bool Right, string Value)>> look)
    {
        var began = context.Time.GetTimestamp();
        long? rightSince = null;
        string? said = null;
        for (var looks = 1; ; looks++)
        {
            var (right, value, isLast) = await Look(look, context.Time.GetElapsedTime(began));
            if (value != said)
                context.Log($"{what}: {value}");
            said = value;
            rightSince = right ? rightSince ?? context.Time.GetTimestamp() : null;
            if (rightSince is { } since && context.Time.GetElapsedTime(since) >= rightFor)
                return (looks, value);
            if (isLast || context.Time.GetElapsedTime(began) >= within)
                throw StepFailedException.Transient($"{what} was not right for {Words(rightFor)} within {Words(within)}; last: {value}.", "Look at the server's own log, or give it more time with 'within'.");
            context.Progress(looks, null, "looks");
            await context.Delay(interval);
        }
    }

    /// <summary>What hangs is given up when the time is over. Without a time there is one look, as long as it takes.</summary>
    async Task<(bool Right, string Value, bool IsLast)> Look(Func<StepContext, Task<(bool Right, string Value)>> look, TimeSpan elapsed)
    {
        var rest = within == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : within - elapsed > ShortestLook ? within - elapsed : ShortestLook;
        using var over = new CancellationTokenSource(rest, context.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(over.Token, context.Cancelled);
        try
        {
            var (right, value) = await look(context.Until(end.Token));
            return (right, value, false);
        }
        catch (StepFailedException e) when (e.Failure == FailureClass.Transient)
        {
            return (false, e.Message, false);
        }
        catch (Exception e) when (e is OperationCanceledException or StepFailedException { Failure: FailureClass.Cancelled } && over.IsCancellationRequested && !context.Cancelled.IsCancellationRequested)
        {
            return (false, "no answer", true);
        }
    }

    static string Words(TimeSpan time) => time == TimeSpan.Zero ? "a moment" : new Duration(TimeSpan.FromMilliseconds(Math.Floor(time.TotalMilliseconds))).ToString();
}

/// <summary>What an HTTP answer must be to count as right.</summary>
sealed record HttpExpectation(HttpCall Call, string? Value, string? Wanted)
{
    public async Task<(bool Right, string Value)> Look(StepContext context)
    {
        var answer = await Call.Send(limit: context.Cancelled);
        if (!Call.IsExpected(answer))
            return (false, $"{answer.Status.ToString(CultureInfo.InvariantCulture)} {(answer.Location is null ? HttpCall.Short(answer.Body) : answer.Words)}");
        if (Value is null)
            return (true, answer.Status.ToString(CultureInfo.InvariantCulture));
        var path = Value.StartsWith("json:", StringComparison.Ordinal) ? Value["json:".Length..] : Value;
        var found = Value == "text" ? answer.Body.Trim() : DeclaredValues.At(answer.Json(), path)?.ToString();
        return (Wanted is null ? found is not null : found == Wanted, found is null ? $"no value at {path}" : HttpCall.Short(found));
    }
}
