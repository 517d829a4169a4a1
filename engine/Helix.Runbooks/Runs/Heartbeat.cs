using Helix.Runbooks.Journal;

namespace Helix.Runbooks.Runs;

/// <summary>Moves the counter of the lease; when the lease is lost, says so at once, so that children are ended.</summary>
sealed class Heartbeat : IDisposable
{
    readonly CancellationTokenSource _end = new();
    readonly CancellationTokenSource _lost = new();

    public CancellationToken Lost => _lost.Token;

    public Heartbeat(JournalStore store, Lease lease, TimeProvider time, TimeSpan every) => _ = Beat(store, lease, time, every);

    async Task Beat(JournalStore store, Lease lease, TimeProvider time, TimeSpan every)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(every, time, _end.Token);
                if (!store.Beat(lease))
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

    public void Dispose() => _end.Cancel();
}
