using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Postgres;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public abstract class AppendConformance(PostgresServer? server) : IDisposable
{
    readonly StoreFixture _fixture = new(server);
    JournalStore Store => _fixture.Store;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_run_begins_with_its_start_and_the_taking_of_its_lease()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));

        Assert.Equal(1, lease.Epoch);
        var entries = Store.Read("r1");
        Assert.IsType<RunStarted>(entries[0].Event);
        Assert.IsType<LeaseTaken>(entries[1].Event);
        Assert.Equal([1, 2], entries.Select(e => e.Sequence));
        Assert.Empty(Store.Verify("r1"));
    }

    [Fact]
    public void A_second_run_of_the_same_name_is_refused()
    {
        Store.Create("r1", Started(), DriverOf(1));
        Assert.Throws<RunbookException>(() => Store.Create("r1", Started(), DriverOf(2)));
        Assert.Equal(2, Store.Read("r1").Count);
    }

    [Fact]
    public void What_was_appended_is_read_back_the_same_by_another_process()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        var added = Store.Append(lease, StepStarted("save"), StepSucceeded("save"));

        var read = _fixture.Other().Read("r1", after: 2);
        Assert.Equal(added.Select(e => e.Hash), read.Select(e => e.Hash));
        Assert.Equal(added.Select(e => e.At), read.Select(e => e.At));
        Assert.Equal("/a \"b\" <c> é\n", ((StepSucceeded)read[1].Event).Outputs["file"]!.GetValue<string>());
    }

    [Fact]
    public void A_record_that_was_read_before_is_read_whole_again_whoever_wrote_in_between_and_whatever_was_read_meanwhile()
    {
        var (one, two) = (Store.Create("r1", Started(), DriverOf(1)), Store.Create("r2", Started(), DriverOf(2)));
        var other = _fixture.Other();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(2 + i, Store.Read("r1").Count);
            (i % 2 == 0 ? other : Store).Append(one, StepStarted($"step-{i}"));
            if (i > 0)
                Assert.Equal(2 + i, Store.Read("r2").Count);
            Store.Append(two, StepStarted("else"));
            Assert.Equal(Store.Read("r1", after: 0).Select(e => (e.Sequence, e.Hash)), Store.Read("r1").Select(e => (e.Sequence, e.Hash)));
        }
    }

    [Fact]
    public async Task Many_that_append_at_the_same_moment_get_each_their_own_and_what_is_refused_to_one_is_nothing_to_the_others()
    {
        const int runs = 12, times = 25;
        var leases = Enumerable.Range(0, runs).Select(i => Store.Create($"r{i}", Started(), DriverOf(i))).ToList();
        Store.Take("r0", DriverOf(99), "takeover", Store.ReadLease("r0")!);
        var (refused, twice) = (0, 0);
        var threads = leases.Select((lease, i) => new Thread(() =>
        {
            for (var n = 0; n < times; n++)
                try
                {
                    Assert.Equal($"s{n}", ((StepStarted)Store.Append(lease, StepStarted($"s{n}"), StepSucceeded($"s{n}"))[0].Event).Path);
                    Store.Create($"new{n}", Started(), DriverOf(i));
                }
                catch (LeaseLostException)
                {
                    Interlocked.Increment(ref refused);
                }
                catch (RunbookException)
                {
                    Interlocked.Increment(ref twice);
                }
        })).ToList();
        threads.ForEach(t => t.Start());
        await Task.Run(() => threads.ForEach(t => t.Join()));

        Assert.Equal((times, (runs - 2) * times), (refused, twice));
        Assert.Equal(3, Store.Read("r0").Count);
        Assert.All(Enumerable.Range(1, runs - 1), i => Assert.Equal(2 + 2 * times, _fixture.Other().Read($"r{i}").Count));
        Assert.All(Enumerable.Range(0, runs), i => Assert.Empty(Store.Verify($"r{i}")));
        Assert.Empty(Store.VerifyRegister());
    }

    [Fact]
    public void An_older_epoch_is_refused_and_leaves_no_trace()
    {
        var old = Store.Create("r1", Started(), DriverOf(1));
        var taken = Store.Take("r1", DriverOf(2), "takeover", Store.ReadLease("r1")!);

        Assert.Throws<LeaseLostException>(() => Store.Append(old, StepStarted("save")));
        Assert.Equal(3, Store.Read("r1").Count);
        Assert.Equal(2, taken.Epoch);
        Store.Append(taken, StepStarted("save"));
        Assert.Empty(Store.Verify("r1"));
    }

    [Fact]
    public void A_person_decides_on_what_stands_in_the_record_at_that_moment()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        Store.Append(lease, StepStarted("save"));

        var added = Store.Append("r1", Alice, entries => [new NoteAdded($"{entries.Count} so far")]);

        var note = Assert.Single(added);
        Assert.Equal((0, Alice, new NoteAdded("3 so far")), (note.Epoch, note.By, (NoteAdded)note.Event));
        Assert.Empty(Store.Append("r1", Bob, _ => []));
        Assert.Equal(Alice, Store.Read("r1")[^1].By);
    }

    [Fact]
    public void A_guard_that_throws_leaves_no_trace()
    {
        Store.Create("r1", Started(), DriverOf(1));
        Assert.Throws<RunbookException>(() => Store.Append("r1", Alice, _ => throw new RunbookException("no")));
        Store.Append("r1", Alice, _ => [new NoteAdded("yes")]);
        Assert.Equal(3, Store.Read("r1").Count);
    }

    [Fact]
    public void A_clock_that_is_set_back_does_not_turn_the_record_around()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        _fixture.Time.AdjustTime(Start.AddHours(1));
        var forward = Store.Append(lease, StepStarted("a"))[0];
        _fixture.Time.AdjustTime(Start.AddHours(-5));
        var back = Store.Append(lease, StepSucceeded("a"))[0];
        _fixture.Time.AdjustTime(Start.AddHours(2));
        var later = Store.Append(lease, StepStarted("b"))[0];

        Assert.Equal(Start.AddHours(1), forward.At);
        Assert.Equal(forward.At, back.At);
        Assert.Equal(Start.AddHours(2), later.At);
        Assert.Empty(Store.Verify("r1"));
    }

    [Fact]
    public void Every_event_comes_back_as_it_was_written_also_where_parts_are_absent()
    {
        var lease = Store.Create("r1", Started(), DriverOf(1));
        RunEvent[] events =
        [
            new StepFailed("a", 1, FailureClass.TimedOut, "no answer", null, null), new PauseRequested(null), new HandoverRequested(null),
            new StepSaved("a", "upload", JsonValue.Create("id")), new ListFrozen("each", [1, "two", null]), new WaitStarted("w", Start.AddDays(1)),
            new RunEnded(Outcome.Succeeded, "done", []) { Rta = TimeSpan.FromMinutes(7.5), ObjectivesMet = true },
        ];
        var added = Store.Append(lease, events);
        var read = Store.Read("r1", 2);
        Assert.Equal(events.Select(e => e.ToString()!.Length > 0 ? e.GetType() : null), read.Select(e => e.Event.GetType()));
        Assert.Equal(events[0], read[0].Event);
        Assert.Equal(events[^1].ToString(), read[^1].Event.ToString());
        Assert.Equal(added.Count, read.Count);
    }

    [Fact]
    public void Every_kind_of_event_has_a_name_in_the_record()
    {
        var kinds = typeof(RunEvent).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(RunEvent)));
        var named = typeof(RunEvent).GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false).Cast<JsonDerivedTypeAttribute>();
        Assert.Equal(kinds.Select(k => k.Name).Order(), named.Select(n => n.DerivedType.Name).Order());
    }

    [Fact]
    public void What_another_connection_wrote_is_noticed_by_the_data_version()
    {
        Store.Create("r1", Started(), DriverOf(1));
        var other = _fixture.Other();
        var before = other.DataVersion();
        // A server has other work too, which counts for every database of it.
        Assert.Contains(Enumerable.Range(0, 1000), _ => other.DataVersion() == other.DataVersion());
        Store.Append("r1", Alice, _ => [new NoteAdded("x")]);
        Assert.NotEqual(before, other.DataVersion());
    }

    [Fact]
    public void Nothing_is_appended_to_a_run_that_does_not_exist()
    {
        var e = Assert.Throws<RunbookException>(() => Store.Append("nope", Alice, _ => [new NoteAdded("x")]));
        Assert.Contains("'nope'", e.Message, StringComparison.Ordinal);
    }
}
