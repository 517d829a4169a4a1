using Helix.Runbooks.Journal;

namespace Helix.Server.Live;

/// <summary>Feels for all who wait whether the store has changed: one look for any number of viewers.</summary>
sealed class Pulse(JournalStore store, TimeProvider time, Action<string> say) : IAsyncDisposable
{
    static readonly TimeSpan Every = TimeSpan.FromMilliseconds(120);

    readonly CancellationTokenSource _stop = new();
    readonly Complaint _fault = new(say);
    TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Task _loop = Task.CompletedTask;
    long _version = -1;

    public long Version => Volatile.Read(ref _version);

    public void Start() => _loop = Task.Run(Loop);

    /// <summary>Ends when the store has another version than the one that was seen, or the server ends.</summary>
    public async Task Next(long seen, CancellationToken cancelled)
    {
        while (!_stop.IsCancellationRequested)
        {
            var changed = Volatile.Read(ref _changed);
            if (Version != seen)
                return;
            await changed.Task.WaitAsync(cancelled);
        }
    }

    async Task Loop()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var version = store.DataVersion();
                if (version != Version)
                {
                    Volatile.Write(ref _version, version);
                    Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
                }
                _fault.IsOver();
            }
            catch (StoreLostException)
            {
                // The pages say what they last knew; who drives a run says that the store is lost.
            }
            catch (Exception e)
            {
                _fault.Of($"Whether the store has changed cannot be felt: {e.Message}");
            }
            await Task.WhenAny(Task.Delay(Every, time, _stop.Token));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _changed.TrySetResult();
        _stop.Dispose();
    }
}
