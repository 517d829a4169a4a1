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

    [Fact]
    public void Many_events_are_appended_and_read_in_linear_time()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        var first = Append(0);
        for (var part = 1; part < 9; part++)
            Append(part);
        var last = Append(9);

        var watch = Stopwatch.StartNew();
        Assert.Equal(500 * Batches + 2, Store.Read("r1").Count);
        var read = watch.Elapsed;
        // The best of some: what else runs on the machine is no fault of the store.
        Assert.InRange(Enumerable.Range(0, 10).Min(_ => ReadTheEnd()), 0, 100);
        Assert.Empty(Store.Verify("r1"));
        Assert.InRange(read.TotalSeconds, 0, 5);
        Assert.True(last < 5 * first + TimeSpan.FromSeconds(1), $"The last tenth took {last.TotalMilliseconds:0} ms, the first {first.TotalMilliseconds:0} ms.");

        double ReadTheEnd()
        {
            var watch = Stopwatch.StartNew();
            Assert.Equal(10, Store.Read("r1", after: 500 * Batches - 8).Count);
            return watch.Elapsed.TotalMilliseconds;
        }

        TimeSpan Append(int part)
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < Batches; i++)
                Store.Append(lease, [.. Enumerable.Range(0, 25).SelectMany(n => Step($"p{part}-{i}-{n}"))]);
            return watch.Elapsed;
        }
    }

    static RunEvent[] Step(string path) => [StepStarted(path), StepSucceeded(path)];
}
