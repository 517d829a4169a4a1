using System.Diagnostics;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Postgres;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public abstract class SpeedConformance(PostgresServer? server) : IDisposable
{
    readonly StoreFixture _fixture = new(server);
    JournalStore Store => _fixture.Store;

    /// <summary>In each tenth. A database that is asked over a connection takes longer for each.</summary>
    int Batches => server is null ? 40 : 8;

    public void Dispose() => _fixture.Dispose();

    [Fact, Timed]
    public void Many_events_are_appended_and_read_in_linear_time()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        var first = Append(0);
        for (var part = 1; part < 9; part++)
            Append(part);
        var last = Append(9);

        Assert.InRange(Best(3, _ => Assert.Equal(500 * Batches + 2, Store.Read("r1").Count)), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.InRange(Best(10, _ => Assert.Equal(10, Store.Read("r1", after: 500 * Batches - 8).Count)), TimeSpan.Zero, TimeSpan.FromMilliseconds(100));
        Assert.Empty(Store.Verify("r1"));
        Assert.True(last < 5 * first + TimeSpan.FromMilliseconds(50), $"One of the last tenth took {last.TotalMilliseconds:0} ms, of the first {first.TotalMilliseconds:0} ms.");

        TimeSpan Append(int part) => Best(Batches, i => Store.Append(lease, [.. Enumerable.Range(0, 25).SelectMany(n => Step($"p{part}-{i}-{n}"))]));
    }

    /// <summary>The best of some: what else runs on the machine is no fault of the store, and what is slow is slow each time.</summary>
    static TimeSpan Best(int times, Action<int> work) => Enumerable.Range(0, times).Min(i =>
    {
        var watch = Stopwatch.StartNew();
        work(i);
        return watch.Elapsed;
    });

    static RunEvent[] Step(string path) => [StepStarted(path), StepSucceeded(path)];
}
