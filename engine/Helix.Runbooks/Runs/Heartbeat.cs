using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Runs;

/// <summary>Moves the counter of the lease; when the lease is lost, says so at once, so that children are ended.</summary>
/// <remarks>
/// A store that others share may be out of reach while they see the counter stand still and take the run: before they may,
/// this driver counts its own lease as lost, on its own monotonic clock, from the moment at which it sent the last beat that arrived.
/// </remarks>
sealed class Heartbeat : IDisposable
{
    readonly JournalStore _store;
    readonly Lease _lease;
    readonly TimeProvider _time;
    readonly TimeSpan _every, _holds;
    readonly CancellationTokenSource _end = new();
    readonly CancellationTokenSource _lost = new();
    readonly long _began;
    long _arrived;

    public CancellationToken Lost => _lost.Token;

    public Heartbeat(JournalStore store, Lease lease, TimeProvider time, EngineSettings settings)
    {
        (_store, _lease, _time, _every) = (store, lease, time, settings.Heartbeat);
        // What is left of the time is for the children to end in.
        _holds = settings.LeaseExpires * 0.75;
        _arrived = _began = time.GetTimestamp();
        _ = Beat();
        if (store.IsShared)
            _ = Watch();
    }

    async Task Beat()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(_every, _time, _end.Token);
                var sent = _time.GetTimestamp();
                if (_store.Beat(_lease, _time.GetElapsedTime(_began, sent)))
                    Volatile.Write(ref _arrived, sent);
                else
                    await _lost.CancelAsync();
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (StoreLostException)
            {
                // The next append says it to the driver.
            }
        }
    }

    async Task Watch()
    {
        try
        {
            while (_time.GetElapsedTime(Volatile.Read(ref _arrived)) < _holds)
                await Task.Delay(_every / 8, _time, _end.Token);
            await _lost.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // The drive has ended.
        }
    }

    public void Dispose() => _end.Cancel();
}
