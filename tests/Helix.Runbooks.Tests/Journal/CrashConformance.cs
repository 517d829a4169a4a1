using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Postgres;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public abstract class CrashConformance(PostgresServer? server) : IDisposable
{
    const int Killed = 128 + 9;

    readonly StoreFixture _fixture = new(server);
    JournalStore Store => _fixture.Store;

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("append:17:before", 18, 18)]
    [InlineData("append:17:after", 18, 19)]
    public async Task A_driver_that_dies_at_a_named_point_leaves_exactly_what_it_had_written(string failpoint, long acknowledged, int written)
    {
        var (exit, seen) = await WriterProcess.Run("drive", _fixture.Place, "r1", 20, failpoint);
        Assert.Equal(Killed, exit);
        Assert.Equal(acknowledged, seen[^1]);
        Assert.Equal(written, Store.Read("r1").Count);
        Assert.Empty(Store.Verify("r1"));
        Assert.Empty(Store.VerifyRegister());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(333)]
    public async Task A_driver_that_is_killed_anywhere_loses_nothing_acknowledged(int after)
    {
        var (exit, seen) = await WriterProcess.Run("drive", _fixture.Place, "r1", 100_000, killAfter: after);
        Assert.Equal(Killed, exit);
        var entries = Store.Read("r1");
        Assert.InRange(entries.Count - seen[^1], 0, 1);
        Assert.Empty(Store.Verify("r1"));

        Assert.True(Store.Runs()[0].DriverGone);
        var lease = Store.Take("r1", DriverIdentity.Current, "its driver is gone", Store.ReadLease("r1")!);
        Store.Append(lease, StepStarted("again"));
        Assert.Empty(Store.Verify("r1"));
    }

    [Fact]
    public async Task Two_processes_and_four_threads_write_one_record_without_a_gap()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        var child = WriterProcess.Run("note", _fixture.Place, "r1", 40);
        var threads = Enumerable.Range(0, 4).Select(i => Task.Run(() =>
        {
            var store = i % 2 == 0 ? Store : JournalStore.Open(_fixture.Place, TimeProvider.System);
            for (var n = 0; n < 25; n++)
                if (i < 2)
                    store.Append("r1", Alice, entries => [new NoteAdded($"after {entries.Count}")]);
                else
                    store.Append(lease, StepStarted($"{i}-{n}"), StepSucceeded($"{i}-{n}"));
            if (store != Store)
                store.Dispose();
        }));
        await Task.WhenAll(threads);
        var (exit, seen) = await child;

        Assert.Equal((0, 40), (exit, seen.Count));
        var entries = Store.Read("r1");
        Assert.Equal(2 + 40 + 50 + 100, entries.Count);
        Assert.Equal(Enumerable.Range(1, entries.Count).Select(i => (long)i), entries.Select(e => e.Sequence));
        Assert.Empty(Store.Verify("r1"));
        foreach (var entry in entries)
            if (entry.Event is NoteAdded note)
                Assert.EndsWith($"after {entry.Sequence - 1}", note.Text, StringComparison.Ordinal); // each guard saw all before it
    }
}
