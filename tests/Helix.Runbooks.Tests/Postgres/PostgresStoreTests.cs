using Helix.Runbooks.Journal;
using Helix.Runbooks.Steps;
using static Helix.Runbooks.Tests.Journal.StoreFixture;

namespace Helix.Runbooks.Tests.Postgres;

public sealed class PostgresStoreTests(PostgresServer server)
{
    [Theory]
    [InlineData("postgres://helix:canary@db/helix", "holds a password")]
    [InlineData("postgresql://helix@db/helix?password=canary", "holds a password")]
    [InlineData("Host=db;Username=helix;Password=canary", "holds a password")]
    [InlineData("postgres://helix:canary@db:port/helix", "is no name of a PostgreSQL store")]
    [InlineData("postgres:///helix", "names no host")]
    [InlineData("Host=db;Colour=red", "'Colour' in the name of the store is not known")]
    [InlineData("postgres://helix@127.0.0.1:1/helix?password=env:HELIX_NOT_SET", "HELIX_NOT_SET is not set")]
    [InlineData("postgres://helix@127.0.0.1:1/helix?password=file:/nowhere", "/nowhere does not exist")]
    [InlineData("postgres://helix@127.0.0.1:1/helix", "does not answer: ")]
    public void A_name_that_cannot_be_is_refused_and_no_password_is_repeated(string place, string fault)
    {
        var e = Assert.Throws<RunbookException>(() => JournalStore.Open(place, TimeProvider.System).Dispose());
        Assert.Contains(fault, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", e.Message + e.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_is_shown_without_its_password_and_both_forms_of_its_name_are_the_same_store()
    {
        var place = server.Store();
        using var store = JournalStore.Open(place, TimeProvider.System);
        store.Create("r1", Started(), DriverOf(1));
        var schema = place.Split("schema=")[1].Split('&')[0];
        Assert.Equal($"postgres://helix@127.0.0.1:{server.Port}/postgres?schema={schema}", store.StorePath);
        Assert.True(store.IsShared);
        using var same = JournalStore.Open($"Host=127.0.0.1;Port={server.Port};Database=postgres;Username=helix;Search Path={schema};Password=file:{server.PasswordFile}", TimeProvider.System);
        Assert.True(same.Has("r1"));
    }

    [Fact]
    public void Who_is_not_let_in_is_told_so_and_where_the_password_comes_from()
    {
        var place = server.Store();
        var e = Assert.Throws<RunbookException>(() => JournalStore.Open(place.Replace("helix@", "stranger@", StringComparison.Ordinal), TimeProvider.System).Dispose());
        Assert.Contains("lets this user not in", e.Message, StringComparison.Ordinal);
        Assert.Contains("PGPASSWORD", e.Hint, StringComparison.Ordinal);
        e = Assert.Throws<RunbookException>(() => JournalStore.Open(place.Replace("/postgres?", "/nothing?", StringComparison.Ordinal), TimeProvider.System).Dispose());
        Assert.Contains("is not there", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_may_open_a_new_store_at_once()
    {
        var place = server.Store();
        var stores = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() =>
        {
            var store = JournalStore.Open(place, TimeProvider.System);
            store.Create($"r{i}", Started(), DriverOf(i));
            return store;
        })));
        Assert.Equal(6, stores[0].Runs().Count);
        Assert.Empty(stores[0].VerifyRegister());
        Array.ForEach(stores, s => s.Dispose());
    }

    [Fact]
    public void A_schema_of_another_program_and_a_store_of_a_newer_version_are_refused()
    {
        var place = server.Store();
        using (var other = new Database(StorePlace.DialectOf(place, new()), durable: true))
        {
            other.Run($"CREATE SCHEMA {place.Split("schema=")[1].Split('&')[0]}");
            other.Run("CREATE TABLE events (mine TEXT)");
        }
        Assert.Contains("tables of another program", Assert.Throws<RunbookException>(() => JournalStore.Open(place, TimeProvider.System).Dispose()).Message, StringComparison.Ordinal);
        place = server.Store();
        JournalStore.Open(place, TimeProvider.System).Dispose();
        using (var newer = new Database(StorePlace.DialectOf(place, new()), durable: true))
            newer.Run("UPDATE helix_store SET format = 7");
        Assert.Contains("has format 7", Assert.Throws<RunbookException>(() => JournalStore.Open(place, TimeProvider.System).Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_append_whose_answer_was_lost_is_not_made_twice()
    {
        using var store = JournalStore.Open(server.Store(), TimeProvider.System);
        var lease = store.Create("r1", Started(), DriverOf(1));
        var first = store.Append(lease, 2, [StepStarted("a"), StepSucceeded("a")]);
        store.Append("r1", Alice, _ => [new NoteAdded("in between")]);
        Assert.Equal(first.Select(e => e.Hash), store.Append(lease, 2, [StepStarted("a"), StepSucceeded("a")]).Select(e => e.Hash));
        Assert.Equal(6, store.Append(lease, 5, [StepStarted("b")]).Single().Sequence);
        Assert.Empty(store.Verify("r1"));
    }

    [Fact]
    public void A_driver_that_stands_still_within_a_transaction_holds_up_nobody_for_long()
    {
        var place = server.Store();
        using var store = JournalStore.Open(place, TimeProvider.System);
        var lease = store.Create("r1", Started(), DriverOf(1));
        store.Create("r2", Started(), DriverOf(2));
        using var stopped = new Database(StorePlace.DialectOf(place, new()), durable: true);
        Assert.Throws<StoreLostException>(() => stopped.Transaction(() =>
        {
            stopped.Run("SELECT run FROM runs WHERE run = 'r1' FOR UPDATE");
            store.Append("r2", Alice, _ => [new NoteAdded("another run goes on")]);
            Assert.True(store.Beat(lease));
            // Ends when the server has thrown the other one out.
            Assert.Equal(3, store.Append(lease, StepStarted("a")).Single().Sequence);
            return stopped.Run("SELECT 1");
        }));
    }
}
