using System.Text.Json.Nodes;
using Helix.Runbooks.Journal;
using Microsoft.Data.Sqlite;

/// <summary>A second process on a store. Prints the sequence of each entry once it is acknowledged.</summary>
static class JournalWriter
{
    public static int Run(string verb, string file, string run, int count)
    {
        if (verb == "hold")
            return Hold(file);
        using var store = JournalStore.Open(file, TimeProvider.System);
        if (verb == "drive")
            Drive(store, run, count);
        else
            Note(store, run, count);
        return 0;
    }

    /// <summary>Stays within a write until it is killed.</summary>
    static int Hold(string file)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.ExecuteNonQuery();
        Console.WriteLine(0);
        Console.In.ReadToEnd();
        return 0;
    }

    static void Drive(JournalStore store, string run, int count)
    {
        var lease = store.Create(run, Started(), DriverIdentity.Current);
        Console.WriteLine(2);
        for (var i = 0; i < count; i++)
        {
            Acknowledge(store.Append(lease, new StepStarted($"s{i}", 1, "redis.save", [], [])));
            Failpoint.Hit($"effect:s{i}");
            Acknowledge(store.Append(lease, new StepSucceeded($"s{i}", new JsonObject { ["n"] = i })));
        }
    }

    static void Note(JournalStore store, string run, int count)
    {
        var person = new Person("child", IdentityStrength.Os, $"pid {Environment.ProcessId}");
        for (var i = 0; i < count; i++)
            Acknowledge(store.Append(run, person, entries => [new NoteAdded($"{i} after {entries.Count}")]));
    }

    static void Acknowledge(IReadOnlyList<JournalEntry> entries)
    {
        foreach (var entry in entries)
            Console.WriteLine(entry.Sequence);
        Console.Out.Flush();
    }

    static RunStarted Started() => new()
    {
        Runbook = "crash",
        Title = "Crash",
        Environment = "test",
        Mode = "live",
        Operator = new Person("child", IdentityStrength.Os, "test"),
        Trigger = "terminal",
        Attended = false,
        Inputs = [],
        DeclaredAt = DateTimeOffset.UnixEpoch,
        PlanHash = "x",
        RunbookPath = "/b/crash.yaml",
        EnvironmentPath = "/b/env.yaml",
        Pinned = new Dictionary<string, string>(),
        Work = "/w",
        Safe = "/s",
        BaseDirectory = "/b",
    };
}
