using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using Helix.Runbooks.Tests.Postgres;
using Xunit;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Journal;

public abstract class RecordConformance : IDisposable
{
    readonly StoreFixture _fixture;
    readonly Lease _lease;
    JournalStore Store => _fixture.Store;

    protected RecordConformance(PostgresServer? server)
    {
        _fixture = new(server);
        var pinned = new Dictionary<string, string> { ["book.yaml"] = Store.Keep("steps: []"u8.ToArray()) };
        _lease = Store.Create("r1", Started() with { Pinned = pinned }, DriverOf(1));
        for (var i = 0; i < 5; i++)
            Store.Append(_lease, StepStarted($"s{i}"), StepSucceeded($"s{i}"));
        Store.Append("r1", Alice, _ => [new NoteAdded("looks \"good\"")]);
    }

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("UPDATE events SET event = replace(event, 's1', 's9') WHERE sequence = 5", "Entry 5 of run r1")]
    [InlineData("UPDATE events SET at = '2026-03-01T01:00:00.0000000Z' WHERE sequence = 4", "Entry 4 of run r1")]
    [InlineData("UPDATE events SET epoch = 0 WHERE sequence = 7", "Entry 7 of run r1")]
    [InlineData("UPDATE events SET by = replace(by, 'alice', 'bob') WHERE sequence = 13", "Entry 13 of run r1")]
    [InlineData("DELETE FROM events WHERE sequence = 6", "Entry 6 of run r1 is missing")]
    [InlineData("DELETE FROM events WHERE sequence = 1", "Entry 1 of run r1 is missing")]
    [InlineData("DELETE FROM events WHERE sequence > 11", "the end was cut off")]
    [InlineData("UPDATE bytes SET bytes = 'x'", "are others now")]
    public void The_first_entry_that_was_tampered_with_is_named(string sql, string fault)
    {
        Assert.Empty(Store.Verify("r1"));
        Tamper(sql);
        Assert.Contains(fault, Assert.Single(Store.Verify("r1")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_kept_elsewhere_proves_that_nothing_up_to_it_was_written_anew()
    {
        var head = Store.Runs()[0].Head;
        Store.Append(_lease, StepStarted("later"));
        Assert.Empty(Store.Verify("r1", head));
        Assert.Contains("never had the head", Assert.Single(Store.Verify("r1", Chain.Hash("other"))), StringComparison.Ordinal);
    }

    [Fact]
    public void An_exported_record_is_verified_without_the_store()
    {
        var text = Exported();
        Assert.Empty(RecordVerifier.Verify(new StringReader(text)));
        Assert.Empty(RecordVerifier.Verify(new StringReader(text), Store.Runs()[0].Head));
        Assert.Equal(13, text.Count(c => c == '\n'));
    }

    [Fact]
    public void A_change_of_an_exported_record_is_noticed_and_named()
    {
        var lines = Exported().TrimEnd('\n').Split('\n');
        Assert.Contains("Entry 5", Fault(lines.Select((l, i) => i == 4 ? l.Replace("redis", "neo4j", StringComparison.Ordinal) : l)), StringComparison.Ordinal);
        Assert.Contains("Entry 4 of run r1 is missing", Fault(lines.Where((_, i) => i != 3)), StringComparison.Ordinal);
        Assert.Contains("Line 2", Fault(lines.Take(1).Append("{}")), StringComparison.Ordinal);
        Assert.Contains("empty", Fault([]), StringComparison.Ordinal);
        Assert.Contains("never had the head", Fault(lines.Take(9), Store.Runs()[0].Head), StringComparison.Ordinal);

        static string Fault(IEnumerable<string> lines, string? head = null) => Assert.Single(RecordVerifier.Verify(new StringReader(string.Join('\n', lines)), head));
    }

    [Fact]
    public void White_space_that_another_tool_put_in_is_no_change()
    {
        var lines = Exported().TrimEnd('\n').Split('\n').Select(l => l.Replace("\":", "\": ", StringComparison.Ordinal));
        Assert.Empty(RecordVerifier.Verify(new StringReader(string.Join('\n', lines))));
    }

    [Fact]
    public void The_chain_of_one_run_does_not_pass_for_another()
    {
        var text = Exported().Replace("\"run\":\"r1\"", "\"run\":\"r2\"", StringComparison.Ordinal);
        Assert.Contains("Entry 1 of run r2", Assert.Single(RecordVerifier.Verify(new StringReader(text))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DELETE FROM events WHERE number = 2; DELETE FROM runs WHERE number = 2", "Run r2 was started, and its record is missing.")]
    [InlineData("DELETE FROM events WHERE number = 2; DELETE FROM runs WHERE number = 2; DELETE FROM register WHERE number = 2", "The register is broken at number 2")]
    [InlineData("UPDATE register SET run = 'x' WHERE number = 1", "The register is broken at number 1")]
    [InlineData("UPDATE events SET hash = 'x' WHERE number = 3 AND sequence = 1", "first entry is another now")]
    [InlineData("DELETE FROM events WHERE number = 3; DELETE FROM runs WHERE number = 3; DELETE FROM register WHERE number = 3", "never had the head")]
    public void A_run_that_was_removed_is_noticed(string sql, string fault)
    {
        Store.Create("r2", Started(), DriverOf(2));
        Store.Create("r3", Started(), DriverOf(3));
        var head = Store.RegisterHead();
        Assert.Empty(Store.VerifyRegister(head));
        Tamper(sql);
        Assert.Contains(fault, Store.VerifyRegister(head)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_driver_goes_on_in_a_second_store_under_the_same_lease()
    {
        using var second = JournalStore.Open(Path.Combine(_fixture.Folder, "second", "helix.db"), _fixture.Time);
        Store.TakeLocks("r1", [new("redis", "redis", Shared: false)]);
        Store.CopyRun("r1", second);
        second.Append(_lease, StepStarted("there"));

        Assert.Empty(second.Verify("r1", Store.Runs()[0].Head));
        Assert.Empty(second.VerifyRegister());
        Assert.Equal(Store.Read("r1").Select(e => e.Hash), second.Read("r1").Select(e => e.Hash).Take(13));
        Assert.Equal("steps: []"u8.ToArray(), second.Kept(((RunStarted)second.Read("r1")[0].Event).Pinned["book.yaml"]));
        Assert.Equal("redis", Assert.Single(second.Locks()).Identity);
        Assert.Equal(("running", 14), (second.Runs()[0].Status, second.Runs()[0].Events));
    }

    [Fact]
    public void A_record_is_copied_in_parts_and_from_memory_and_never_over_another_one()
    {
        using var second = JournalStore.Open(Path.Combine(_fixture.Folder, "second.db"), _fixture.Time);
        Store.CopyRun("r1", second);
        Store.Append(_lease, StepStarted("more"));
        Store.CopyRun("r1", second);
        Store.Append(_lease, StepSucceeded("more"));
        second.Accept(_lease, Store.Read("r1"));
        Assert.Empty(second.Verify("r1", Store.Runs()[0].Head));

        second.Append(_lease, StepStarted("there"));
        Store.Append(_lease, StepStarted("here"));
        Assert.Throws<RunbookException>(() => Store.CopyRun("r1", second));
        Assert.Empty(second.Verify("r1"));
    }

    [Fact]
    public void A_broken_record_is_not_copied()
    {
        using var second = JournalStore.Open(Path.Combine(_fixture.Folder, "second.db"), _fixture.Time);
        Tamper("UPDATE events SET event = replace(event, 's1', 's9') WHERE sequence = 5");
        Assert.Contains("Entry 5", Assert.Throws<RunbookException>(() => Store.CopyRun("r1", second)).Message, StringComparison.Ordinal);
        Assert.Empty(second.Runs());
    }

    string Exported()
    {
        var text = new StringWriter();
        Store.Export("r1", text);
        return text.ToString();
    }

    void Tamper(string sql) => Assert.True(_fixture.Sql(sql) > 0);
}
