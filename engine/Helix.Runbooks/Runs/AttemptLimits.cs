using Helix.Runbooks.Model;

namespace Helix.Runbooks.Runs;

/// <summary>The three time limits of an attempt, as one token.</summary>
sealed class AttemptLimits : IDisposable
{
    readonly CancellationTokenSource _cancel;
    readonly List<ITimer> _timers = [];
    readonly ITimer? _quiet;
    readonly TimeSpan _noProgress;
    volatile string? _passed;

    /// <param name="started">When the first attempt started, or the first since a person let it try anew: from there the total counts.</param>
    public AttemptLimits(TimeProvider time, Timeouts limits, DateTimeOffset started, CancellationToken stop)
    {
        _cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (limits.Attempt is { } attempt)
            _timers.Add(After(time, attempt, $"The attempt took longer than {Words(attempt)}."));
        if (limits.Total is { } total)
            _timers.Add(After(time, Rest(started + total - time.GetUtcNow()), $"All attempts together took longer than {Words(total)}."));
        if (limits.NoProgress is { } quiet)
        {
            _noProgress = quiet;
            _quiet = After(time, quiet, $"There was no output and no progress for {Words(quiet)}.");
            _timers.Add(_quiet);
        }
    }

    public CancellationToken Token => _cancel.Token;

    /// <summary>The limit that was passed, as a sentence; null if none.</summary>
    public string? Passed => _passed;

    public void Alive() => _quiet?.Change(_noProgress, Timeout.InfiniteTimeSpan);

    ITimer After(TimeProvider time, TimeSpan limit, string sentence) =>
        time.CreateTimer(_ =>
        {
            _passed ??= sentence;
            _cancel.Cancel();
        }, null, limit, Timeout.InfiniteTimeSpan);

    static TimeSpan Rest(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.Zero;
    static string Words(TimeSpan limit) => new Steps.Duration(limit).ToString();

    public void Dispose()
    {
        _timers.ForEach(t => t.Dispose());
        _cancel.Dispose();
    }
}
