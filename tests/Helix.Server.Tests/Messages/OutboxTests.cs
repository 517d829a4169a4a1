using Helix.Runbooks.Journal;
using Helix.Runbooks.Tests.Postgres;
using Helix.Server.Accounts;

namespace Helix.Server.Tests.Messages;

public sealed class OutboxTests(PostgresServer postgres) : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("helix-outbox-").FullName;

    [Theory]
    [InlineData("file")]
    [InlineData("database")]
    public void A_channel_with_more_messages_than_are_taken_at_once_keeps_no_other_channel_waiting(string place)
    {
        var time = new Clock();
        var store = place == "file" ? Path.Combine(_folder, "helix.db") : postgres.Store();
        using var journal = JournalStore.Open(store, time);
        using var accounts = new AccountStore(place == "file" ? Path.Combine(_folder, "accounts.db") : store, time, 1000);
        Letter Of(string channel, int number) => new($"{channel}-{number}", "here", channel, null, "waiting", "{}");
        for (var i = 1; i <= 5; i++)
        {
            accounts.Post(Of("down", i));
            time.Pass(TimeSpan.FromSeconds(1));
        }
        accounts.Post(Of("up", 1));
        Assert.Equal(["down-1", "down-2", "down-3", "up-1"], accounts.DueLetters(3).Select(l => l.Id));
    }

    public void Dispose() => TempFolder.Delete(_folder);
}
