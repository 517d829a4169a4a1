using System.Diagnostics;
using Helix.Runbooks.Journal;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public sealed class SpeedTests : IDisposable
{
    readonly StoreFixture _fixture = new();
    JournalStore Store => _fixture.Store;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Twenty_thousand_events_are_appended_and_read_in_linear_time()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        var first = Append(0);
        for (var part = 1; part < 9; part++)
            Append(part);
        var last = Append(9);

        var watch = Stopwatch.StartNew();
        Assert.Equal(20_002, Store.Read("r1").Count);
        var read = watch.Elapsed;
        watch.Restart();
        Assert.Equal(10, Store.Read("r1", after: 19_992).Count);
        Assert.InRange(watch.Elapsed.TotalMilliseconds, 0, 100);
        Assert.Empty(Store.Verify("r1"));
        Assert.InRange(read.TotalSeconds, 0, 5);
        Assert.True(last < 5 * first + TimeSpan.FromSeconds(1), $"The last tenth took {last.TotalMilliseconds:0} ms, the first {first.TotalMilliseconds:0} ms.");

        TimeSpan Append(int part)
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < 40; i++)
                Store.Append(lease, [.. Enumerable.Range(0, 25).SelectMany(n => Step($"p{part}-{i}-{n}"))]);
            return watch.Elapsed;
        }
    }

    [Fact]
    public void The_write_ahead_log_stays_small()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        for (var i = 0; i < 400; i++)
            Store.Append(lease, [.. Enumerable.Range(0, 20).SelectMany(n => Step($"{i}-{n}"))]);
        Assert.InRange(new FileInfo(_fixture.File + "-wal").Length, 1, 8 << 20);
    }

    static RunEvent[] Step(string path) => [StepStarted(path), StepSucceeded(path)];
}
