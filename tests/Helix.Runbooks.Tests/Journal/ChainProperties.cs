using CsCheck;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Postgres;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public abstract class ChainProperties(PostgresServer? server)
{
    enum Move { Append, AppendOld, Note, Refuse, Take, Release, Beat, ClockBack, ClockForward, Reopen }

    static readonly Gen<(Move Move, int Size)[]> Moves =
        Gen.Select(Gen.Enum<Move>(), Gen.Int[1, 4]).Array[1, 60];

    [Fact]
    public void Whatever_drivers_and_people_do_the_record_has_no_gap_verifies_and_older_epochs_are_refused() =>
        Moves.Sample(Play, iter: server is null ? 40 : 8, threads: 1);

    [Fact]
    public void Text_of_any_kind_survives_record_and_export() =>
        Gen.String.Array[1, 20].Sample(texts =>
        {
            using var fixture = new StoreFixture(server);
            fixture.Store.Create("r1", Started(), DriverOf(1));
            fixture.Store.Append("r1", Alice, _ => [.. texts.Select(t => new NoteAdded(t))]);
            var export = new StringWriter();
            fixture.Store.Export("r1", export);
            Assert.Empty(fixture.Store.Verify("r1"));
            Assert.Empty(RecordVerifier.Verify(new StringReader(export.ToString())));
            // What is no valid Unicode cannot be written as JSON; all else comes back unchanged.
            Assert.Equal(texts.Select(Valid), fixture.Store.Read("r1", 2).Select(e => ((NoteAdded)e.Event).Text));
        }, iter: server is null ? 40 : 8, threads: 1);

    static string Valid(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));

    void Play((Move Move, int Size)[] moves)
    {
        using var fixture = new StoreFixture(server);
        var store = fixture.Store;
        var leases = new List<Lease> { store.Create("r1", Started(), DriverOf(0)) };
        var released = false;
        long expected = 2;
        foreach (var (move, size) in moves)
        {
            var current = leases[^1];
            switch (move)
            {
                case Move.Append when !released:
                    store.Append(current, [.. Enumerable.Range(0, size).Select(i => StepStarted($"s{i}"))]);
                    expected += size;
                    break;
                case Move.AppendOld when leases.Count > 1:
                    var old = leases[size % (leases.Count - 1)];
                    Assert.Throws<LeaseLostException>(() => store.Append(old, StepStarted("late")));
                    Assert.False(store.Beat(old));
                    break;
                case Move.Note:
                    store.Append("r1", Alice, entries => [.. Enumerable.Range(0, size).Select(i => new NoteAdded($"{entries.Count} {i}"))]);
                    expected += size;
                    break;
                case Move.Refuse:
                    Assert.Empty(store.Append("r1", Bob, _ => []));
                    break;
                case Move.Take:
                    leases.Add(store.Take("r1", DriverOf(leases.Count), "takeover", store.ReadLease("r1")!));
                    (released, expected) = (false, expected + 1);
                    break;
                case Move.Release:
                    store.Release(leases[size % leases.Count]);
                    released |= size % leases.Count == leases.Count - 1;
                    break;
                case Move.Beat:
                    Assert.Equal(!released, store.Beat(current));
                    break;
                case Move.ClockBack:
                    fixture.Time.AdjustTime(fixture.Time.GetUtcNow().AddMinutes(-size));
                    break;
                case Move.ClockForward:
                    fixture.Time.AdjustTime(fixture.Time.GetUtcNow().AddMinutes(size));
                    break;
                case Move.Reopen:
                    store = fixture.Other();
                    break;
            }
        }
        var entries = fixture.Store.Read("r1");
        Assert.Equal(expected, entries.Count);
        Assert.Equal(Enumerable.Range(1, entries.Count).Select(i => (long)i), entries.Select(e => e.Sequence));
        Assert.True(entries.Zip(entries.Skip(1)).All(p => p.First.At <= p.Second.At));
        Assert.Empty(store.Verify("r1", entries[entries.Count / 2].Hash));
        Assert.Equal((entries[^1].Hash, expected), (store.Runs()[0].Head, store.Runs()[0].Events));
        Assert.Equal(leases.Count, store.ReadLease("r1")!.Epoch);
    }
}
