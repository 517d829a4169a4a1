using System.Globalization;
using StackExchange.Redis;

namespace Helix.Runbooks.Tests.Redis;

/// <summary>Watches a server all the time and remembers the lowest number of keys that it ever served.</summary>
sealed class LowestCount : IDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly Task<long> _watch;

    public LowestCount(RedisServer server) => _watch = Task.Run(async () =>
    {
        var lowest = long.MaxValue;
        await using var redis = await server.Connect();
        while (!_stop.IsCancellationRequested)
            try
            {
                lowest = Math.Min(lowest, long.Parse((await redis.GetServers()[0].ExecuteAsync("DBSIZE")).ToString(), CultureInfo.InvariantCulture));
            }
            catch (RedisException)
            {
                // loading: it serves nobody
            }
            finally
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            }
        return lowest;
    });

    public async Task<long> Stop()
    {
        await _stop.CancelAsync();
        return await _watch;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }
}
